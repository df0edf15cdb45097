"""Group commit: all work that arrives during a commit goes into the next transaction together.

A disk does a few hundred durable commits a second, and a busy server needs more. Each work of a group has its own
savepoint, so that its failure does not touch the others. All works get their outcomes after the one commit. A work is a
plain function on the database's thread: it cannot be cancelled halfway, and no read sees a half one.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from bot.instruments import COMMIT

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

MOST: Final = 64
"""Most works in one transaction. Reads and later works wait for its end."""


class _Done(msgspec.Struct, frozen=True):
    """The result of a work."""

    result: Any


class _Member(msgspec.Struct, frozen=True, eq=False):
    """A work and the future of its outcome."""

    work: Work[Any]
    outcome: asyncio.Future[Any]


class Groups:
    """The only way to write. Works run in the order of their arrival, and each sees the ones before it.

    Args:
        connection: the connection; it is used only on its thread.
        on_thread: calls a function on that thread, after all earlier calls.
    """

    def __init__(self, connection: sqlite3.Connection, on_thread: Callable[..., Awaitable[Any]]) -> None:
        self._connection = connection
        self._on_thread = on_thread
        self._waiting: deque[_Member] = deque()
        self._under_way: asyncio.Future[list[_Done | Exception]] | None = None

    async def write(self, work: Work[T]) -> T:
        """Run a work, which is durable on return. A cancelled caller's work may still be committed.

        Raises:
            sqlite3.Error: the commit failed; the whole group was undone.
            Exception: the work raised it; only this work was undone.
        """
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Member(work, outcome))
        if self._under_way is None:
            self._begin()
        return await outcome

    async def rest(self) -> None:
        """Wait until no work is left."""
        while self._under_way is not None:
            await asyncio.wait([self._under_way])

    def _begin(self) -> None:
        """Send the waiting works to the database's thread, except those of cancelled callers."""
        group: list[_Member] = []
        while self._waiting and len(group) < MOST:
            member = self._waiting.popleft()
            if not member.outcome.done():
                group.append(member)
        if not group:
            return
        works = [member.work for member in group]
        began_at = time.perf_counter()
        self._under_way = asyncio.ensure_future(self._on_thread(_commit, self._connection, works))
        self._under_way.add_done_callback(partial(self._give_outcomes, group, began_at))

    def _give_outcomes(
        self, group: Sequence[_Member], began_at: float, done: asyncio.Future[list[_Done | Exception]]
    ) -> None:
        """Give each caller its outcome after the commit. The next group starts first, so the disk does not idle."""
        self._under_way = None
        COMMIT.observe(time.perf_counter() - began_at)
        if done.cancelled():  # the event loop ends, and with it all callers
            for member in group:
                member.outcome.cancel()
            return
        self._begin()
        failure = done.exception()
        outcomes = done.result() if failure is None else [failure] * len(group)
        for member, outcome in zip(group, outcomes, strict=True):
            if member.outcome.done():  # cancelled
                continue
            if isinstance(outcome, _Done):
                member.outcome.set_result(outcome.result)
            else:
                member.outcome.set_exception(outcome)


def _commit(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[_Done | Exception]:
    """Run all works in one transaction; returns their results or exceptions. If the commit fails, all are undone."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [_in_savepoint(connection, work) for work in works]
        connection.execute("COMMIT")
    except BaseException:
        # SQLite itself rolls back after some errors.
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("ROLLBACK")
        raise
    return outcomes


def _in_savepoint(connection: sqlite3.Connection, work: Work[Any]) -> _Done | Exception:
    """The result of a work, or its exception after the work was undone.

    Raises:
        sqlite3.Error: SQLite ended the whole transaction.
    """
    connection.execute("SAVEPOINT work")
    outcome: _Done | Exception
    try:
        outcome = _Done(work(connection))
    except Exception as error:  # noqa: BLE001 - the caller of the work gets any exception
        try:
            connection.execute("ROLLBACK TO work")
        except sqlite3.Error:
            # A full disk or an I/O error can end the transaction. Then the earlier works are gone with the savepoint.
            raise error from None
        outcome = error
    connection.execute("RELEASE work")
    return outcome
