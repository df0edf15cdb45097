"""Forks that are the command `easel`, from a process that has imported its modules.

A start of Python that imports them takes ten times as long.
"""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final, cast

from pipeline.backends.starter import ForkedChild, Starter
from tests.shared_worker import shared_starter

_MODULES: Final = "tests.bot_modules"
_PROGRAM: Final = "tests.bot_program"


class BotForks:
    """The forks of one event loop, which end with `close`."""

    def __init__(self) -> None:
        self._starter = Starter(Path(shared_starter(_MODULES)))

    async def fork(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, stdout: IO[Any], stderr: IO[Any]
    ) -> ForkedChild:
        """Fork `easel` with these arguments and variables, writing to these files."""
        files = (cast("socket.socket", stderr), cast("socket.socket", stdout))  # of which `fork` takes the descriptors
        return await self._starter.fork((sys.executable, "-m", _PROGRAM, *arguments), environment, *files)

    async def close(self) -> None:
        """End what still runs."""
        await self._starter.close()


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], *, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run `easel` in a fork to its end, as `subprocess.run` does."""

    async def run(stdout: IO[str], stderr: IO[str]) -> int:
        forks = BotForks()
        try:
            async with asyncio.timeout(timeout_s):
                child = await forks.fork(arguments, environment, stdout=stdout, stderr=stderr)
                return await child.wait()
        finally:
            await forks.close()

    with TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
        code = asyncio.run(run(stdout, stderr))
        texts = [(file.seek(0), file.read())[1] for file in (stdout, stderr)]
    return subprocess.CompletedProcess(list(arguments), code, *texts)
