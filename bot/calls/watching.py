"""Facts from all of Discord's answers, collected below the library, which repeats some calls by itself."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Final

import aiohttp
from discord import http

from bot.calls.address_block import AddressBlock
from bot.calls.invalid_requests import InvalidRequests
from bot.instruments import REQUESTS

_CALLBACK: Final = re.compile(r"/interactions/([0-9]+)/[^/]+/callback$")
_REMEMBERED: Final = 10_000
"""Number of interactions whose first answers are remembered. Far fewer arrive while one is being answered."""
_REFUSED: Final = range(400, 500)
_UNSURE: Final = (408, 429)


class FirstAnswers:
    """Interactions that this process may have answered: it sent an answer that was not refused."""

    def __init__(self) -> None:
        self._sent: OrderedDict[int, int] = OrderedDict()

    def started(self, path: str) -> None:
        """Count a request that is sent."""
        if (interaction_id := _answered(path)) is not None:
            self._sent[interaction_id] = self._sent.pop(interaction_id, 0) + 1
            while len(self._sent) > _REMEMBERED:
                self._sent.popitem(last=False)

    def ended(self, path: str, status: int) -> None:
        """Uncount a refused request. A request without an answer stays counted, since it may have arrived."""
        interaction_id = _answered(path)
        if interaction_id in self._sent and status in _REFUSED and status not in _UNSURE:
            self._sent[interaction_id] -= 1

    def may_have_arrived(self, interaction_id: int) -> bool:
        """Whether Discord may have an answer of this process."""
        return self._sent.get(interaction_id, 0) > 0


class OtherInstance:
    """Signs of a second Easel with the same bot token: it answered an interaction before this one did."""

    def __init__(self) -> None:
        self.seen: tuple[int, datetime] | None = None
        """Number of interactions that it answered, and time of the last one; None if there was none."""

    def note(self) -> int:
        """Count one more; returns the count."""
        count = 1 if self.seen is None else self.seen[0] + 1
        self.seen = (count, datetime.now(UTC))
        return count


class Watch:
    """Facts of one client.

    Attributes:
        invalid: the count of recent invalid requests.
        block: the block of the address.
        first_answers: the interactions that this process may have answered.
        other: signs of a second Easel with the same token.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.invalid = InvalidRequests(clock)
        self.block = AddressBlock(clock)
        self.first_answers = FirstAnswers()
        self.other = OtherInstance()

    def trace(self) -> aiohttp.TraceConfig:
        """The trace configuration of the client's session. It sees each request, repeats by the library too."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._started)
        config.on_request_end.append(self._ended)
        config.on_request_exception.append(_failed)
        return config

    async def _started(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, start: aiohttp.TraceRequestStartParams
    ) -> None:
        del session, context  # the signature is aiohttp's
        self.first_answers.started(start.url.path)

    async def _ended(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        del session, context  # the signature is aiohttp's
        if not str(end.url).startswith(http.Route.BASE):
            return  # files of members come from another host; its refusals do not count at Discord
        status, headers = end.response.status, end.response.headers
        REQUESTS.labels(end.method, status).inc()
        self.invalid.look(status, headers)
        self.block.look(status, headers)
        self.first_answers.ended(end.url.path, status)


async def _failed(
    session: aiohttp.ClientSession, context: SimpleNamespace, failed: aiohttp.TraceRequestExceptionParams
) -> None:
    del session, context  # the signature is aiohttp's
    if str(failed.url).startswith(http.Route.BASE):
        REQUESTS.labels(failed.method, "none").inc()


def _answered(path: str) -> int | None:
    """The interaction that a request answers for the first time; None for any other request."""
    match = _CALLBACK.search(path)
    return None if match is None else int(match[1])
