"""Every button on every kind of message, pressed by everybody: each press is answered, and nothing else happens."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from bot.presenting.custom_ids import ABOUT_EXPANSIONS, MADE_FROM_ONE, Action
from bot.presenting.jobs.job_buttons import PANS
from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.safety_checkers import save_checker

StartBot = Callable[..., BotProcess]
Message = dict[str, Any]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly

OPEN, CLOSED = ("queued",), ("done", "cancelled", "flagged")
UNKNOWN = 999
NUMBERED = {
    *(Action.MAKING_OF, Action.MORPH),
    *(Action.UPSCALE, Action.VARY_SUBTLE, Action.VARY_STRONG, Action.REGION, Action.ZOOM_OUT, Action.PAN),
    *PANS,
}
FORMS = {Action.REMIX, Action.MORPH, Action.REGION, Action.ZOOM_OUT}
STARTING = {
    *(Action.REROLL, Action.RETRY, Action.UPSCALE, Action.VARY_SUBTLE, Action.VARY_STRONG, Action.MAKING_OF),
}


def refusal_of(action: Action, state: str, person: str) -> str:
    """How the private answer to a press begins to say no; empty where it is obeyed."""
    is_private = action in (Action.CANCEL_MINE, Action.COLLECT)
    is_shown = action in (Action.COLLECT, Action.COPY, Action.STAR)
    # A card that still offers to cancel a job that is over says so to everybody.
    is_theirs = action is Action.DELETE or (action is Action.CANCEL and state not in CLOSED)
    is_appeal = action is Action.APPEAL
    is_made_from_one = action in MADE_FROM_ONE - set(PANS)
    cases = {
        "This question is no longer open": action in ABOUT_EXPANSIONS,
        "This button belongs to a job that Easel no longer knows": (is_private and person != "member")
        or action in PANS,
        "Only the person who asked for this": (is_theirs and person == "friend") or (is_appeal and person != "member"),
        "There is no appeal against this.": is_appeal and state != "flagged",
        "This job is over already": action is Action.CANCEL and state in CLOSED,
        "The safety filter hid that picture": is_made_from_one and state == "flagged",
        "This job has no pictures": (is_shown or is_made_from_one) and state != "done",
    }
    return next((sentence for sentence, is_said in cases.items() if is_said), "")


def presses() -> Iterator[tuple[Action, str, str]]:
    """Everything that changes nothing for the next press: what ends or takes away a job comes last."""
    lasting = [action for action in Action if action not in (Action.CANCEL, Action.CANCEL_MINE, Action.DELETE)]
    people = ("friend", "admin", "member")
    yield from product(lasting, (*OPEN, *CLOSED), people)
    yield from product((Action.CANCEL,), CLOSED, people)
    # Its member's own press shows the list of `/queue` in place of the message, and comes last of all.
    yield from product((Action.CANCEL_MINE,), CLOSED, ("friend", "admin"))
    yield (Action.CANCEL, "queued", "friend")
    yield from product((Action.DELETE,), (*OPEN, *CLOSED), ("friend",))


class Channel:
    """The messages of four jobs, and a way to press what is not on them."""

    def __init__(self, local: LocalDiscord, directory: Path) -> None:
        self.local = local
        self.directory = directory
        self.messages: dict[str, tuple[int, Message]] = {}

    async def ask(self, state: str, words: str, **options: Any) -> None:
        """Ask for a job whose prompt is the state, and wait until its message says so."""
        values = {"prompt": f"a star is {state}", "steps": 4, **options}
        await self.local.member.slash(self.local.channel, "imagine", **values)
        await self.until(state, words)

    async def until(self, state: str, words: str) -> None:
        def fits(message: Message) -> bool:
            shown = str(message["components"])
            return f"a star is {state}" in shown and words in shown

        message = await self.local.wait_for_message(fits, 90)
        ((job_id,),) = self.rows(
            "SELECT job_id FROM jobs WHERE request ->> 'prompt' = ? ORDER BY job_id LIMIT 1", f"a star is {state}"
        )
        self.messages[state] = job_id, message

    async def press(self, action: Action, state: str, person: str, *, forged_job_id: int | None = None) -> Any:
        """Press a button that the message has, or would have in another state, or that somebody forged."""
        job_id, message = self.messages[state]
        job_id = forged_job_id or job_id
        index = ":0" if action in NUMBERED else ""
        custom_id = f"easel:{action}:{job_id}{index}"
        stored = self.local._backend.messages[self.local.channel.id][int(message["id"])]
        before = stored.components
        row = {
            "type": 1,
            "id": 90,
            "components": [{"type": 2, "id": 91, "style": 2, "label": "x", "custom_id": custom_id}],
        }
        stored.components = json.loads(json.dumps([{**before[0], "components": [row]}]))
        try:
            shown = next(found for found in self.local.messages() if found["id"] == message["id"])
            return await getattr(self.local, person).click(shown, custom_id=custom_id)
        finally:
            stored.components = before

    async def press_and_check(self, action: Action, state: str, person: str) -> None:
        """Press it; it is refused with its reason, or obeyed."""
        case = f"{action} of a {state} job by the {person}"
        result = await self.press(action, state, person)
        refusal = refusal_of(action, state, person)
        if refusal:
            assert (await self.private_word(result)).startswith(refusal), case
        elif action in FORMS:
            assert result.modal is not None, case
        else:
            assert result.acknowledged, case

    async def press_at_once(self, action: Action, state: str, *people: str) -> list[str]:
        """Press what the message has, all at the same moment; what each reads privately."""
        job_id, message = self.messages[state]
        custom_id = f"easel:{action}:{job_id}"
        results = await asyncio.gather(
            *(getattr(self.local, person).click(message, custom_id=custom_id) for person in people)
        )
        assert all(result.acknowledged for result in results)
        return [await self.private_word(result) for result in results]

    async def gone(self, state: str) -> None:
        """Wait until the message is."""
        _, message = self.messages[state]
        async with asyncio.timeout(60):
            while message["id"] in [shown["id"] for shown in self.local.messages()]:
                await asyncio.sleep(0.05)

    async def private_word(self, result: Any) -> str:
        """What only the one who pressed reads: an answer, or a followup that comes a little later."""
        async with asyncio.timeout(60):
            while not result.acknowledged:
                await asyncio.sleep(0.01)
        if result.response is not None and result.response.ephemeral:
            return str(result.response.content)
        for _ in range(100):
            if result.followups:
                return str(result.followups[-1].content)
            await asyncio.sleep(0.01)
        return ""

    def rows(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.directory / "data" / "easel.db") as connection:
            return connection.execute(sql, values).fetchall()


async def test_every_press_of_everybody_in_every_state_is_answered(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    limits = {"EASEL_QUOTAS__QUEUED_PER_USER": "0", "EASEL_QUOTAS__AMOUNT": "0"}
    channel = Channel(local, tmp_path)
    first = start_bot(**limits)
    await first.start()
    await channel.ask("done", "seed ", images=2)
    await first.stop()
    # All presses below are also those after a restart.
    bot = start_bot(EASEL_PIPELINE__SAFETY_CHECKER=str(save_checker(tmp_path / "checker")), **limits)
    await bot.start()
    await channel.ask("flagged", "safety filter")
    await channel.ask("running", "Drawing", steps=50, images=4)
    for action in (Action.STAR, Action.COPY, Action.DETAILS, Action.REMIX, Action.CANCEL, Action.DELETE):
        await channel.press_and_check(action, "running", "friend")
    words = await channel.press_at_once(Action.CANCEL, "running", "member", "admin", "member")
    assert all(not word or word.startswith("This job is over already") for word in words), words
    await channel.until("running", "Cancelled")
    await local.admin.slash(local.channel, "admin queue", action="pause")
    await channel.ask("cancelled", "line")
    await channel.press(Action.CANCEL, "cancelled", "admin")
    await channel.until("cancelled", "Cancelled by")
    await channel.ask("queued", "line")

    started = 0
    for action, state, person in presses():
        await channel.press_and_check(action, state, person)
        started += action in STARTING and not refusal_of(action, state, person)
        assert channel.rows("SELECT count(*) FROM jobs") == [(5 + started,)], (action, state, person)
    done, queued = channel.messages["done"][0], channel.messages["queued"][0]
    for action, forged in product(Action, (done, queued, UNKNOWN)):
        result = await channel.press(action, "flagged", "friend", forged_job_id=forged)
        unknown = "This question is no longer open" if action in ABOUT_EXPANSIONS else "This button belongs to a job"
        if action is Action.CANCEL and forged == done:
            unknown = "This job is over"  # an old card of a job that is shown in another message
        assert (await channel.private_word(result)).startswith(unknown), (action, forged)
    assert channel.rows("SELECT count(*) FROM jobs") == [(5 + started,)]
    assert "Traceback" not in bot.log

    words = await channel.press_at_once(Action.STAR, "done", "friend", "friend")
    assert sorted("no longer" in word for word in words) == [False, True]
    assert channel.rows("SELECT count(*) FROM stars") == [(3,)]
    await channel.press(Action.CANCEL, "queued", "member")
    await channel.until("queued", "Cancelled.")
    for state, people in (("done", ("member", "member")), ("cancelled", ("admin", "member"))):
        words = await channel.press_at_once(Action.DELETE, state, *people)
        assert not any(words), words
        await channel.gone(state)
    await channel.press(Action.DELETE, "queued", "admin")
    await channel.gone("queued")
    await channel.press(Action.CANCEL_MINE, "flagged", "member")
    await local.wait_for_message(lambda message: "This job is over already" in str(message["components"]))
    assert await bot.stop() == 0
    check = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "db", "check", env=bot.environment)
    assert await check.wait() == 0
    assert "Traceback" not in bot.log
