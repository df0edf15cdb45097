"""Questions to a worker beside its attempts, and their answers."""

import asyncio
from itertools import count
from typing import Final

from pipeline.backends.base import WorkerUnavailable
from pipeline.backends.connection import Connection
from pipeline.protocol.wire.messages import FindPart, FoundPart

_ANSWER_S: Final = 60.0
"""Seconds that an answer may take. The first one waits until the weights are read."""


class Questions:
    """Questions that wait for their answers."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[FoundPart]] = {}
        self._numbers = count(1)

    async def ask(self, connection: Connection, picture: bytes, words: str) -> FoundPart:
        """Ask which part of a picture words name.

        Raises:
            WorkerUnavailable: the worker was lost, or did not answer in time.
        """
        question = next(self._numbers)
        answer = self._waiting[question] = asyncio.get_running_loop().create_future()
        connection.send(FindPart(question=question, picture=picture, words=words))
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await answer
        except TimeoutError as error:
            raise WorkerUnavailable("The worker did not say which part it is.") from error
        finally:
            del self._waiting[question]

    def answer(self, found: FoundPart) -> None:
        """Give an answer to the one who asked, unless they waited too long."""
        answer = self._waiting.get(found.question)
        if answer is not None and not answer.done():
            answer.set_result(found)

    def fail(self, detail: str) -> None:
        """Tell all who wait that no answer will come."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(WorkerUnavailable(detail))
