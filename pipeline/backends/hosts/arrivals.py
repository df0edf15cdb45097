"""Ends of a host's attempts on their way to the disk.

An end *comes* while it is fetched. Then it is *handed* on, until whoever keeps it has kept it. Only then does the host
forget it, so that a bot which dies in between finds it again.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from pipeline.backends.attempts import Attempts
from pipeline.backends.hosts.ends import EndRefused, checked_end
from pipeline.link.link import Link, NoAnswer
from pipeline.link.parcels import ParcelLost, discard, fetch
from pipeline.protocol.errors import FailureReason, ProtocolError
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.hosts import BotAnswer, Done, Kept, Key, Missing
from pipeline.protocol.wire.messages import Failed, Finished

_log: Final = structlog.get_logger(__name__)


class Arrivals:
    """Ends of one host.

    Args:
        link: the link to it.
        host: its name.
        attempts: its attempts.
        fetching: how many ends are fetched at once, from all hosts together.
        is_here: whether the host holds its lease.
    """

    def __init__(
        self, link: Link, host: str, attempts: Attempts, fetching: asyncio.Semaphore, is_here: Callable[[], bool]
    ) -> None:
        self._link = link
        self._host = host
        self._attempts = attempts
        self._fetching = fetching
        self._is_here = is_here
        self._handed: dict[Key, Done] = {}
        self._replies: dict[Key, str] = {}
        self.requests: dict[Key, Request] = {}
        """What was asked for, by attempt."""
        self.coming: set[Key] = set()
        """Attempts whose ends are being fetched."""

    def __contains__(self, key: Key) -> bool:
        """Whether the end of an attempt was handed on and is not kept yet."""
        return key in self._handed

    async def hear(self, done: Done, reply: str) -> None:
        """Fetch the end of an attempt and hand it on. The answer comes with `settle`, or at once if nobody wants it."""
        key = (done.job_id, done.attempt)
        self._replies[key] = reply
        if key in self._handed or key in self.coming:
            return
        if key not in self._attempts:
            await self._answer(key, Kept())
            return
        self.coming.add(key)
        try:
            end = await self._end_of(done)
        except ParcelLost:
            await self._answer(key, Missing())
            if not self._is_here():
                detail = f"The host {self._host} was lost, and what it drew."
                self._attempts.hand_on(
                    Failed(job_id=key[0], attempt=key[1], reason=FailureReason.HOST_LOST, detail=detail)
                )
            return
        finally:
            self.coming.discard(key)
        self._handed[key] = done
        self.requests.pop(key, None)
        self._attempts.hand_on(end)

    async def settle(self, key: Key) -> None:
        """Tell the host that the end of an attempt was kept, so that it forgets it."""
        done = self._handed.pop(key, None)
        if done is None:
            return
        await self._answer(key, Kept())
        try:
            if done.parcel:
                await discard(self._link.streams, self._host, done.parcel)
        except NoAnswer:
            return  # the object store forgets it by itself

    async def _answer(self, key: Key, answer: BotAnswer) -> None:
        reply = self._replies.pop(key, "")
        if reply:
            await self._link.say(reply, answer)

    async def _end_of(self, done: Done) -> Finished | Failed:
        """What the host says about the end of an attempt.

        Raises:
            ParcelLost: the parcel is not there.
        """
        if done.reason is not None:
            return Failed(job_id=done.job_id, attempt=done.attempt, reason=done.reason, detail=done.detail)
        async with self._fetching:
            try:
                body = await fetch(self._link.streams, self._host, done.parcel)
            except NoAnswer as error:
                raise ParcelLost(str(error)) from error
        try:
            return checked_end(body, done, self.requests.get((done.job_id, done.attempt)))
        except (EndRefused, ProtocolError) as error:
            _log.warning("end refused", action="end_refused", host=self._host, job_id=done.job_id, detail=str(error))
            detail = f"{self._host}: {error}"
            return Failed(job_id=done.job_id, attempt=done.attempt, reason=FailureReason.INTERNAL, detail=detail)
