"""A local Discord and a real bot in a process of its own, for each test."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playground import LocalDiscord
from tests.end_to_end.browser import open_browser

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Awaitable, Callable

    from playwright.async_api import Page

    Spawn = Callable[..., Awaitable["Bot"]]
    StartBot = Callable[..., Awaitable["Bot"]]

BOTS = Path(__file__).parent / "bots"


class Bot:
    """A bot's process and what it printed."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._arrived = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self._arrived:
                self.lines.append(line.decode().rstrip())
                self._arrived.notify_all()

    async def printed(self, text: str, timeout_s: float = 60) -> None:
        """Wait until the bot printed a line that contains the text."""
        async with asyncio.timeout(timeout_s), self._arrived:
            await self._arrived.wait_for(lambda: any(text in line for line in self.lines))

    async def end(self) -> None:
        """End the process. SIGTERM, not SIGKILL: the playground has children to take along."""
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()
        # A child that was left behind by mistake would hold the pipe open for ever.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._reader, 2.0)


@pytest.fixture
async def local() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as discord:
        yield discord
        assert discord.gaps == []


@pytest.fixture
async def spawn() -> AsyncIterator[Spawn]:
    """Run a Python program and read what it prints; it is gone after the test."""
    programs: list[Bot] = []

    async def start(*arguments: str, **environment: str) -> Bot:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            # Unbuffered, print writes a line and its end apart, and another process of the same pipe gets between them.
            env={**os.environ, "PYTHONUNBUFFERED": "", **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        programs.append(Bot(process))
        return programs[-1]

    yield start
    for program in programs:
        await program.end()


@pytest.fixture
def start_bot(spawn: Spawn) -> StartBot:
    """Start the painter against a local Discord and wait until it is ready."""

    async def start(discord: LocalDiscord, **environment: str) -> Bot:
        bot = await spawn(
            str(BOTS / "painter.py"),
            EASEL_DISCORD__TOKEN=discord.token,
            EASEL_DISCORD__API_BASE_URL=discord.api_base_url,
            EASEL_DISCORD__GATEWAY_URL=discord.gateway_url,
            **environment,
        )
        await discord.wait_for_bot()
        return bot

    return start


@pytest.fixture
async def bot(local: LocalDiscord, start_bot: StartBot) -> Bot:
    return await start_bot(local)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """An empty page of a browser, which does not wait for long."""
    async with open_browser() as page:
        page.set_default_timeout(10_000)
        yield page
