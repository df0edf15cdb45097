"""The owner gets one message for each lasting trouble; it changes with it, and at its end."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.calls.errors import CallFailed
from bot.process.owner_messages import OwnerMessages
from bot.process.troubles import RecentRestarts
from bot.troubles import Cause, Trouble
from tests.bot.calls.conftest import Wire
from tests.bot.calls.conftest import wire as wire  # noqa: PLC0414 - fixtures, seen by these tests
from tests.bot.store.conftest import database as database  # noqa: PLC0414
from tests.bot.store.conftest import new_job as new_job  # noqa: PLC0414

pytestmark = pytest.mark.timeout(60)
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
DISK = Trouble(cause=Cause.DISK, sentence="The disk takes nothing.")
WORKER = Trouble(cause=Cause.WORKER, sentence="No worker draws.")


class Sent:
    """What the owner can read, by looks at a list of troubles at given seconds after noon."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.troubles: list[Trouble] = []
        self.messages = OwnerMessages(wire.calls.owner, lambda: self.troubles)

    async def after(self, seconds: float, *troubles: Trouble) -> list[str]:
        """The messages after a look, the oldest first."""
        self.troubles = [*troubles]
        await self.messages.look(NOON + timedelta(seconds=seconds))
        about = self._wire.client.application
        assert about is not None
        channel = await self._wire.client.create_dm(about.owner)
        return [message.content async for message in channel.history(oldest_first=True)]


async def test_a_trouble_that_lasts_is_one_message_to_its_end(wire: Wire) -> None:
    sent = Sent(wire)
    assert await sent.after(0, DISK) == []
    assert await sent.after(20, DISK) == []
    (first,) = await sent.after(31, DISK)
    assert first.startswith("⚠️ The disk takes nothing.\nSince <t:1795953600")
    worse = Trouble(cause=Cause.DISK, sentence="The disk takes nothing at all.")
    assert await sent.after(40, worse) == [first]  # not twice in a minute
    (changed,) = await sent.after(95, worse)
    assert "nothing at all" in changed
    (well,) = await sent.after(100)
    assert well.startswith("✅ It is well again since <t:1795953700")
    assert "nothing at all" in well
    assert await sent.after(110) == [well]
    # What returns within the hour continues its message; later it is a new one.
    assert len(await sent.after(200, DISK)) == 1
    (again,) = await sent.after(231, DISK)
    assert again.startswith("⚠️ The disk takes nothing.")
    await sent.after(300)
    await sent.after(4_000, DISK)
    assert len(await sent.after(4_031, DISK)) == 2


async def test_each_cause_has_its_message_and_short_troubles_have_none(wire: Wire) -> None:
    sent = Sent(wire)
    await sent.after(0, WORKER)
    assert await sent.after(20) == []
    await sent.after(25, WORKER, DISK)
    assert len(await sent.after(50, WORKER, DISK)) == 0  # each began anew
    assert len(await sent.after(56, WORKER, DISK)) == 2


async def test_a_message_that_does_not_arrive_is_tried_again(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent(wire)
    await sent.after(0, DISK)

    async def fail(_: str) -> None:
        raise CallFailed("away")

    with monkeypatch.context() as patch:
        patch.setattr(wire.calls.owner, "write", fail)
        assert await sent.after(31, DISK) == []
    assert len(await sent.after(41, DISK)) == 1


async def test_an_owner_may_want_none(wire: Wire) -> None:
    wire.calls.owner.is_notified = False
    sent = Sent(wire)
    await sent.after(0, DISK)
    assert await sent.after(31, DISK) == []


def test_only_restarts_of_the_last_ten_minutes_count() -> None:
    restarts = RecentRestarts()
    restarts.note(5, 0.0)
    assert restarts.count == 0
    restarts.note(8, 599.0)
    assert restarts.count == 3
    restarts.note(8, 601.0)
    assert restarts.count == 0
