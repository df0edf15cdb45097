"""Counting the steps of a bot, and ending its process at one of them.

A step is one `send` or `throw` of any task's coroutine: between two of them the bot awaits something, and that is
where its memory and the world can differ. A statement of a transaction, on the database's own thread, is one as well.
"""

import asyncio
import itertools
import os
import signal
import sqlite3
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Final, TypeVar, cast

from typing_extensions import override

from bot.store.sqlite.statements import Values

T = TypeVar("T")
WATCHER: Final = "watcher"
"""Name of the only task whose steps do not count, since it is ours."""


class Steps:
    """Counts the steps of all tasks and ends the process at one."""

    def __init__(self, kill_at: int) -> None:
        self.taken = 0
        self._numbers = itertools.count(1)
        self._kill_at = kill_at

    def take(self) -> None:
        """One more; nothing of it happens if it is the last."""
        self.taken = next(self._numbers)
        if self.taken == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def take_of_task(self) -> None:
        """One more of the running task."""
        task = asyncio.current_task()  # asked here, since before Python 3.13 a factory is not told the name
        if task is None or task.get_name() != WATCHER:
            self.take()

    def make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        **named: Any,
    ) -> asyncio.Task[T]:
        """A task whose steps count."""
        inner = cast("Coroutine[Any, Any, T]", coroutine)
        return asyncio.Task(Counted(inner, self.take_of_task), loop=loop, **named)


class Counted(Coroutine[Any, Any, T]):
    """A coroutine that counts before each of its steps."""

    def __init__(self, inner: Coroutine[Any, Any, T], take: Callable[[], None]) -> None:
        self._inner = inner
        self._take = take

    @override
    def send(self, value: Any, /) -> Any:
        self._take()
        return self._inner.send(value)

    @override
    def throw(self, kind: Any, value: BaseException | object = None, trace: TracebackType | None = None, /) -> Any:
        self._take()
        return self._inner.throw(kind) if value is None else self._inner.throw(kind, value, trace)

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def __await__(self) -> Generator[Any, Any, T]:
        return self._inner.__await__()


class CountedConnection:
    """A connection of which each statement in a transaction is a step. Reads are none: the watcher reads as well."""

    def __init__(self, inner: sqlite3.Connection, take: Callable[[], None]) -> None:
        self._inner = inner
        self._take = take

    def execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        if self._inner.in_transaction or sql.startswith("BEGIN"):
            self._take()
        return self._inner.execute(sql, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
