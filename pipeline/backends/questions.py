"""Questions to a worker beside its attempts, and their answers."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final, TypeVar

import msgspec

from pipeline.backends.base import WorkerUnavailable
from pipeline.backends.connection import Connection
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.messages import Check, Checked, FindPart, FoundPart
from pipeline.protocol.wire.settings import Checking

_FIND_S: Final = 60.0
"""Seconds that finding a part may take. The first one waits until the weights are read."""
_CHECK_S: Final = 2.0
"""Seconds that the ratings of pictures may take, since the member's command waits for them."""
_FINISH_S: Final = 60.0
"""Seconds that making the files of a job may take, behind those of others."""

Answer = FoundPart | Checked | FinishedPictures
A = TypeVar("A", bound=Answer)


class Questions:
    """Questions that wait for their answers."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[type[Answer], int], asyncio.Future[Any]] = {}
        self._numbers = count(1)

    async def find_part(self, connection: Connection, picture: bytes, words: str) -> FoundPart:
        """Ask which part of a picture words name.

        Raises:
            WorkerUnavailable: the worker was lost, or did not answer in time.
        """
        return await self._ask(
            connection, lambda question: FindPart(question=question, picture=picture, words=words), FoundPart, _FIND_S
        )

    async def check(self, connection: Connection, pictures: Sequence[bytes], checking: Checking) -> Checked:
        """Ask for the ratings of pictures.

        Raises:
            WorkerUnavailable: the worker was lost, or did not answer in time.
        """
        return await self._ask(
            connection,
            lambda question: Check(question=question, pictures=tuple(pictures), checking=checking),
            Checked,
            _CHECK_S,
        )

    async def finish_pictures(self, connection: Connection, asked: FinishPictures) -> FinishedPictures:
        """Have files made of pictures that another engine drew.

        Raises:
            WorkerUnavailable: the worker was lost, or did not answer in time.
        """
        return await self._ask(
            connection,
            lambda question: msgspec.structs.replace(asked, question=question),
            FinishedPictures,
            _FINISH_S,
        )

    async def _ask(
        self,
        connection: Connection,
        make: Callable[[int], FindPart | Check | FinishPictures],
        kind: type[A],
        within_s: float,
    ) -> A:
        question = next(self._numbers)
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting[kind, question] = answer
        try:
            connection.send(make(question))
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError as error:
            raise WorkerUnavailable("The worker did not answer in time.") from error
        finally:
            del self._waiting[kind, question]

    def answer(self, found: Answer) -> None:
        """Give an answer to the one who asked, unless they waited too long."""
        answer = self._waiting.get((type(found), found.question))
        if answer is not None and not answer.done():
            answer.set_result(found)

    def fail(self, detail: str) -> None:
        """Tell all who wait that no answer will come."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(WorkerUnavailable(detail))
