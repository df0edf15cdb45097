"""Login to Discord, repeated until it succeeds. Only an unknown token ends it."""

import asyncio
import ssl
from typing import Final, Literal

import aiohttp
import discord
import discord.backoff
import discord.client
import discord.shard
import structlog
from typing_extensions import override

from bot.calls.address_block import LONGEST_WAIT_S, wait_of
from bot.calls.errors import Passing
from config.loading import ConfigError

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 60.0
_TRY_S: Final = 120.0
"""Seconds for one try, with the registration of commands."""
_TOO_MANY_REQUESTS: Final = 429

_log = structlog.get_logger(__name__)


async def log_in(client: discord.Client, token: str) -> None:
    """Log in. While Discord cannot be reached, try again for ever.

    Raises:
        ConfigError: Discord does not know the token.
    """
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            async with asyncio.timeout(_TRY_S):
                await client.login(token)
        except discord.LoginFailure as error:
            raise ConfigError(
                "Discord does not know this bot token (discord.token); copy it again from the developer portal."
            ) from error
            # The last three: another server answers instead of Discord, such as a hotel's login page.
        except (discord.DiscordException, *Passing, OSError, KeyError, TypeError, ValueError) as error:
            wait_s = max(pause_s, _wanted_pause_s(error))
            _log.warning(f"{cause_of(error)} Tried again in {wait_s:.0f} s.", action="away", error=repr(error))
        else:
            return
        await _forget_connections(client)
        await asyncio.sleep(wait_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def cause_of(error: BaseException) -> str:
    """The reason why Discord cannot be reached, as one sentence for the owner."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            cause = f"The name {error.host} is not found (DNS): is the network there?"
        case aiohttp.ClientSSLError() | ssl.SSLError():
            cause = f"The connection to Discord is not secure ({error}): is this computer's clock right?"
        case aiohttp.ClientHttpProxyError() | aiohttp.ClientProxyConnectionError():
            cause = f"The proxy does not let us through ({error})."
        case aiohttp.ClientConnectorError():
            cause = f"Nobody answers at {error.host} ({error.os_error.strerror or error.os_error})."
        case discord.RateLimited() | discord.HTTPException(status=429):
            cause = "Discord asks us to wait (429)."
        case discord.HTTPException():
            cause = f"Discord answers {error.status}{f' ({error.text[:80]})' if error.code else ''}."
        case TimeoutError():
            cause = "Discord does not answer in time."
        case aiohttp.ClientError() | OSError() | discord.DiscordException():
            cause = f"The connection to Discord breaks ({error!r})."
        case _:
            cause = f"Something else answers in Discord's place ({type(error).__name__}): is there a login page?"
    return cause


class _Backoff(discord.backoff.ExponentialBackoff[Literal[False]]):
    """The pauses of discord.py between two connections, with a maximum. Else they grow to a quarter of an hour."""

    @override
    def delay(self) -> float:
        return min(super().delay(), LONGEST_PAUSE_S)


def bound_reconnects() -> None:
    """Make discord.py retry a lost connection at least once a minute."""
    # There is no other way: clients and shards create their own backoff.
    discord.client.ExponentialBackoff = _Backoff  # pyright: ignore[reportPrivateImportUsage]
    discord.shard.ExponentialBackoff = _Backoff  # pyright: ignore[reportPrivateImportUsage]


def _wanted_pause_s(error: Exception) -> float:
    """Seconds that Discord or Cloudflare asks us to wait; at most an hour."""
    if isinstance(error, discord.RateLimited):
        return min(error.retry_after, LONGEST_WAIT_S)
    if isinstance(error, discord.HTTPException) and error.status == _TOO_MANY_REQUESTS:
        return wait_of(error.response.headers)
    return 0.0


async def _forget_connections(client: discord.Client) -> None:
    """Close the connections. discord.py 2.7.1 would use the closed ones again, so the next try must create its own."""
    await client.http.close()
    client.http.connector = discord.utils.MISSING
