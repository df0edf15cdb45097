"""Group commit: what arrives while a commit is under way goes into the next transaction together.

A disk takes some hundred durable commits a second, and a busy server asks for more. Each work of a group has a
savepoint of its own, so that its refusal touches no other, and all are answered after the one commit. A work is a
plain function that runs on the database's thread from its first statement to its last: nobody can be cancelled in
the middle of one, and no read sees half of one.
"""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

MOST: Final = 64
"""Works in one transaction: reads wait for its end, and so do those that come after it."""


class _Done(msgspec.Struct, frozen=True):
    """What a work returned."""

    result: Any


class _Member(msgspec.Struct, frozen=True, eq=False):
    """A work, and who waits for it."""

    work: Work[Any]
    answer: asyncio.Future[Any]


class Groups:
    """The only way to write. Works are done in the order in which they came, and each sees those before it.

    Args:
        connection: of which nothing is called but on its thread.
        on_thread: calls a function there, after everything that was called before.
    """

    def __init__(self, connection: sqlite3.Connection, on_thread: Callable[..., Awaitable[Any]]) -> None:
        self._connection = connection
        self._on_thread = on_thread
        self._waiting: deque[_Member] = deque()
        self._under_way: asyncio.Future[list[_Done | Exception]] | None = None

    async def write(self, work: Work[T]) -> T:
        """Do a work, which is durable when this returns. Whoever is cancelled may find it done all the same.

        Raises:
            sqlite3.Error: the commit failed, and nothing stands of it or of those in its group.
            Exception: whatever the work raised; it alone was undone.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Member(work, answer))
        if self._under_way is None:
            self._begin()
        return await answer

    async def rest(self) -> None:
        """Wait until nothing is under way and nobody waits."""
        while self._under_way is not None:
            await asyncio.wait([self._under_way])

    def _begin(self) -> None:
        """Send those who wait to the database's thread, as far as they are still there."""
        group: list[_Member] = []
        while self._waiting and len(group) < MOST:
            member = self._waiting.popleft()
            if not member.answer.done():
                group.append(member)
        if not group:
            return
        works = [member.work for member in group]
        self._under_way = asyncio.ensure_future(self._on_thread(_commit, self._connection, works))
        self._under_way.add_done_callback(partial(self._answer, group))

    def _answer(self, group: Sequence[_Member], done: asyncio.Future[list[_Done | Exception]]) -> None:
        """Tell everybody, after the commit. The next group is sent first, so that the disk does not wait."""
        self._under_way = None
        if done.cancelled():  # the loop ends, and with it everybody who waits
            for member in group:
                member.answer.cancel()
            return
        self._begin()
        failure = done.exception()
        outcomes = done.result() if failure is None else [failure] * len(group)
        for member, outcome in zip(group, outcomes, strict=True):
            if member.answer.done():  # cancelled
                continue
            if isinstance(outcome, _Done):
                member.answer.set_result(outcome.result)
            else:
                member.answer.set_exception(outcome)


def _commit(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[_Done | Exception]:
    """All works in one transaction: what each returned or raised. A failure of the whole leaves nothing."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [_in_savepoint(connection, work) for work in works]
        connection.execute("COMMIT")
    except BaseException:
        # After some errors SQLite has rolled back by itself.
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("ROLLBACK")
        raise
    return outcomes


def _in_savepoint(connection: sqlite3.Connection, work: Work[Any]) -> _Done | Exception:
    """What a work returned; or what it raised, once it is undone.

    Raises:
        sqlite3.Error: it took the whole transaction with it.
    """
    connection.execute("SAVEPOINT work")
    outcome: _Done | Exception
    try:
        outcome = _Done(work(connection))
    except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked for the work is told
        try:
            connection.execute("ROLLBACK TO work")
        except sqlite3.Error:
            # A full disk or an I/O error can end the transaction: with the savepoint all that came before is gone.
            raise error from None
        outcome = error
    connection.execute("RELEASE work")
    return outcome
