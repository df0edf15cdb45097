"""`easel playground`: the local Discord, its page and a bot, started and ended together."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playground.child import Child
from playground.local_discord import LocalDiscord

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

BOT_START_TIMEOUT_S = 120.0
"""Seconds for the bot to start. The first start may load a model and create a database."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

GUIDE_NAME = "Playground guide"
WELCOME = """\
**Welcome to the playground.** This is a Discord of your own: nothing leaves this machine.

Type `/imagine` in the box below, give it a prompt and press Enter. \
The pocket model knows 142 everyday things \
in any color, one to four of them, in ten places. These show what it can do:
- `a red apple`
- `a green cactus in the desert`
- `four red hearts`
- `a penguin in the snow`

It draws no people, no writing and nobody doing anything. \
A negative prompt mostly takes away a color, a place or night, but not the sea, space or a thing. \
A thing alone in its own color (`a dog`) looks the same from every seed; several of them do not. \
`/help` has a page about the words it knows.

At the top you choose whom you act as: Mia and Finn are members, Ada may manage the server.\
"""


async def run_playground(
    *,
    port: int,
    open_browser: bool,
    bot_command: Sequence[str],
    bot_environment: Mapping[str, str],
    announce: Callable[[str], None],
) -> int:
    """Run the playground until somebody stops it; return the exit code.

    The code is 0 after Ctrl-C, SIGTERM, a closed terminal or the page's "End the
    playground". If the bot dies, it is the bot's own code. Raises `PortTaken`.
    """
    async with stop_requested() as stop, LocalDiscord() as local:
        page_url = await local.open_page(port=port)
        announce("Starting the bot …")
        bot = await Child.start(
            bot_command,
            {
                **bot_environment,
                "EASEL_DISCORD__TOKEN": local.token,
                "EASEL_DISCORD__API_BASE_URL": local.api_base_url,
                "EASEL_DISCORD__GATEWAY_URL": local.gateway_url,
            },
        )
        try:
            return await _play(local, bot, stop, page_url, open_browser=open_browser, announce=announce)
        finally:
            await bot.stop()


async def _play(
    local: LocalDiscord,
    bot: Child,
    stop: asyncio.Event,
    page_url: str,
    *,
    open_browser: bool,
    announce: Callable[[str], None],
) -> int:
    ended = asyncio.create_task(_first_end(local, bot, stop))
    try:
        ready = asyncio.create_task(local.wait_for_bot(BOT_START_TIMEOUT_S))
        await asyncio.wait((ready, ended), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            try:
                await ready
            except TimeoutError as error:
                announce(f"The playground stops: {error}. Its messages above may say why.")
                return 1
            await local.post_notice(GUIDE_NAME, WELCOME)
            announce(f"The playground is ready: {page_url}")
            announce("Press Ctrl-C to end it.")
            if open_browser:
                # On some platforms this call waits for the browser's launcher.
                await asyncio.to_thread(webbrowser.open, page_url)
        ready.cancel()
        bot_code = await ended
    finally:
        ended.cancel()
    if bot_code is None:
        return 0
    announce(f"The bot ended by itself (exit code {bot_code}), so the playground stops too.")
    return bot_code or 1


async def _first_end(local: LocalDiscord, bot: Child, stop: asyncio.Event) -> int | None:
    """Wait for the end of the playground. Return the bot's exit code if the bot ended it."""
    bot_ended = asyncio.create_task(bot.wait())
    others = [asyncio.create_task(stop.wait()), asyncio.create_task(local.wait_page_closed())]
    try:
        await asyncio.wait((bot_ended, *others), return_when=asyncio.FIRST_COMPLETED)
        if any(task.done() for task in others):
            return None
        return bot_ended.result()
    finally:
        for task in (bot_ended, *others):
            task.cancel()


@asynccontextmanager
async def stop_requested() -> AsyncGenerator[asyncio.Event]:
    """Set an event on the signals that mean "stop", inside the `with` block."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
