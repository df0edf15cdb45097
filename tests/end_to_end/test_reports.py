"""Reports of members, from the menu of a message to what moderators decide, also after a restart."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from playground.people import join
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_admins import rows, said

StartBot = Callable[..., BotProcess]
Message = dict[str, Any]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


async def report(actor: Any, where: Any, message: Message, reason: str = "hate", note: str = "") -> str:
    """What a member reads after a report, or in place of its form."""
    form = await actor.context_menu(where, "Easel: report", message)
    if form.modal is None:
        return str(form.response.content)
    sent = await actor.submit_modal(form, {"reason": [reason], "note": note})
    return await word(sent)


async def word(result: Any) -> str:
    """What the person alone reads, now or a little later."""
    async with asyncio.timeout(60):
        while True:
            answers = [*([result.response] if result.response else []), *result.followups]
            if answers and answers[-1].content:
                return str(answers[-1].content)
            await asyncio.sleep(0.02)


async def open_cases(local: LocalDiscord) -> Any:
    """The private list of `/admin review`."""
    result = await local.admin.slash(local.channel, "admin review")
    async with asyncio.timeout(20):
        while result.response is None or not result.response.components:
            await asyncio.sleep(0.02)
    return result.response


async def draw(local: LocalDiscord, prompt: str) -> Message:
    """A finished picture of the member's."""
    await local.member.slash(local.channel, "imagine", prompt=prompt, steps=4)
    return await local.wait_for_message(
        lambda shown: prompt in str(shown["components"]) and "seed " in str(shown["components"]), 120
    )


def spoilers(message: Message) -> list[bool]:
    """Whether each picture of a message is behind a spoiler."""
    (container,) = message["components"]
    return [
        bool(item.get("spoiler"))
        for part in container["components"]
        for item in part.get("items", ())
        if part["type"] == 12
    ]


async def cards(local: LocalDiscord, words: str) -> Message:
    """The newest card in the moderators' channel with these words."""
    return await local.wait_for_message(
        lambda shown: words in str(shown["components"]), 30, viewer=local.admin, channel=local.lounge
    )


