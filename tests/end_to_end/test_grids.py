"""`/grid`: its price first, its pictures on one sheet, a cell taken out, and nothing lost when the bot is killed."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_history import Reader, buttons
from tests.end_to_end.test_pictures_in import rows, said, with_words
from tests.end_to_end.test_privacy import until

StartBot = Callable[..., BotProcess]
Message = dict[str, Any]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly
QUIET = {"EASEL_SAFETY__IMAGE_CHECK": "off"}


async def ask(local: LocalDiscord, **options: Any) -> Message:
    """Ask for a grid, and read the question."""
    return await Reader(local, local.member, local.channel).page("grid", "A grid of", **options)


def menu_of(message: Message) -> dict[str, Any]:
    """The menu that takes out cells."""
    parts = [*message["components"]]
    while parts:
        part = parts.pop()
        if part.get("type") == 3:
            return part
        parts += part.get("components", ())
    raise LookupError("There is no menu.")


async def test_a_grid_fills_survives_a_kill_and_gives_away_a_cell(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="30", EASEL_QUOTAS__QUEUED_PER_USER="2", **QUIET)
    await bot.start()
    await bot.wait_for_log("worker ready")
    member, studio = local.member, local.channel
    refused = await member.slash(studio, "grid", prompt="a star", x="cfg", x_values="1-40")
    assert "at most 36" in await said(refused)
    refused = await member.slash(
        studio, "grid", prompt="a star", x="cfg", x_values="1-31 (+1)", y="steps", y_values="4"
    )
    assert "you have 30 left" in await said(refused)
    question = await ask(
        local, prompt="a red star --seed 7", x="steps", x_values="8-20 (+6)", y="words", y_values='"red star", house'
    )
    assert "cost 6; you have 30 left" in str(question["components"])
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(0,)]
    await member.click(question, label="Draw it")
    sheet = await local.wait_for_message(with_words("A grid for", "of 6 drawn"), 60)
    await until(lambda: rows(tmp_path, "SELECT count(*) FROM jobs WHERE status = 'succeeded'") > [(0,)])
    await bot.stop(signal.SIGKILL)

    bot = start_bot(EASEL_QUOTAS__AMOUNT="30", EASEL_QUOTAS__QUEUED_PER_USER="2", **QUIET)
    await bot.start()
    done = await local.wait_for_message(with_words("6 of 6 drawn"), 120)
    assert (done["id"], len(done["attachments"])) == (sheet["id"], 1)
    assert "🗑️" in buttons(done)
    assert rows(tmp_path, "SELECT count(*), sum(price), count(DISTINCT request ->> 'seed') FROM jobs") == [(6, 6, 1)]
    assert rows(tmp_path, "SELECT sum(spent), sum(held) FROM pots WHERE user_id > 0") == [(6, 0)]
    await until(lambda: rows(tmp_path, "SELECT count(*) FROM sheets WHERE ended_at IS NOT NULL") == [(1,)])
    assert rows(tmp_path, "SELECT origin ->> 'interaction_token' FROM sheets") == [(None,)]
    prompts = rows(tmp_path, "SELECT request ->> 'prompt', request ->> 'num_inference_steps' FROM jobs ORDER BY job_id")
    assert prompts == [(words, steps) for words in ("a red star", "a house") for steps in (8, 14, 20)]

    # A cell is the picture that /imagine draws with its values, bit by bit.
    await member.slash(studio, "imagine", prompt="a house", steps=14, seed=7)
    await local.wait_for_message(with_words("a house", "seed 7"), 90)
    same = "SELECT count(DISTINCT pixels) FROM fingerprints WHERE job_id IN (5, 7)"
    assert rows(tmp_path, same) == [(1,)]

    menu = menu_of(done)
    assert [option["label"] for option in menu["options"]][4] == "5 · steps 14 · words house"
    await local.friend.select(done, ["4"], custom_id=menu["custom_id"])
    own = await local.wait_for_message(with_words("a house", "A grid for", "Vary (subtle)"), 30)
    assert own["id"] != done["id"]
    await local.friend.click(own, label="Vary (subtle)")
    await local.wait_for_message(with_words("Variation (subtle) of"), 60)
    again = await local.friend.select(done, ["4"], custom_id=menu["custom_id"])
    assert "has a message of its own already" in await said(again)

    await cancel(local, tmp_path)
    assert "Traceback" not in bot.log


async def cancel(local: LocalDiscord, folder: Path) -> None:
    """A cancelled sheet charges nothing else, and can be deleted."""
    member = local.member
    question = await ask(local, prompt="a slow star", x="cfg", x_values="1-8", steps=50)
    await member.click(question, label="Draw it")
    slow = await local.wait_for_message(with_words("a slow star", "of 8 drawn"), 60)
    assert "Only the person" in await said(await local.friend.click(slow, label="Cancel"))
    await member.click(slow, label="Cancel")
    await local.wait_for_message(with_words("a slow star", "The rest was cancelled", "🗑️"), 60)
    await until(lambda: rows(folder, "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')") == [(0,)])
    assert rows(folder, "SELECT sum(held) FROM pots") == [(0,)]
    cancelled = await local.wait_for_message(with_words("a slow star", "🗑️"), 60)
    await member.click(cancelled, custom_id=buttons(cancelled)["🗑️"])
    await until(lambda: slow["id"] not in [found["id"] for found in local.messages()])
