"""Ends of attempts, which an agent keeps until the bot has kept them."""

import asyncio
from typing import Final

import msgspec
import structlog

from pipeline.link.link import Link, NoAnswer
from pipeline.link.parcels import ParcelRefused, put
from pipeline.link.subjects import from_host
from pipeline.protocol.errors import ProtocolError
from pipeline.protocol.wire.codec import encode_body
from pipeline.protocol.wire.hosts import Done, Kept, Key, Missing, decode_bot_answer
from pipeline.protocol.wire.messages import Failed, Finished

_ANSWER_S: Final = 3.0
"""Seconds after which the bot is told again. It answers when files and rows are kept."""
_AGAIN_S: Final = 1.0

_log = structlog.get_logger(__name__)


class Ends:
    """Ends that the bot has not kept yet, by attempt. There are never more than twice the worker's attempts at once.

    Args:
        link: the link to the bot.
        host: name of this host.
        boot: name of this run of the agent.
    """

    def __init__(self, link: Link, host: str, boot: str) -> None:
        self._link = link
        self._host = host
        self._boot = boot
        self._telling: dict[Key, asyncio.Task[None]] = {}

    @property
    def keys(self) -> tuple[Key, ...]:
        """Attempts whose ends are kept here."""
        return tuple(sorted(self._telling))

    def add(self, end: Finished | Failed) -> None:
        """Keep an end and tell the bot of it until it answers."""
        key = (end.job_id, end.attempt)
        task = asyncio.create_task(self._tell(end), name=f"tell the end of job {end.job_id}")
        self._telling[key] = task
        task.add_done_callback(lambda _: self._telling.pop(key, None))

    def forget(self, key: Key) -> None:
        """Forget an end that the bot does not want."""
        task = self._telling.pop(key, None)
        if task is not None:
            task.cancel()

    async def wait(self) -> None:
        """Wait until the bot has kept all of them."""
        while self._telling:
            await asyncio.wait(self._telling.values())

    async def close(self) -> None:
        """Forget all."""
        tasks = [*self._telling.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, end: Finished | Failed) -> None:
        done = Done(job_id=end.job_id, attempt=end.attempt, boot=self._boot)
        if isinstance(end, Failed):
            done = msgspec.structs.replace(done, reason=end.reason, detail=end.detail)
            body = b""
        else:
            # A name of this boot, so that no earlier run's parcel is taken for it.
            done = msgspec.structs.replace(done, parcel=f"{end.job_id}-{end.attempt}-{self._boot}")
            body = encode_body(end)
        is_put = not body
        while True:
            try:
                if not is_put:
                    await put(self._link.streams, self._host, done.parcel, body)
                    is_put = True
                answer = decode_bot_answer(await self._link.ask(from_host(self._host), done, _ANSWER_S))
            except (NoAnswer, ParcelRefused, ProtocolError) as error:
                _log.debug("an end was not kept yet", action="end_waits", job_id=end.job_id, detail=str(error))
                await asyncio.sleep(_AGAIN_S)
                continue
            if isinstance(answer, Kept):
                return
            is_put = is_put and not isinstance(answer, Missing)
            await asyncio.sleep(_AGAIN_S)
