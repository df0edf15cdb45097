"""Prompts that stand for several jobs: asked about first, started by a press, with the real bot, worker and model."""

import asyncio
import functools
import json
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess

StartBot = Callable[..., BotProcess]
Message = dict[str, Any]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


def rows(tmp_path: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        return connection.execute(sql).fetchall()


def answer_of(result: Any) -> Any:
    """The answer to a command or a press, which only its member sees."""
    assert result.response is not None
    assert result.response.ephemeral
    return result.response


def private_words(result: Any) -> str:
    """What only the one who pressed reads."""
    answers = [answer for answer in (result.response, *result.followups) if answer is not None and answer.ephemeral]
    return "".join(str(answer.content) for answer in answers)


async def messages_of(local: LocalDiscord, *prompts: str) -> list[Message]:
    """The finished messages of these prompts."""

    def shows(message: Message, prompt: str) -> bool:
        said = str(message["components"])
        return f"**{prompt}**" in said and "seed " in said

    return [await local.wait_for_message(functools.partial(shows, prompt=prompt), 90) for prompt in prompts]


async def edited(local: LocalDiscord, answer: Any, words: str) -> str:
    """What a private message says once it says these words."""
    async with asyncio.timeout(60):
        while words not in (said := json.dumps(_stored(local, answer).components, ensure_ascii=False)):
            await asyncio.sleep(0.05)
    return said


def _stored(local: LocalDiscord, answer: Any) -> Any:
    return local._backend.messages[local.channel.id][int(answer.id)]


def prompts(tmp_path: Path) -> list[str]:
    return [prompt for (prompt,) in rows(tmp_path, "SELECT request ->> 'prompt' FROM jobs ORDER BY job_id")]


async def _insist_on_strange_words(local: LocalDiscord, tmp_path: Path) -> None:
    """A prompt without one word that the model knows costs nothing before somebody insists; it is the fifth job."""
    friend = local.friend
    friend.speak("de")
    strange = answer_of(await friend.slash(local.channel, "imagine", prompt="zig zag --schritte 3 --seed 1"))
    assert "kennt kein Wort dieses Prompts" in str(strange.components)
    assert "Trotzdem zeichnen" in str(strange.components)
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(4,)]
    await friend.click(strange, custom_id="easel:start:3")
    await messages_of(local, "zig zag")
    assert rows(tmp_path, "SELECT price, request ->> 'num_inference_steps' FROM jobs WHERE job_id = 5") == [(1, 3)]
    await edited(local, strange, "Der Auftrag ist gestartet")
    friend.speak("en-US")


async def test_several_jobs_start_by_a_press_and_none_before(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    (tmp_path / "color.txt").write_text("red\n")
    bot = start_bot(EASEL_QUOTAS__AMOUNT="7", EASEL_PROMPTS__WILDCARDS=str(tmp_path), EASEL_PROMPTS__MAX_JOBS="4")
    await bot.start()
    member = local.member

    async def ask(prompt: str, person: Any = member) -> Any:
        return answer_of(await person.slash(local.channel, "imagine", prompt=prompt, steps=3))

    await member.slash(local.channel, "settings", cfg=4.0)
    assert "more than 4 jobs" in (await ask("{a,b,c} {d,e,f}")).content
    assert "Did you mean \\_\\_color\\_\\_?" in (await ask("a __colour__ hat")).content
    question = await ask("a __color__ {apple|star, big} {a, b}")
    said = str(question.components)
    for words in ("stands for 4 jobs", "1. a red apple a", "4. a red star, big b", "cost 4; you have 7 left"):
        assert words in said
    dismissed = await ask("{a|b}")
    assert (rows(tmp_path, "SELECT count(*) FROM jobs"), local.messages()) == ([(0,)], [])

    await bot.stop(signal.SIGKILL)
    await bot.start()
    await bot.wait_for_log("worker ready")
    presses = await asyncio.gather(*(member.click(question, custom_id="easel:start:1") for _ in range(2)))
    shown = await messages_of(local, "a red apple a", "a red apple b", "a red star, big a", "a red star, big b")
    assert all(len(message["attachments"]) == 1 for message in shown)
    assert len({message["id"] for message in shown}) == 4
    assert prompts(tmp_path) == ["a red apple a", "a red apple b", "a red star, big a", "a red star, big b"]
    assert "easel:" not in await edited(local, question, "4 jobs are started")
    assert ["started already" in private_words(press) for press in presses].count(True) == 1
    await member.click(dismissed, custom_id="easel:dismiss:2")
    assert "easel:" not in await edited(local, dismissed, "Nothing was started")

    await _insist_on_strange_words(local, tmp_path)

    # One of them is remixed into several, of which not all can be paid.
    form = await member.click(shown[0], label="Remix")
    form_said = answer_of(
        await member.submit_modal(
            form, {"prompt": "{x1|x2|x3|x4}", "size": ["kept"], "sampler": ["Euler"], "seed": ["new"], "negative": ""}
        )
    )
    assert "only the first 3 can start" in str(form_said.components)
    await member.click(form_said, custom_id="easel:start:4")
    await messages_of(local, "x1", "x2", "x3")
    # Each says whose default it took; what a form left as it was is still that default.
    assert rows(
        tmp_path,
        "SELECT started_by, count(*), count(parent_job_id), min(defaults ->> '$.own.guidance_scale')"
        " FROM jobs GROUP BY started_by",
    ) == [
        ("imagine", 5, 0, 4.0),
        ("remix", 3, 3, 4.0),
    ]
    assert "4. x4" in await edited(local, form_said, "3 of 4 jobs are started")
    assert "you have 0 of 7 left" in (await ask("{a|b}")).content

    # A number of somebody else's question, a price that changed, and a press that comes too late.
    theirs = await ask("{a|b}", local.friend)
    for change, words in (
        ("user_id = user_id + 1", "no longer open"),
        ("user_id = user_id - 1, price = 1", "Prices have changed"),
        ("price = 2, created_at = created_at - 3600001", "no longer open"),
    ):
        with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
            connection.execute(f"UPDATE expansions SET {change}")  # noqa: S608 - ours
        assert words in answer_of(await local.friend.click(theirs, custom_id="easel:start:5")).content
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(8,)]
    # Where Discord takes no message beside the answer, what was taken is given back.
    unseen = await ask("{a|b}", local.friend)
    local.faults.add(kind="status", method="POST", path="^/webhooks/", status=403, code=50013)
    await local.friend.click(unseen, custom_id="easel:start:6")
    assert "Discord takes no more messages" in await edited(local, unseen, "0 of 2 jobs are started")
    assert rows(tmp_path, "SELECT status, failure FROM jobs WHERE job_id > 8") == [("failed", "unanswered")]
    assert rows(tmp_path, "SELECT held + spent FROM pots WHERE kind = 'period' ORDER BY 1") == [(1,), (7,)]
    assert await bot.stop() == 0
    check = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "db", "check", env=bot.environment)
    assert await check.wait() == 0
    assert local.gaps == []
    assert "Traceback" not in bot.log