async def test_reports_are_shown_to_moderators_who_decide_also_after_a_restart(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    admin, member, friend, studio = local.admin, local.member, local.friend, local.channel
    picture = await draw(local, "a star for nobody")
    third = join(local._env, local.guild, "rhea", "Rhea")
    fourth = join(local._env, local.guild, "omar", "Omar")

    # Without a channel, the report is kept and stands in /admin review.
    answer = await report(friend, studio, picture, note="*look*")
    assert answer.startswith("Thank you, your report is kept. This server has no channel for reports")
    assert "You reported this already" in await report(friend, studio, picture)
    assert "This picture is yours" in await report(member, studio, picture)
    review = await open_cases(local)
    shown = str(review.components)
    assert "One case waits for a decision" in shown
    assert "a star for nobody" in shown
    assert f"<@{friend.id}>" in shown
    assert "\\\\*look\\\\*" in shown

    # With one, a card stands there, and the third reporter puts a spoiler on the picture.
    answer = await word(await admin.slash(studio, "admin channel", reports=local.lounge))
    assert f"Members' reports are shown in <#{local.lounge.id}>." in answer
    assert (await report(third, studio, picture)).startswith("Thank you. The moderators read your report")
    card = await cards(local, "**Report 1**")
    assert spoilers(picture) == [False]
    await report(fourth, studio, picture)
    picture = await local.wait_for_message(lambda found: found["id"] == picture["id"] and spoilers(found) == [True])
    assert "Behind a spoiler because several members reported it." in str(picture["components"])
    assert picture["attachments"]
    card = await cards(local, "since three members reported it")

    # After a restart, the buttons of the card work; nobody but a moderator may press them.
    await bot.stop()
    await bot.start()
    refused = await word(await friend.click(card, custom_id="easel-case:remove:1"))
    assert refused == "Only members who may manage messages decide here."
    form = await admin.click(card, custom_id="easel-case:block:1")
    blocked = await word(await admin.submit_modal(form, {"reason": "spam", "for": "2d"}))
    assert f"<@{member.id}> may ask for nothing" in blocked
    assert rows(tmp_path, "SELECT user_id, reason FROM blocks") == [(member.id, "spam")]
    again = await admin.click(card, custom_id="easel-case:block:1")
    assert "is no duration" in await word(await admin.submit_modal(again, {"reason": "", "for": "soon"}))
    await admin.click(card, custom_id="easel-case:keep:1")
    picture = await local.wait_for_message(lambda found: found["id"] == picture["id"] and spoilers(found) == [False])
    assert "Behind a spoiler" not in str(picture["components"])
    card = await cards(local, f"Nothing wrong, says <@{admin.id}>")
    assert "easel-case:remove" not in str(card["components"])
    told = await local.wait_for_message(lambda _: True, channel=third.user.dm_channel)
    assert "They found nothing wrong with it." in told["content"]
    again = await word(await admin.click(review, custom_id="easel-case:remove:1"))
    assert again == "Somebody decided this already."
    audit = await said(admin, studio, "admin audit")
    assert f"found nothing wrong with job 1 of <@{member.id}>" in audit
    assert f"put job 1 of <@{member.id}> behind a spoiler after three reports" in audit
    assert rows(tmp_path, "SELECT outcome, decided_by FROM cases") == [("keep", admin.id)]


async def test_what_is_removed_leaves_a_placeholder_and_no_byte(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    admin, member, friend, studio = local.admin, local.member, local.friend, local.channel
    await said(admin, studio, "admin channel", reports=local.lounge)
    picture = await draw(local, "a star to remove")
    await friend.click(picture, custom_id="easel:star:1")
    await report(friend, studio, picture, note="no")
    await cards(local, "**Report 1**")
    # Somebody keeps a copy as the picture of another job.
    await friend.context_menu(studio, "Easel: upscale", picture)
    await local.wait_for_message(lambda found: "Made larger" in str(found["components"]) and found["attachments"], 120)
    ((original,),) = rows(tmp_path, "SELECT sha256 FROM outputs WHERE job_id = 1")
    assert [*(tmp_path / "data" / "images").rglob(f"{original}.png")]
    assert [*(tmp_path / "data" / "inputs").rglob("*.png")]

    # The author is warned and paused, from the private list.
    review = await open_cases(local)
    await admin.click(review, custom_id="easel-case:warn:1")
    told = await local.wait_for_message(lambda _: True, channel=member.user.dm_channel)
    assert "A moderator of Easel playground warned you: your picture" in told["content"]
    await cards(local, "The author was warned once in the last 30 days.")
    await admin.click(review, custom_id="easel-case:pause-1h:1")
    await local.wait_for_message(lambda found: "for now; that ends" in found["content"], channel=member.user.dm_channel)
    assert "You may not use Easel in this server; that ends" in await said(member, studio, "imagine", prompt="a cat")

    await admin.click(review, custom_id="easel-case:remove:1")
    await local.wait_for_message(lambda found: "Moderators removed what stood here" in str(found["components"]))
    (placeholder,) = [found for found in local.messages() if found["id"] == picture["id"]]
    assert placeholder["attachments"] == []
    assert "a star to remove" not in str(placeholder["components"])
    await cards(local, f"Removed by <@{admin.id}>")
    assert not [*(tmp_path / "data" / "images").rglob(f"{original}*")]
    assert not [path for path in (tmp_path / "data" / "inputs").rglob("*") if path.is_file()]
    # Nothing is made from it any more, whoever asks by whatever door.
    for menu in ("Easel: details", "Easel: use as reference", "Easel: report"):
        result = await friend.context_menu(studio, menu, placeholder)
        assert result.response is not None
        assert "Moderators removed these pictures" in result.response.content
    audit = await said(admin, studio, "admin audit")
    assert f"removed job 1 of <@{member.id}>" in audit
    assert f"warned <@{member.id}>" in audit
    assert f"blocked <@{member.id}> until" in audit


async def test_admins_warn_and_pause_a_member_who_is_told(local: LocalDiscord, start_bot: StartBot) -> None:
    await start_bot().start()
    admin, member, studio = local.admin, local.member, local.channel
    answer = await word(await admin.slash(studio, "admin warn", user=member, reason="be *kind*"))
    assert answer == f"<@{member.id}> is warned. The warning counts for 30 days. They were told."
    told = await local.wait_for_message(lambda _: True, channel=member.user.dm_channel)
    assert "warned you: be \\*kind\\*\nThe warning counts" in told["content"]
    answer = await word(await admin.slash(studio, "admin pause", user=member, **{"for": "2h"}))
    assert answer.startswith(f"<@{member.id}> may ask for nothing in this server; that ends <t:")
    assert "that ends <t:" in await said(member, studio, "imagine", prompt="a cat")
    answer = await word(await admin.slash(studio, "admin pause", user=member, **{"for": "soon"}))
    assert "“soon” is no duration" in answer
    audit = await said(admin, studio, "admin audit")
    assert f"warned <@{member.id}> (“be \\*kind\\*”)" in audit
