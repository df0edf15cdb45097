"""Health is true: who is frozen, dead, away or not there is not well."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import create_autospec

import msgspec
import pytest
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.shard import Shard

from bot.client import EaselClient, ShardedClient, make_client
from bot.jobs import dispatcher
from bot.process import health
from bot.process.health import Health, complaints, read_health, write_health
from bot.process.pulse import Pulse
from bot.store.rows.jobs import Job, JobStatus
from bot.store.sqlite.timelines import read_mark
from bot.troubles import Cause, Trouble
from pipeline.backends.base import WorkerState
from tests.bot.jobs.conftest import House
from tests.bot.jobs.conftest import open_house as open_house  # noqa: PLC0414 - fixtures, seen by these tests
from tests.bot.jobs.conftest import world as world  # noqa: PLC0414
from tests.bot.store.conftest import new_job as new_job  # noqa: PLC0414

pytestmark = pytest.mark.timeout(60)
WELL = Health(at=1_000_000.0, version="1", away_since=None, worker=WorkerState.READY, detail="", is_dispatching=True)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.time, "time", lambda: WELL.at + 20)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, None),
        ({"worker": WorkerState.STARTING}, None),
        ({"away_since": WELL.at - 60}, None),
        ({"away_since": WELL.at - 130}, "no connection to Discord since 1970-01-12 13:44:30 UTC"),
        ({"worker": WorkerState.RESTARTING, "detail": "The worker fell."}, "No worker draws (restarting): The worker"),
        ({"worker": WorkerState.UNUSABLE, "detail": "No GPU."}, "No worker draws (unusable): No GPU."),
        ({"is_dispatching": False}, "restart Easel"),
        ({"troubles": (Trouble(cause=Cause.DISK, sentence="The disk is full."),)}, "The disk is full."),
        ({"warnings": (Trouble(cause=Cause.BACKUP, sentence="No backup."),)}, None),
        ({"at": WELL.at - 30}, "it hangs, was killed, or its disk takes nothing"),
    ],
)
@pytest.mark.usefixtures("now")
def test_what_is_not_well_is_named(tmp_path: Path, changed: dict[str, object], sentence: str | None) -> None:
    write_health(tmp_path, msgspec.structs.replace(WELL, **changed))
    found = complaints(tmp_path)
    if sentence is None:
        assert found == []
    else:
        assert len(found) == 1
        assert sentence in found[0]


def test_who_is_not_there_is_not_well(tmp_path: Path) -> None:
    assert complaints(tmp_path) == [f"No Easel runs on {tmp_path} (storage.directory)."]
    (tmp_path / health.FILE).write_text("torn")
    assert "not said a word" in complaints(tmp_path)[0]


@pytest.mark.system
async def test_the_pulse_says_how_it_goes_and_takes_it_back_at_the_end(
    open_house: Callable[..., Awaitable[House]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house(storage={"directory": tmp_path})
    monkeypatch.setattr("bot.process.pulse.BEAT_S", 0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        client = EaselClient()
        client.away_since = None
        house.work()
        pulse = Pulse(client, house.services)
        beating = asyncio.create_task(pulse.run())
        job = await house.ask()
        while (mark := read_mark(tmp_path / "easel.db")) is None or mark.jobs < job.job_id:
            await asyncio.sleep(0.01)
        assert complaints(tmp_path) == []
        said = read_health(tmp_path)
        assert said is not None
        assert said.worker is WorkerState.READY
        assert manager.recv(100) == b"READY=1"
        assert manager.recv(100) == b"WATCHDOG=1\nSTATUS=Worker ready."
        # A sweeper or dispatcher that hangs on anything takes no more turns.
        monkeypatch.setattr(dispatcher, "_STUCK_S", -1.0)
        while not complaints(tmp_path):
            await asyncio.sleep(0.01)
        assert [trouble.cause for trouble in pulse.troubles] == ["dispatcher"]
        client.away_since = 0.0
        assert pulse.troubles == []  # nobody could be told
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
    assert "No Easel runs" in complaints(tmp_path)[0]


@pytest.mark.system
async def test_a_discord_that_is_slow_to_answer_keeps_no_sweeper_waiting(
    open_house: Callable[..., Awaitable[House]], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house()
    monkeypatch.setattr(dispatcher, "SWEEP_INTERVAL_S", 0.01)
    rooms = house.services.dispatcher
    is_asking = asyncio.Event()

    async def hang(_: Job) -> None:
        is_asking.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(rooms._recovery, "find_message", hang)
    job = await house.ask(age=timedelta(minutes=2))
    await house.database.change("UPDATE jobs SET message_id = NULL WHERE job_id = ?", (job.job_id,))
    house.work()
    await asyncio.wait_for(is_asking.wait(), 10)
    for _ in range(3):
        swept_at = rooms._swept_at
        async with asyncio.timeout(10):
            while rooms._swept_at == swept_at:
                await asyncio.sleep(0.01)


@pytest.mark.system
@pytest.mark.parametrize("part", ["_waiting_line.refresh", "_queue.claim_next"])
async def test_a_sweeper_or_dispatcher_that_hangs_is_seen(
    open_house: Callable[..., Awaitable[House]], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    house = await open_house()
    assert house.services.dispatcher.is_alive  # nobody expects it before it runs
    monkeypatch.setattr(dispatcher, "SWEEP_INTERVAL_S", 0.01)
    monkeypatch.setattr(dispatcher, "_STUCK_S", 0.3)

    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    # What runs already does not hide it.
    running = await house.ask("wait")
    house.work()
    await house.until(running, JobStatus.RUNNING)
    room, _, work = part.partition(".")
    monkeypatch.setattr(getattr(house.services.dispatcher, room), work, hang)
    assert house.services.dispatcher.is_alive
    async with asyncio.timeout(10):
        while house.services.dispatcher.is_alive:
            await asyncio.sleep(0.01)


def test_each_fault_is_seen_in_time() -> None:
    assert health.STALE_S <= 45
    assert dispatcher._STUCK_S + health.BEAT_S <= 45
    assert health._MOST_AWAY_S + health.BEAT_S <= 120


@pytest.mark.parametrize("shards", [1, 2])
async def test_a_dead_network_counts_from_the_last_word_of_discord(shards: int) -> None:
    client = make_client(shards)
    client.away_since = None
    socket = create_autospec(DiscordWebSocket, instance=True, thread_id=0, _max_heartbeat_timeout=60)
    socket._keep_alive = KeepAliveHandler(ws=socket, interval=41)
    socket._keep_alive._last_recv -= 80
    if isinstance(client, ShardedClient):
        shard = create_autospec(Shard, instance=True, ws=socket)
        client._AutoShardedClient__shards[1] = shard  # type: ignore[attr-defined]
        await client.on_shard_disconnect(1)
    else:
        client.ws = socket
        await client.on_disconnect()
    assert client.away_since == pytest.approx(time.time() - 80, abs=5)
