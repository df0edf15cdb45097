"""The bot's process: start it, and end it with all its children."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping, Sequence
    from typing import Self

GRACE_S = 10.0
"""Seconds between SIGTERM and SIGKILL."""
KILL_S = 1.0
"""Most seconds from SIGKILL to the end of a process."""

SIGNAL_EXIT_BASE = 128


class Child:
    """A child process in a session of its own.

    Ctrl-C in a terminal goes to the whole foreground group. In that group the child would
    be stopped twice, by the terminal and by this program.
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Start a command that shares this program's output."""
        process = await asyncio.create_subprocess_exec(
            *command, env=dict(environment), stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for the end of the process. Return its exit code; 128 + N after signal N, as in shells."""
        code = await self._process.wait()
        return code if code >= 0 else SIGNAL_EXIT_BASE - code

    async def stop(self) -> None:
        """Stop the process, and kill whatever is left of it and its children."""
        family = self._descendants()
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), GRACE_S)
            except TimeoutError:
                family += self._descendants()
        # The group has the children that were started since; the list has those that left the group.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await self._process.wait()
        # A signal is delivered later than it is sent. Whoever looks afterwards shall find nothing running.
        await asyncio.to_thread(psutil.wait_procs, family, KILL_S)

    def _descendants(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
