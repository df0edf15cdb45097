"""What answers say beyond their call: a block of the address, and a second Easel with the same token."""

import asyncio
from datetime import timedelta

import pytest
import structlog
from discord import InteractionType
from discord.app_commands import Choice
from pydantic import SecretStr

from bot.calls.address_block import LONGEST_WAIT_S, AddressBlock, is_block
from bot.calls.errors import AddressBlocked, AnsweredElsewhere, EditsHalted, InteractionLost
from bot.calls.watching import FirstAnswers
from bot.cli.doctor.reaching import discord_findings
from config.areas.discord import DiscordSettings
from config.settings import Settings
from playground import LocalDiscord
from tests.bot.calls.conftest import BOT_ROUTE, CALLBACK, TOKEN_ROUTE, Wire, saying

JSON = {"Content-Type": "application/json", "Via": "1.1 google"}
PAGE = {"Content-Type": "text/html; charset=UTF-8"}
PATH = "/api/v10/interactions/77/a-token/callback"


class Clock:
    """Moves when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, PAGE, True),
        (429, {"Content-Type": "application/json"}, True),
        (429, {**PAGE, "Via": "1.1 google"}, True),
        (429, {}, True),
        (429, JSON, False),
        (403, PAGE, True),
        (403, JSON, False),
        (404, PAGE, False),
        (502, PAGE, False),
        (200, JSON, False),
    ],
)
def test_a_block_is_what_discord_did_not_say_itself(status: int, headers: dict[str, str], *, expected: bool) -> None:
    assert is_block(status, headers) is expected


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [("2", 2), ("0.5", 0.5), ("86400", LONGEST_WAIT_S), ("0", 60), ("-3", 60), ("soon", 60), (None, 60), ("nan", 60)],
)
def test_a_block_is_waited_for_as_long_as_it_says_and_an_hour_at_most(said: str | None, wait_s: float) -> None:
    clock = Clock()
    block = AddressBlock(clock)
    block.look(429, PAGE if said is None else {**PAGE, "Retry-After": said})
    assert block.left_s == wait_s
    clock.now += wait_s
    assert block.left_s == 0


def test_a_block_is_told_once_with_what_to_do_until_it_is_over() -> None:
    clock = Clock()
    block = AddressBlock(clock)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            block.look(429, {**PAGE, "Retry-After": "2"})
            clock.now += 2
        block.look(200, JSON)
        block.look(200, JSON)
        block.look(429, PAGE)
    assert [log["action"] for log in logs] == ["address_blocked", "address_free", "address_blocked"]
    assert "another address" in logs[0]["event"]


def test_an_answer_that_was_refused_is_not_taken_for_one_that_may_have_arrived() -> None:
    answers = FirstAnswers()
    assert not answers.may_have_arrived(77)
    for status, expected in ((400, False), (404, False), (502, True), (408, True)):
        answers = FirstAnswers()
        answers.started(PATH)
        answers.ended(PATH, status)
        answers.started(PATH)
        answers.ended(PATH, 400)
        assert answers.may_have_arrived(77) is expected
    answers.started("/api/v10/channels/77/messages")
    assert not answers.may_have_arrived(78)


async def test_while_the_address_is_blocked_nothing_is_sent(wire: Wire) -> None:
    job = await wire.shown()
    fault = wire.faults.add(kind="address_block", method="PATCH", path=TOKEN_ROUTE, retry_after_s=30)
    with pytest.raises(AddressBlocked) as blocked:
        await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    assert 29 < blocked.value.wait_s <= 30
    before = len(wire.local.requests)
    with pytest.raises(EditsHalted):
        await wire.calls.edit_message(job, saying("second"), None, is_last_word=False)
    with pytest.raises(AddressBlocked):
        await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    with pytest.raises(AddressBlocked):
        await wire.calls.answer(await wire.interaction(), view=saying("first"))
    assert (len(wire.local.requests), fault.hits) == (before, 1)


async def test_a_first_answer_outlasts_a_short_block(wire: Wire) -> None:
    fault = wire.faults.add(kind="address_block", method="POST", path=CALLBACK, retry_after_s=0.2)
    message_id = await wire.calls.answer(await wire.interaction(), view=saying("first"))
    assert (wire.texts(), fault.hits) == (["first"], 1)
    assert message_id == int(wire.local.messages()[0]["id"])


async def test_an_interaction_that_somebody_else_answered_is_theirs(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = wire.faults.add(kind="status", method="POST", path=CALLBACK, status=400, code=40060, times=None)
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            interaction = await wire.interaction()
            with pytest.raises(AnsweredElsewhere):
                await wire.calls.answer(interaction, view=saying("first"))
        with pytest.raises(InteractionLost):
            await wire.calls.defer(await wire.interaction())
    assert taken.hits == 3
    assert wire.watch.other.seen is not None
    assert wire.watch.other.seen[0] == 3
    assert "second Easel" in logs[0]["event"]
    await asyncio.gather(*wire.calls.owner.sending)
    owner = wire.client.application.owner if wire.client.application else None
    assert owner is not None
    assert wire.sent("/users/@me/channels") == 1
    # It is told again after a day.
    wire.calls.owner.notify("owner-other-instance")
    assert not wire.calls.owner.sending
    monkeypatch.setattr("bot.calls.owner.AGAIN_AFTER", timedelta(0))
    wire.calls.owner.notify("owner-other-instance")
    await asyncio.gather(*wire.calls.owner.sending)
    assert wire.sent("/channels/") == 2


@pytest.mark.parametrize("status", [502, 503])
async def test_what_a_repeat_finds_answered_is_our_own(wire: Wire, status: int) -> None:
    """discord.py repeats a 502 by itself, so that the first word that reaches us is that it is answered."""
    wire.calls._answer_timeout_s = 5.0
    wire.faults.add(kind="applied_status", method="POST", path=CALLBACK, status=status)
    message_id = await wire.calls.answer(await wire.interaction(), view=saying("first"))
    assert message_id == int(wire.local.messages()[0]["id"])
    assert wire.watch.other.seen is None


@pytest.mark.parametrize(("status", "code"), [(401, 50027), (401, 0), (404, 10015)])
async def test_a_token_that_discord_called_dead_is_not_tried_again(wire: Wire, status: int, code: int) -> None:
    job = await wire.shown()
    dead = wire.faults.add(kind="status", path=TOKEN_ROUTE, times=None, status=status, code=code)
    for words in ("second", "third", "fourth"):
        await wire.calls.edit_message(job, saying(words), None, is_last_word=True)
    assert await wire.calls.message_exists(job)
    assert (wire.texts(), dead.hits) == (["fourth"], 1)
    other = await wire.shown()
    await wire.calls.edit_message(other, saying("another job's token"), None, is_last_word=True)
    assert dead.hits == 2


@pytest.mark.parametrize(("status", "code"), [(404, 10062), (400, 40060), (400, 50035), (503, 0)])
async def test_suggestions_that_are_refused_are_sent_once_and_no_fault(wire: Wire, status: int, code: int) -> None:
    refused = wire.faults.add(kind="status", method="POST", path=CALLBACK, times=None, status=status, code=code)
    interaction = await wire.interaction()
    interaction.type = InteractionType.autocomplete
    await wire.calls.suggest(interaction, [Choice(name="a", value="b")])
    assert interaction.response.is_done()
    assert refused.hits == (2 if status == 503 else 1)
    assert (wire.watch.other.seen is None) is (code != 40060)


async def test_a_page_behind_a_proxy_of_discords_is_a_block_as_well(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """discord.py 2.7.1 looks for JSON in it and raises TypeError."""
    job = await wire.shown()
    wire.faults.add(kind="address_block", method="PATCH", path=TOKEN_ROUTE, retry_after_s=30)
    monkeypatch.setattr("playground.rest.BLOCK_HEADERS", {"Via": "1.1 google"})
    with pytest.raises(AddressBlocked):
        await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    assert wire.sent(BOT_ROUTE.strip("^")) == 0


async def test_doctor_says_that_the_address_is_blocked() -> None:
    async with LocalDiscord() as local:
        discord = DiscordSettings(token=SecretStr(local.token), api_base_url=local.api_base_url)
        local.faults.add(kind="address_block", retry_after_s=600)
        blocked, *_ = [finding async for finding in discord_findings(Settings(discord=discord))]
        assert (blocked.subject, blocked.is_fine) == ("network", False)
        assert "blocks this computer's address for 10 min more" in blocked.sentence
        assert "another address" in blocked.sentence
