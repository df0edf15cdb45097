"""The bot's process, from its start to the certain end of it and of its children."""

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
"""How long a bot may take to finish after SIGTERM before it is killed."""

SIGNAL_EXIT_BASE = 128


class Child:
    """A child process in a session of its own.

    Ctrl-C in a terminal goes to the whole foreground group. The child must not be in
    it: it would be stopped twice, once by the terminal and once by us.
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
        """Wait for its end and return the exit code, 128 + N after signal N, as shells do."""
        code = await self._process.wait()
        return code if code >= 0 else SIGNAL_EXIT_BASE - code

    async def stop(self) -> None:
        """Ask it to end, then make sure that neither it nor a child of it is left."""
        family = self._descendants()
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), GRACE_S)
            except TimeoutError:
                family += self._descendants()
        # The group catches what was started after we looked, the list what left the group.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await self._process.wait()

    def _descendants(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
