"""Calls with a time limit for each try, and repeated tries after a passing failure."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from io import BytesIO
from typing import Final, TypeVar

import discord
import stamina

from bot.calls.address_block import is_block
from bot.calls.errors import AddressBlocked, CallFailed, DiscordUnreachable, Passing, failure_of, is_passing
from bot.calls.watching import Watch

_SLOWEST_BYTES_PER_S: Final = 128 * 1_024
"""Slowest upload that does not time out: one megabit a second, as on an old line."""

_CLOSED: Final = "Session is closed"
"""What aiohttp says of a call after the client's end; it has no exception of its own for that."""

_T = TypeVar("_T")
Files = Sequence[tuple[str, bytes]]
"""Names and bytes."""


class Repeater:
    """Repeats calls, since discord.py 2.7.1 does not do so for these failures on Linux.

    Args:
        watch: the client's watch. Nothing is sent after too many invalid requests, or while the address is blocked.
        timeout_s: seconds for one try. discord.py itself waits as long as a 429 demands, up to an hour.
        pause_s: seconds before the second try. The pause doubles with each try, with random variation.
    """

    def __init__(self, watch: Watch, *, timeout_s: float, pause_s: float) -> None:
        self.timeout_s = timeout_s
        self._watch = watch
        self._pause_s = pause_s

    def time_for(self, files: Files | None) -> float:
        """Seconds for one try of a call that sends these files."""
        return self.timeout_s + sum(len(data) for _, data in files or ()) / _SLOWEST_BYTES_PER_S

    async def __call__(
        self,
        call: Callable[[], Awaitable[_T]],
        *,
        tries: int = 3,
        timeout_s: float | None = None,
        waits_again: bool = True,
    ) -> _T:
        """Call, and repeat the call after a passing failure.

        Args:
            call: makes one try.
            tries: maximum number of tries.
            timeout_s: seconds for one try, instead of the usual ones.
            waits_again: whether a timed-out try is repeated; False if the caller has another way.

        Raises:
            CallFailed: the only exception of a failed call.
        """
        self._refuse_to_send()
        try:
            async for attempt in stamina.retry_context(
                on=is_passing if waits_again else _is_broken,
                attempts=tries,
                timeout=None,
                wait_initial=self._pause_s,
                wait_jitter=self._pause_s,
            ):
                with attempt:
                    async with asyncio.timeout(timeout_s or self.timeout_s):
                        return await call()
        except CallFailed:
            raise
        except (discord.DiscordException, *Passing) as error:
            self._refuse_if_blocked(error)
            raise failure_of(error) from error
        except RuntimeError as error:
            if str(error) != _CLOSED:
                raise
            # Discord ended the connection for good, and the bot is stopping. The next start goes on.
            raise DiscordUnreachable("The connection to Discord has ended.") from error
        except TypeError as error:
            # discord.py 2.7.1 expects JSON in a 429 with a `Via` header. Cloudflare may send a page instead.
            self._refuse_if_blocked(error)
            raise
        raise DiscordUnreachable("It was never tried.")

    def _refuse_to_send(self) -> None:
        """Raise if nothing may be sent for a while.

        Raises:
            DiscordUnreachable: too many requests were invalid lately.
            AddressBlocked: the address is blocked.
        """
        if self._watch.invalid.is_stopped:
            raise DiscordUnreachable("Too many of our requests were invalid of late; nothing is sent for a while.")
        self._refuse_if_blocked(None)

    def _refuse_if_blocked(self, cause: Exception | None) -> None:
        """Raise `AddressBlocked` while the address is blocked, unless the cause is an error of Discord itself."""
        left_s = self._watch.block.left_s
        is_of_another = isinstance(cause, discord.HTTPException) and not is_block(cause.status, cause.response.headers)
        if left_s and not is_of_another:
            raise AddressBlocked(left_s) from cause


def as_files(files: Files) -> list[discord.File]:
    """Create new file objects for each try, since a send reads them to the end."""
    return [discord.File(BytesIO(data), filename=name) for name, data in files]


def _is_broken(error: Exception) -> bool:
    """Whether the failure is passing and no time-out."""
    return is_passing(error) and not isinstance(error, TimeoutError)
