"""Programs of the owner, which Easel runs when something happens. They get no secrets of Easel."""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Final

import structlog

_MOST_S: Final = 60.0

_log = structlog.get_logger(__name__)


async def run_program(setting: str, program: Path, *arguments: str, said: bytes = b"") -> None:
    """Run a program, and end it after a minute. What is wrong with it is logged.

    Args:
        setting: name of the setting that names the program, for the log.
        program: the program.
        arguments: its arguments.
        said: its standard input.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EASEL_")}
    try:
        process = await asyncio.create_subprocess_exec(
            program, *arguments, env=environment, stdin=asyncio.subprocess.PIPE
        )
    except OSError as error:
        _log.error(f"{setting} cannot be started", action="program_failed", error=repr(error))
        return
    try:
        async with asyncio.timeout(_MOST_S):
            await process.communicate(said)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if not isinstance(error, TimeoutError):
            raise
    if process.returncode:
        _log.error(f"{setting} failed", action="program_failed", code=process.returncode)
