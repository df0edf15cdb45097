"""The wire between the bot and Discord breaks in every way, and each job still has one message and one price."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess, shared_bot

Message = dict[str, Any]
TOKEN_ROUTE, BOT_ROUTE = r"^/webhooks/", r"^/channels/\d+/messages"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),  # a busy machine loads libraries slowly
    pytest.mark.asyncio(loop_scope="module"),
]


class Member:
    """A member who asks, and the database that tells what became of it."""

    def __init__(self, local: LocalDiscord, directory: Path) -> None:
        self.local = local
        self._path = directory / "data" / "easel.db"

    async def ask(self, prompt: str, **options: Any) -> None:
        """Ask; nobody answers where the wire is broken."""
        await self.local.member.slash(self.local.channel, "imagine", prompt=prompt, **options)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self._path) as connection:
            return connection.execute(sql, values).fetchall()

    def used(self) -> tuple[int, int]:
        """What is held and what is spent of all quotas."""
        sql = "SELECT coalesce(sum(held), 0), coalesce(sum(spent), 0) FROM pots WHERE kind = 'period'"
        ((held, spent),) = self.rows(sql)
        return held, spent

    async def end_of(self, prompt: str) -> tuple[Any, ...]:
        """Status, failure and charge of a job once it has ended; there is only one of this prompt."""
        sql = (
            "SELECT status, failure, captured FROM jobs JOIN ledger USING (job_id)"
            " WHERE ledger.kind = 'settle' AND request ->> 'prompt' = ?"
        )
        async with asyncio.timeout(120):
            while not (found := self.rows(sql, prompt)):
                await asyncio.sleep(0.05)
        (end,) = found
        return end

    def messages(self, prompt: str) -> list[Message]:
        """Messages of the channel that are about it."""
        return [message for message in self.local.messages() if prompt in json.dumps(message["components"])]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[Member, BotProcess]]:
    directory = tmp_path_factory.mktemp("wire")
    async with shared_bot(directory, EASEL_QUOTAS__QUEUED_PER_USER="0") as (local, bot):
        yield Member(local, directory), bot


@pytest_asyncio.fixture(loop_scope="module")
async def member(shared: tuple[Member, BotProcess]) -> AsyncGenerator[Member]:
    """On a wire that is whole, with a bot that is ready to draw and has not failed in the end."""
    member, bot = shared
    limit = member.local.attachment_size_limit
    await member.local.wait_for_bot()
    yield member
    member.local.faults.clear()
    member.local.attachment_size_limit = limit
    assert "Traceback" not in bot.log


async def test_what_can_be_shown_nowhere_is_given_back_and_explained(member: Member) -> None:
    local, faults, used = member.local, member.local.faults, member.used()
    await member.ask("deleted", steps=50, images=4)
    await local.admin.delete(member.messages("deleted")[0])
    assert await member.end_of("deleted") == ("failed", "message-gone", 0)

    channel_gone = [
        faults.add(kind="status", method="PATCH", path=route, times=None, status=404, code=10003)
        for route in (TOKEN_ROUTE, BOT_ROUTE)
    ]
    await member.ask("no channel", steps=4)
    assert await member.end_of("no channel") == ("failed", "message-gone", 0)
    assert sum(fault.hits for fault in channel_gone) > 0
    faults.clear()

    faults.add(kind="status", method="PATCH", path=TOKEN_ROUTE, times=None, status=401, code=50027)
    faults.add(kind="status", method="PATCH", path=BOT_ROUTE, times=None, status=403, code=50013)
    closed = faults.add(kind="status", method="POST", path="^/users/@me/channels", status=403, code=50007)
    await member.ask("no permission", steps=4)
    assert await member.end_of("no permission") == ("failed", "not-permitted", 0)
    assert closed.hits == 1
    faults.clear()
    # Not lost all the same: it waits where its member looks.
    listed = await local.member.slash(local.channel, "queue")
    assert listed.response is not None
    await local.member.click(listed.response, label="Show me")
    collected = await local.wait_for_message(
        lambda message: "as they were drawn" in message["content"], viewer=local.member
    )
    (file,) = collected["attachments"]
    assert (await local.fetch_cdn(file["url"])).startswith(b"\x89PNG")

    faults.add(kind="status", method="PATCH", path=TOKEN_ROUTE, times=None, status=413, code=40005)
    await member.ask("too large", steps=4)
    assert await member.end_of("too large") == ("failed", "too-large", 0)
    faults.clear()
    assert member.used() == used


async def test_pictures_find_another_way_to_their_member(member: Member) -> None:
    local, faults = member.local, member.local.faults
    original_limit = local.attachment_size_limit
    local.attachment_size_limit = 3_000
    await member.ask("made smaller", steps=4)
    assert await member.end_of("made smaller") == ("succeeded", None, 1)
    (message,) = member.messages("made smaller")
    (file,) = message["attachments"]
    assert file["filename"].endswith(".webp")
    assert file["size"] <= 3_000
    assert "made smaller to fit Discord" in json.dumps(message["components"])

    local.attachment_size_limit = original_limit
    stated = faults.add(kind="status", method="PATCH", path=TOKEN_ROUTE, times=2, status=413, code=40005)
    await member.ask("limit moved", steps=4)
    assert await member.end_of("limit moved") == ("succeeded", None, 1)
    assert stated.hits == 2
    faults.clear()

    faults.add(kind="status", method="PATCH", path=TOKEN_ROUTE, times=None, status=401, code=50027)
    faults.add(kind="status", method="PATCH", path=BOT_ROUTE, times=None, status=403, code=50013)
    await member.ask("handed over", steps=4)
    assert await member.end_of("handed over") == ("succeeded", None, 1)
    sent = await local.wait_for_message(lambda found: bool(found["attachments"]), channel=local.member.user.dm_channel)
    assert "could not be shown where it was asked for" in sent["content"]
    assert len(sent["attachments"]) == 1


async def test_an_hour_of_rate_limit_on_a_token_holds_no_picture_back(member: Member) -> None:
    faults = member.local.faults
    limit = faults.add(kind="rate_limit", method="PATCH", path=TOKEN_ROUTE, times=None, retry_after_s=3_600)
    await member.ask("limited", steps=4)
    assert await member.end_of("limited") == ("succeeded", None, 1)
    (message,) = member.messages("limited")
    assert len(message["attachments"]) == 1
    assert limit.hits > 0


async def test_whatever_breaks_each_job_has_one_message_and_one_price(member: Member) -> None:
    faults = member.local.faults
    _, spent = member.used()
    for kind in ("applied_status", "reset_before", "reset_after"):
        faults.add(kind=kind, method="POST", path="/callback$")
        faults.add(kind=kind, method="PATCH", path=TOKEN_ROUTE, times=2)
        await member.ask(kind, steps=4)
        assert await member.end_of(kind) == ("succeeded", None, 1)
    faults.clear()
    faults.duplicate_next_interaction()
    await member.ask("twice", steps=4)
    faults.drop_gateway()
    assert await member.end_of("twice") == ("succeeded", None, 1)
    await member.local.wait_for_bot()
    faults.ask_reconnect()
    await member.local.wait_for_bot()
    await member.ask("after a resume", steps=4)
    assert await member.end_of("after a resume") == ("succeeded", None, 1)
    faults.invalidate_session()
    for prompt in ("applied_status", "reset_before", "reset_after", "twice", "after a resume"):
        (message,) = member.messages(prompt)
        assert len(message["attachments"]) == 1
    assert member.used() == (0, spent + 5)


async def test_a_token_that_ends_before_its_job_holds_no_picture_back(tmp_path: Path) -> None:
    async with LocalDiscord(token_lifetime_s=2.0) as local:
        bot = BotProcess(local, tmp_path, EASEL_PIPELINE__PREVIEW_INTERVAL_S="0")
        await bot.start()
        try:
            member = Member(local, tmp_path)
            # The worker is not ready yet, and takes longer than the token lives.
            await member.ask("late", steps=4)
            assert await member.end_of("late") == ("succeeded", None, 1)
            (message,) = member.messages("late")
            assert len(message["attachments"]) == 1
            refused = [record for record in local.requests if record.status == 401]
            assert refused
        finally:
            await bot.stop()
