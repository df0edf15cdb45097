"""`run_playground` starts everything, says what happens and leaves nothing behind."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import psutil
import pytest

from playground import PortTaken
from playground.child import GRACE_S
from playground.launcher import run_playground

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.playground.conftest import Bot, Spawn

    Play = Callable[..., Awaitable[Bot]]

BOTS = Path(__file__).parent / "bots"
ROOT = BOTS.parents[2]


@pytest.fixture
def play(spawn: Spawn) -> Play:
    """Run the playground as a program of its own with the given bot command."""

    async def start(*bot_command: str) -> Bot:
        return await spawn(str(BOTS / "play.py"), "0", *bot_command, PYTHONPATH=str(ROOT))

    return start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signal_ends_everything_cleanly(play: Play, number: signal.Signals) -> None:
    program = await play(str(BOTS / "family.py"))
    await program.printed("announced: The playground is ready: http://127.0.0.1:")
    children = [int(pid) for pid in re.findall(r"child (\d+)", "\n".join(program.lines))]
    assert len(children) == 2
    assert all(psutil.pid_exists(pid) for pid in children)
    program.process.send_signal(number)
    # A bot that had to be killed would take longer.
    async with asyncio.timeout(GRACE_S):
        assert await program.process.wait() == 0
    await program.printed("returned 0")
    assert not any("Traceback" in line for line in program.lines)
    assert [pid for pid in children if _is_running(pid)] == []


async def test_signal_while_the_bot_starts(play: Play) -> None:
    program = await play("-c", "import time; time.sleep(600)")
    await program.printed("announced: Starting the bot")
    program.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(GRACE_S):
        assert await program.process.wait() == 0


@pytest.mark.parametrize(
    ("bot", "code"),
    [("import sys; sys.exit(78)", 78), ("pass", 1), ("import os; os.kill(os.getpid(), 9)", 137)],
    ids=["refuses", "just ends", "killed"],
)
async def test_dead_bot_is_told_in_one_sentence(play: Play, bot: str, code: int) -> None:
    program = await play("-c", bot)
    async with asyncio.timeout(60):
        assert await program.process.wait() == code
    shown = 0 if bot == "pass" else code
    await program.printed(f"announced: The bot ended by itself (exit code {shown}), so the playground stops too.")
    assert not any("Traceback" in line for line in program.lines)


async def test_children_of_a_dead_bot_are_ended_too(play: Play) -> None:
    sleeper = "[sys.executable, '-c', 'import time; time.sleep(600)']"
    start = f"import subprocess, sys; print('child', subprocess.Popen({sleeper}).pid, flush=True)"
    program = await play("-c", f"{start}; sys.exit(3)")
    async with asyncio.timeout(60):
        assert await program.process.wait() == 3
    child = int(re.findall(r"child (\d+)", "\n".join(program.lines))[0])
    assert not _is_running(child)


async def test_page_and_welcome_are_there(play: Play) -> None:
    program = await play(str(BOTS / "painter.py"))
    await program.printed("announced: The playground is ready")
    line = next(line for line in program.lines if "is ready" in line)
    address, capability = line.split(": ")[-1].split("#")
    async with aiohttp.ClientSession(headers={"X-Simcord-Capability": capability}) as session:
        async with session.get(address) as response:
            assert "<title>Easel playground</title>" in await response.text()
        async with session.post(f"{address}api/pages", json={}) as response:
            snapshot = await response.json()
    assert "a green cactus in the desert" in str(snapshot["messages"])
    assert [viewer["name"] for viewer in snapshot["viewers"]] == [
        "Mia (member)",
        "Finn (friend)",
        "Ada (admin)",
    ]


async def test_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        with pytest.raises(PortTaken, match=f"Port {port} is in use"):
            await run_playground(
                port=port, open_browser=False, bot_command=[], bot_environment={}, announce=lambda _: None
            )


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
