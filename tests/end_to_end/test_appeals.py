"""What a member does about a refusal by a rule of words: change the words, or appeal to the moderators."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_admins import rows, said
from tests.end_to_end.test_reports import cards, word

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


async def refused(local: LocalDiscord, prompt: str, **options: Any) -> Any:
    """The private refusal of a prompt, with its buttons."""
    result = await local.member.slash(local.channel, "imagine", prompt=prompt, **options)
    assert result.response is not None
    assert "draws no pictures with" in result.response.content
    return result.response


def prompts(tmp_path: Path) -> list[str]:
    return [row[0] for row in rows(tmp_path, "SELECT request ->> 'prompt' FROM jobs ORDER BY job_id")]


def filled(form: Any, prompt: str) -> dict[str, Any]:
    """The values of a form as it opens, with other words."""
    fields = [label["component"] for label in form.modal["components"]]
    chosen = {
        each["custom_id"]: [option["value"] for option in each["options"] if option.get("default")]
        for each in fields
        if "options" in each
    }
    return {**chosen, "prompt": prompt, "negative": ""}


@pytest.fixture
async def bot(local: LocalDiscord, start_bot: Callable[..., BotProcess], tmp_path: Path) -> BotProcess:
    """A rule of the owner, one of the server, and a channel for reports."""
    (tmp_path / "owner.txt").write_text("castle\n", encoding="utf-8")
    started = start_bot(EASEL_SAFETY__WORDS=str(tmp_path / "owner.txt"))
    await started.start()
    await local.admin.slash(local.channel, "admin channel", reports=local.lounge)
    await said(local.admin, local.channel, "admin words add", word="star*")
    return started


@pytest.mark.usefixtures("bot")
async def test_refused_words_are_changed_in_a_form_that_keeps_all_else(local: LocalDiscord, tmp_path: Path) -> None:
    member = local.member
    answer = await refused(local, "a st4r on the sea", steps=7, seed=5)
    form = await member.click(answer, custom_id="easel-hit:change:1")
    assert form.modal is not None
    assert "a st4r on the sea" in str(form.modal)
    await member.submit_modal(form, filled(form, "a boat on the sea"))
    assert prompts(tmp_path) == ["a boat on the sea"]
    kept = "SELECT request ->> 'num_inference_steps', request ->> 'seed' FROM jobs"
    assert rows(tmp_path, kept) == [(7, 5)]
    # What is still refused offers the same again.
    answer = await refused(local, "{a st4r|a boat} by night")
    form = await member.click(answer, custom_id="easel-hit:change:2")
    assert form.modal is not None
    assert "{a st4r|a boat} by night" in str(form.modal)
    again = await member.submit_modal(form, filled(form, "a starfish"))
    assert again.response is not None
    assert "easel-hit:appeal:3" in str(again.response.components)
    assert prompts(tmp_path) == ["a boat on the sea"]


async def test_moderators_decide_appeals(local: LocalDiscord, bot: BotProcess, tmp_path: Path) -> None:
    admin, member, studio = local.admin, local.member, local.channel
    # An appeal is a card. Its button works after a restart, and allows the prompt once.
    answer = await refused(local, "a star")
    assert "The moderators see the refusal" in await word(await member.click(answer, custom_id="easel-hit:appeal:1"))
    assert "have this refusal already" in await word(await member.click(answer, custom_id="easel-hit:appeal:1"))
    card = await cards(local, "**Appeal 1**")
    shown = str(card["components"])
    assert "Rule 1 of this server (“star\\\\*”) found “star” (as written)." in shown
    assert "||a star||" in shown
    await bot.stop()
    await bot.start()
    await admin.click(card, custom_id="easel-case:allow-once:1")
    await cards(local, f"Allowed once by <@{admin.id}>")
    told = await local.wait_for_message(lambda _: True, channel=member.user.dm_channel)
    assert "allow your prompt once" in told["content"]
    await member.slash(studio, "imagine", prompt="a star")
    assert prompts(tmp_path) == ["a star"]
    await refused(local, "a star")

    # Or they make an exception, in their own words.
    answer = await refused(local, "a star on the sea")
    await word(await member.click(answer, custom_id="easel-hit:appeal:3"))
    card = await cards(local, "**Appeal 2**")
    form = await admin.click(card, custom_id="easel-case:except:2")
    assert "star" in str(form.modal)
    await admin.submit_modal(form, {"word": "star on the sea"})
    await cards(local, f"Exception added by <@{admin.id}>")
    await member.slash(studio, "imagine", prompt="a star on the sea")
    assert prompts(tmp_path)[1:] == ["a star on the sea"]

    # A rule of the owner is not theirs to loosen.
    answer = await refused(local, "a castle")
    await word(await member.click(answer, custom_id="easel-hit:appeal:4"))
    card = await cards(local, "**Appeal 3**")
    assert "easel-case:allow-once" not in str(card["components"])
    await admin.click(card, custom_id="easel-case:uphold:3")
    await cards(local, f"The refusal stays, says <@{admin.id}>")
    audit = await said(admin, studio, "admin audit")
    assert f"allowed a refused prompt of <@{member.id}> once (case 1)" in audit
    assert "added the exception “star on the sea”" in audit
    assert f"kept a refusal of <@{member.id}> (case 3)" in audit
