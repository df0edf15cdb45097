"""SIGHUP: a bot without a terminal starts anew in its own process, with its files as they are now."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_admins import said

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


async def test_a_reload_takes_the_new_rules_and_keeps_the_process(
    local: LocalDiscord, start_bot: Callable[..., BotProcess], tmp_path: Path
) -> None:
    # Whoever runs the tests under nohup lets them ignore it, and the bot with them.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    words = tmp_path / "words.txt"
    words.write_text("cat")
    bot = start_bot(PYTHONPATH=str(tmp_path), EASEL_SAFETY__WORDS=str(words))
    await bot.start()
    await bot.wait_for_log("connected to Discord")
    assert bot.process is not None
    words.write_text("star")
    bot.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(120):
        while bot.log.count("connected to Discord") < 2:
            await asyncio.sleep(0.1)
    answer = await said(local.member, local.channel, "imagine", prompt="a star")
    assert "“star”" in answer
    assert bot.process.returncode is None
    assert await bot.stop() == 0
    assert "Traceback" not in bot.log
