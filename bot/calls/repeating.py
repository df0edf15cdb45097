"""Calls, and calls again what may be repeated, each try within its time."""

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
"""Of an upload, at which it is still waited for: a megabit a second, as behind an old line."""

_T = TypeVar("_T")
Files = Sequence[tuple[str, bytes]]
"""Names and bytes."""


class Repeater:
    """What discord.py 2.7.1 does not do by itself on Linux.

    Args:
        watch: of the client; after too many invalid requests, and while its address is blocked, nothing is sent.
        timeout_s: of one try; discord.py itself waits as long as a 429 tells it to, an hour if need be.
        pause_s: before the second try; it doubles, and varies.
    """

    def __init__(self, watch: Watch, *, timeout_s: float, pause_s: float) -> None:
        self.timeout_s = timeout_s
        self._watch = watch
        self._pause_s = pause_s

    def time_for(self, files: Files | None) -> float:
        """Seconds for one try of a call that sends these."""
        return self.timeout_s + sum(len(data) for _, data in files or ()) / _SLOWEST_BYTES_PER_S

    async def __call__(
        self,
        call: Callable[[], Awaitable[_T]],
        *,
        tries: int = 3,
        timeout_s: float | None = None,
        waits_again: bool = True,
    ) -> _T:
        """Call, and call again for what passes.

        Args:
            call: makes one try.
            tries: at most.
            timeout_s: of one try, where it is not the usual.
            waits_again: whether a try that took too long is repeated; no, where there is another way.

        Raises:
            CallFailed: and no other exception.
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
        except TypeError as error:
            # discord.py 2.7.1 looks for JSON in a 429 of Cloudflare's that has a `Via` header and a page.
            self._refuse_if_blocked(error)
            raise
        raise DiscordUnreachable("It was never tried.")

    def _refuse_to_send(self) -> None:
        """Say so where nothing is sent for a while."""
        if self._watch.invalid.is_stopped:
            raise DiscordUnreachable("Too many of our requests were invalid of late; nothing is sent for a while.")
        self._refuse_if_blocked(None)

    def _refuse_if_blocked(self, cause: Exception | None) -> None:
        """Say so while the address is blocked, unless an error came from elsewhere than the block's answer."""
        left_s = self._watch.block.left_s
        is_of_another = isinstance(cause, discord.HTTPException) and not is_block(cause.status, cause.response.headers)
        if left_s and not is_of_another:
            raise AddressBlocked(left_s) from cause


def as_files(files: Files) -> list[discord.File]:
    """Fresh objects for every try, since sending one reads it to its end."""
    return [discord.File(BytesIO(data), filename=name) for name, data in files]


def _is_broken(error: Exception) -> bool:
    """Whether it passes and did not take long."""
    return is_passing(error) and not isinstance(error, TimeoutError)
