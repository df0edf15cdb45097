"""Whether Discord can be reached, whether it knows the token, and whether the clock is right."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from bot.calls.address_block import is_block, wait_of
from bot.cli.doctor.finding import Finding
from config.reading import NotReadable
from config.settings import Settings

_MAX_CLOCK_ERROR_S: Final = 5.0


_CALL_TIMEOUT_S: Final = 15.0


_UNAUTHORIZED: Final = 401


async def discord_findings(settings: Settings) -> AsyncIterator[Finding]:
    """Findings about token and clock. Each server gives its own permissions, so commands check these."""
    try:
        token = settings.discord.read_token()
    except NotReadable as error:
        yield Finding(subject="token", is_fine=False, sentence=str(error))
        return
    if token is None:
        sentence = "none set; `easel run` needs EASEL_DISCORD__TOKEN or EASEL_DISCORD__TOKEN_FILE"
        yield Finding(subject="token", is_fine=None, sentence=sentence)
        return
    url = f"{settings.discord.api_base_url}/users/@me"
    try:
        async with (
            asyncio.timeout(_CALL_TIMEOUT_S),
            aiohttp.ClientSession(headers={"Authorization": f"Bot {token}"}) as session,
            session.get(url) as response,
        ):
            async for finding in _answer_about_token(response):
                yield finding
            date = response.headers.get("Date")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        sentence = f"Discord cannot be reached ({type(error).__name__}); check the network and discord.api_base_url"
        yield Finding(subject="network", is_fine=False, sentence=sentence)
        return
    yield _clock(date)


async def _answer_about_token(response: aiohttp.ClientResponse) -> AsyncIterator[Finding]:
    """Findings in Discord's answer about the bot of the token."""
    if is_block(response.status, response.headers):
        minutes = max(1, round(wait_of(response.headers) / 60))
        sentence = (
            f"Cloudflare, which stands before Discord, blocks this computer's address for {minutes} min more: "
            "too many requests came from it; wait, then use another address or run fewer bots behind this one"
        )
        yield Finding(subject="network", is_fine=False, sentence=sentence)
    elif response.status == _UNAUTHORIZED:
        sentence = "Discord does not know it; copy it again from the developer portal"
        yield Finding(subject="token", is_fine=False, sentence=sentence)
    elif response.ok:
        name = (await response.json()).get("username", "?")
        yield Finding(subject="token", is_fine=True, sentence=f"Discord knows it as {name}")
        yield Finding(subject="intents", is_fine=True, sentence="no privileged ones are needed")
    else:
        sentence = f"Discord answered {response.status}; try again later"
        yield Finding(subject="token", is_fine=None, sentence=sentence)


def _clock(date: str | None) -> Finding:
    if date is None:
        return Finding(subject="clock", is_fine=None, sentence="could not be compared")
    off_s = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    sentence = f"within {off_s:.0f} s of Discord's"
    if off_s > _MAX_CLOCK_ERROR_S:
        sentence = f"{off_s:.0f} s away from Discord's; switch time synchronization on"
    return Finding(subject="clock", is_fine=off_s <= _MAX_CLOCK_ERROR_S, sentence=sentence)
