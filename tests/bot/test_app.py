"""The composition root from start to end: the tiny Discord is away at first, and the engine draws at once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from unittest.mock import Mock

import pytest
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import SecretStr
from typing_extensions import override

from bot import app, configure
from bot.client import EaselClient
from bot.process import connecting
from bot.process.health import FILE, read_health
from bot.store.sqlite.timelines import Numbers, read_mark
from config.areas.discord import DiscordSettings
from config.catalogue import Catalogue
from config.loading import ConfigError
from config.settings import SafetySettings, Settings, StorageSettings
from pipeline.backends.base import WorkerState
from tests.kill_points.engine import DrawsAtOnce
from tests.kill_points.tiny_discord import TinyDiscord

pytestmark = pytest.mark.timeout(60)


class Connected(EaselClient):
    """The real client, whose gateway is quiet."""

    @override
    async def connect(self, *, reconnect: bool = True) -> None:
        await self.on_ready()
        await asyncio.Event().wait()


class Door:
    """Discord answers every request with this status, until it is 0."""

    def __init__(self) -> None:
        self.status = 503
        self.tried = 0


@pytest.fixture
async def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[tuple[Door, Settings]]:
    monkeypatch.setattr(app, "make_client", lambda _: Connected())
    monkeypatch.setattr(configure, "ProcessBackend", DrawsAtOnce)
    monkeypatch.setattr(connecting, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(connecting, "LONGEST_PAUSE_S", 0.01)
    (tmp_path / "world").mkdir()
    door = Door()
    application = TinyDiscord(tmp_path).application()

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        door.tried += 1
        return web.Response(status=door.status, text="away") if door.status else await handler(request)

    application.middlewares.append(look)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/world"
    yield (
        door,
        Settings(
            discord=DiscordSettings(token=SecretStr("a-token"), api_base_url=base),
            storage=StorageSettings(directory=tmp_path / "data"),
        ),
    )
    await runner.cleanup()


def nothing_to_check() -> None:
    raise AssertionError("The files were read again.")


async def test_it_waits_for_discord_with_its_worker_warm_and_drains_when_the_terminal_goes(
    away: tuple[Door, Settings], catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, settings = away
    monkeypatch.setattr("sys.stdin", Mock(spec=sys.stdin, isatty=lambda: True))
    # Whoever runs the tests under nohup lets them ignore it, and a bot that is told so goes on.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    running = asyncio.create_task(app.run_bot(settings, catalogue, nothing_to_check))
    while door.tried < 3 or (health := read_health(tmp_path / "data")) is None:
        await asyncio.sleep(0.01)
    assert (health.worker, health.away_since is None) == (WorkerState.READY, False)
    door.status = 0
    while not (tmp_path / "data" / "commands.sha256").exists():
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGHUP)
    assert await running is False
    assert not (tmp_path / "data" / FILE).exists()
    assert read_mark(tmp_path / "data" / "easel.db") == Numbers()


async def test_without_a_terminal_a_hangup_reads_the_files_again(
    away: tuple[Door, Settings], catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, settings = away
    door.status = 0
    words = tmp_path / "words.txt"
    words.write_text("s*r")  # an asterisk stands at the end alone
    settings = settings.model_copy(update={"safety": SafetySettings(words=words)})
    monkeypatch.setattr("sys.stdin", None)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with structlog.testing.capture_logs() as logs:
        started = settings.model_copy(update={"safety": SafetySettings()})
        running = asyncio.create_task(app.run_bot(started, catalogue, lambda: app.check_files(settings)))
        while not (tmp_path / "data" / FILE).exists():
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGHUP)
        while not any(log.get("action") == "not_reloaded" for log in logs):
            await asyncio.sleep(0.01)
    assert "Nothing was reloaded: " in next(log["event"] for log in logs if log.get("action") == "not_reloaded")
    assert not running.done()
    words.write_text("star")
    os.kill(os.getpid(), signal.SIGHUP)
    assert await running is True


async def test_only_a_wrong_token_ends_it(away: tuple[Door, Settings], catalogue: Catalogue, tmp_path: Path) -> None:
    door, settings = away
    door.status = 401
    with pytest.raises(ConfigError, match="does not know this bot token"):
        await app.run_bot(settings, catalogue, nothing_to_check)
    assert not (tmp_path / "data" / FILE).exists()
