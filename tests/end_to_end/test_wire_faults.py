"""The wire between the bot and Discord breaks in every way, and each job still has one message and one price."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from playground import LocalDiscord
from tests.end_to_end.conftest import PREVIEWS, BotProcess, shared_bot

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
        """Ask for a star of this name, which the model knows; nobody answers where the wire is broken."""
        await self.local.member.slash(self.local.channel, "imagine", prompt=f"star {prompt}", **options)

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
            while not (found := self.rows(sql, f"star {prompt}")):
                await asyncio.sleep(0.05)
        (end,) = found
        return end

    def messages(self, prompt: str) -> list[Message]:
        """Messages of the channel that are about it."""
        return [message for message in self.local.messages() if prompt in json.dumps(message["components"])]


def custom_ids_of(message: Message, prefix: str) -> list[str]:
    """Ids of a message's buttons that begin so."""
    return [found for found in re.findall(r'"custom_id": "([^"]+)"', json.dumps(message)) if found.startswith(prefix)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[Member, BotProcess]]:
    directory = tmp_path_factory.mktemp("wire")
    async with shared_bot(directory, EASEL_QUOTAS__QUEUED_PER_USER="0", **PREVIEWS) as (local, bot):
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
    # The last word of the job before may come only now, and it asks for a direct message too.
    closed = faults.add(kind="status", method="POST", path="^/users/@me/channels", times=None, status=403, code=50007)
    await member.ask("no permission", steps=4)
    assert await member.end_of("no permission") == ("failed", "not-permitted", 0)
    assert closed.hits > 0
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


async def test_a_card_that_cannot_be_edited_is_told_of_and_mended_by_a_press(member: Member) -> None:
    local, faults = member.local, member.local.faults
    for route in (TOKEN_ROUTE, BOT_ROUTE):
        faults.add(kind="status", method="PATCH", path=route, times=None, status=400)
    await member.ask("dead card", steps=4)
    assert await member.end_of("dead card") == ("failed", "delivery", 0)
    await local.wait_for_message(
        lambda found: "/queue has them" in found["content"], channel=local.member.user.dm_channel
    )
    faults.clear()
    (card,) = member.messages("dead card")
    assert "Next in line" in json.dumps(card["components"])
    pressed = await local.member.click(card, label="Cancel")
    assert pressed.response is None or pressed.response.id == int(card["id"])
    await local.wait_for_message(lambda found: "/queue has them, and nothing" in found["content"], viewer=local.member)
    (card,) = member.messages("dead card")
    assert "Discord would not take them here" in json.dumps(card["components"])
    assert "easel:cancel:" not in json.dumps(card["components"])


async def test_an_archived_thread_gets_the_pictures_in_a_new_message(member: Member) -> None:
    local, faults = member.local, member.local.faults
    refused = faults.add(kind="status", method="PATCH", times=None, status=400, code=50083)
    await member.ask("archived", steps=4)
    assert await member.end_of("archived") == ("succeeded", None, 1)
    faults.clear()
    assert refused.hits > 0
    new, old = member.messages("archived")
    assert (len(new["attachments"]), len(old["attachments"])) == (1, 0)
    # Its old card leads there, and the new one has buttons that work.
    await local.member.click(old, label="Cancel")
    await local.wait_for_message(lambda found: "shows what came of it" in found["content"], viewer=local.member)
    assert f"/{new['id']})" in json.dumps(member.messages("archived")[1]["components"])
    result = await local.member.click(new, custom_id=custom_ids_of(new, "easel:details:")[0])
    assert result.response is not None


@pytest.mark.parametrize(("status", "code"), [(400, 50083), (403, 50013), (400, 987_654)])
async def test_a_first_answer_that_is_refused_holds_nothing(member: Member, status: int, code: int) -> None:
    used = member.used()
    prompt = f"refused with {code}"
    member.local.faults.add(kind="status", method="POST", path="/callback$", times=None, status=status, code=code)
    async with asyncio.timeout(30):  # the sweep looks after a minute
        await member.ask(prompt, steps=4)
        assert await member.end_of(prompt) == ("failed", "unanswered", 0)
    assert (member.used(), member.messages(prompt)) == (used, [])


async def test_a_first_answer_whose_words_are_blocked_is_given_without_them(member: Member) -> None:
    known = len(member.local.messages())
    member.local.faults.add(kind="status", method="POST", path="/callback$", status=400, code=200_000)
    await member.ask("moderated", steps=4)
    assert await member.end_of("moderated") == ("succeeded", None, 1)
    message, *others = member.local.messages()
    assert len(others) == known
    assert "The prompt is not shown" in json.dumps(message["components"])
    assert member.messages("moderated") == []


async def test_a_block_of_the_address_is_waited_for(member: Member, shared: tuple[Member, BotProcess]) -> None:
    log = shared[1].log
    blocked = member.local.faults.add(kind="address_block", method="PATCH", times=3, retry_after_s=0.5)
    await member.ask("blocked", steps=4)
    assert await member.end_of("blocked") == ("succeeded", None, 1)
    assert blocked.hits == 3
    written = shared[1].log.removeprefix(log)
    assert written.count("Cloudflare blocks this computer's address") == 1
    assert "last word lost" not in written


async def test_what_a_second_easel_answers_is_given_back_and_told(member: Member) -> None:
    local, used = member.local, member.used()
    local.faults.add(kind="status", method="POST", path="/callback$", status=400, code=40060)
    await member.ask("answered elsewhere", steps=4)
    assert await member.end_of("answered elsewhere") == ("failed", "unanswered", 0)
    assert (member.used(), member.messages("answered elsewhere")) == (used, [])
    status = await local.admin.slash(local.channel, "admin status")
    assert status.response is not None
    assert "second Easel runs with the same bot token" in status.response.content
    assert "one request" in status.response.content


async def test_a_token_that_ends_before_its_job_holds_no_picture_back(tmp_path: Path) -> None:
    lifetime_s = 2.0
    async with LocalDiscord(token_lifetime_s=lifetime_s) as local:
        bot = BotProcess(local, tmp_path, EASEL_PIPELINE__PREVIEW_INTERVAL_S="0")
        await bot.start()
        try:
            member = Member(local, tmp_path)
            await local.admin.slash(local.channel, "admin queue", action="pause")
            await member.ask("late", steps=4)
            await asyncio.sleep(lifetime_s)
            await local.admin.slash(local.channel, "admin queue", action="resume")
            assert await member.end_of("late") == ("succeeded", None, 1)
            (message,) = member.messages("late")
            assert len(message["attachments"]) == 1
            refused = [record for record in local.requests if record.status == 401]
            assert refused
        finally:
            await bot.stop()


async def test_a_token_that_is_reset_ends_easel_with_one_sentence_and_keeps_what_waits(
    member: Member, shared: tuple[Member, BotProcess]
) -> None:
    """The last one of these: it ends the bot that they share."""
    _, bot = shared
    await member.ask("kept", steps=4, images=4)
    member.local.faults.add(kind="status", times=None, status=401)
    member.local.faults.close_gateway(4004)
    assert bot.process is not None
    async with asyncio.timeout(60):
        assert await bot.process.wait() == 78
    assert "easel: Discord does not know this bot token any more" in bot.log
    ((status,),) = member.rows("SELECT status FROM jobs WHERE request ->> 'prompt' = 'star kept'")
    assert status in ("queued", "running")
