"""Starts the process that reads a stranger's file, `pipeline.reading`, and ends it in time."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from pipeline.processes import bare_environment
from pipeline.protocol.reading import MAX_CLEAN_BYTES, CleanPicture, PictureFault, ReadingAnswer, Unreadable, Wanted

COMMAND: Final = (sys.executable, "-m", "pipeline.reading")
TIMEOUT_S: Final = 15.0
"""Seconds after which the process is killed."""
_PIECE: Final = 1 << 16
_MAX_LINE: Final = 1 << 18

File: TypeAlias = bytes | bytearray | Callable[[], Awaitable[bytes | bytearray]]
"""A file, or what fetches it."""

_decoder = msgspec.json.Decoder(ReadingAnswer)


async def read_file(
    file: File, wanted: Wanted, *, command: Sequence[str] = COMMAND, timeout_s: float = TIMEOUT_S
) -> tuple[ReadingAnswer, bytes | bytearray]:
    """Read a file in a process of its own; returns its answer, and a clean picture if there is one, else no bytes.

    Call this only in the event loop's own thread: Linux kills the process when the thread that started it ends.
    Whatever the process does, this returns `timeout_s` seconds after the file is there, and needs memory for one clean
    picture.

    Args:
        file: the file, or what fetches it while the process starts.
        wanted: what is read in it.
        command: starts the process.
        timeout_s: seconds after which the process is killed.

    Raises:
        Exception: whatever the fetching raises.
    """
    process = await asyncio.create_subprocess_exec(
        *command, wanted, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=bare_environment(), limit=_MAX_LINE
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("The process has no pipes.")
    writing = None
    try:
        data = file if isinstance(file, bytes | bytearray) else await file()
        writing = asyncio.create_task(_write(process.stdin, data), name="file for the reading process")
        del data  # so that its memory is free as soon as it is written
        return await _answer(process.stdout, timeout_s)
    finally:
        if writing is not None:
            writing.cancel()
        if process.returncode is None:
            # `process.kill` would first ask the system whether it has ended, and take its exit code from asyncio.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        # asyncio waits for the end of a process only when its output was read to the end.
        while await process.stdout.read(_PIECE):
            pass
        await process.wait()


async def _write(pipe: asyncio.StreamWriter, data: bytes | bytearray) -> None:
    """Write in pieces, since a pipe of asyncio copies all that it cannot write at once."""
    view = memoryview(data)
    # A process that has died reads nothing.
    with contextlib.suppress(ConnectionError):
        for at in range(0, len(view), _PIECE):
            pipe.write(view[at : at + _PIECE])
            await pipe.drain()
        pipe.close()


async def _answer(pipe: asyncio.StreamReader, timeout_s: float) -> tuple[ReadingAnswer, bytes | bytearray]:
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(pipe)
    except TimeoutError:
        return Unreadable(fault=PictureFault.UNREADABLE, detail=f"It took more than {timeout_s:g} s."), b""
    except (msgspec.MsgspecError, ValueError) as error:
        return Unreadable(fault=PictureFault.UNREADABLE, detail=f"No answer but {error!r}."), b""


async def _read(pipe: asyncio.StreamReader) -> tuple[ReadingAnswer, bytes | bytearray]:
    found = _decoder.decode(await pipe.readline())
    if not isinstance(found, CleanPicture):
        return found, b""
    png = bytearray()
    while (room := MAX_CLEAN_BYTES - len(png)) and (piece := await pipe.read(min(_PIECE, room))):
        png += piece
    if not png:
        raise ValueError("a picture without bytes")
    return found, png
