"""The real bot process and the real worker process, on the local Discord."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Final

import pytest

from pipeline.backends.starter import ForkedChild
from playground import LocalDiscord
from tests.forked_bot import BotForks
from tests.shared_worker import share_worker_state, warm_starter

PREVIEWS: Final = {"EASEL_PIPELINE__PREVIEW_INTERVAL_S": "0.05"}
"""Variables of a bot that shows a preview after nearly every step, which takes a third of a step."""


class BotProcess:
    """`easel run` as its own process: a fork, or a new program if variables are for the start of Python."""

    def __init__(self, local: LocalDiscord, directory: Path, **variables: str) -> None:
        self._local = local
        self._log_path = directory / "bot.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("EASEL_")},
            "EASEL_DISCORD__TOKEN": local.token,
            "EASEL_DISCORD__API_BASE_URL": local.api_base_url,
            "EASEL_DISCORD__GATEWAY_URL": local.gateway_url,
            "EASEL_STORAGE__DIRECTORY": str(directory / "data"),
            "EASEL_PIPELINE__THREADS": "1",
            "EASEL_PIPELINE__STARTER": warm_starter(),
            **variables,
        }
        self.process: asyncio.subprocess.Process | ForkedChild | None = None
        self._is_new_program = "PYTHONPATH" in variables
        self._forks = BotForks()
        share_worker_state(directory / "data")

    @property
    def log(self) -> str:
        """All that the bot and its worker wrote."""
        return self._log_path.read_text(encoding="utf-8")

    async def start(self) -> None:
        """Start and wait until it answers commands."""
        await self.spawn()
        await self._local.wait_for_bot(60)

    async def spawn(self) -> None:
        """Start and do not wait."""
        with self._log_path.open("a") as log:
            if self._is_new_program:
                self.process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "bot", "run", env=self.environment, stdout=log, stderr=log
                )
            else:
                self.process = await self._forks.fork(("run",), self.environment, stdout=log, stderr=log)

    async def wait_for_log(self, words: str, timeout_s: float = 180) -> None:
        """Wait until these words were logged."""
        async with asyncio.timeout(timeout_s):
            while words not in self.log:
                await asyncio.sleep(0.1)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        if self.process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        async with asyncio.timeout(60):
            code = await self.process.wait()
        await self._forks.close()
        return code


@contextlib.asynccontextmanager
async def shared_bot(directory: Path, **variables: str) -> AsyncGenerator[tuple[LocalDiscord, BotProcess]]:
    """A bot that is ready to draw, for several tests: each start loads libraries for a quarter of a minute."""
    async with LocalDiscord() as local:
        bot = BotProcess(local, directory, **variables)
        try:
            await bot.start()
            await bot.wait_for_log("worker ready")
            yield local, bot
        finally:
            await bot.stop()


@pytest.fixture
async def local() -> AsyncGenerator[LocalDiscord]:
    """A fresh local Discord."""
    async with LocalDiscord() as discord:
        yield discord


@pytest.fixture
async def start_bot(local: LocalDiscord, tmp_path: Path) -> AsyncGenerator[Callable[..., BotProcess]]:
    """Make bot processes that end with the test."""
    bots: list[BotProcess] = []

    def make(**variables: str) -> BotProcess:
        bots.append(BotProcess(local, tmp_path, **variables))
        return bots[-1]

    yield make
    for bot in bots:
        await bot.stop(signal.SIGKILL)
        if bot.process is not None:
            sys.stdout.write(bot.log[-6_000:])  # pytest shows it below a failed test, and only there
