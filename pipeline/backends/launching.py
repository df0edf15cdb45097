"""What it takes to start a process of ours, whatever it is to be."""

import asyncio
import os
import socket
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import structlog

_READ_BYTES: Final = 1 << 16
_MAX_LINE: Final = 2_000
_OWN_PREFIX: Final = "EASEL_"

_log = structlog.get_logger("worker")


async def start_program(
    command: Sequence[str], environment: Mapping[str, str], served: socket.socket, output: socket.socket
) -> Process:
    """Start a program by exec that serves one end of a socket pair, named by `--socket-fd`.

    Must be called in the event loop's own thread, which lives as long as the bot: our programs ask Linux to be killed
    when the thread that started them ends.

    Args:
        command: the program and its arguments.
        environment: all of its variables.
        served: what it serves.
        output: where what it prints goes.

    Raises:
        OSError: it cannot be started.
    """
    return await asyncio.create_subprocess_exec(
        *command,
        "--socket-fd",
        str(served.fileno()),
        pass_fds=[served.fileno()],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output.fileno(),
        stderr=output.fileno(),
        env=environment,
    )


def environment_without_ours() -> dict[str, str]:
    """Our variables without our own: settings are read from variables whatever their case, and so is the token."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(_OWN_PREFIX)}


def socket_pair(
    ours: ExitStack, theirs: ExitStack, kind: socket.SocketKind = socket.SOCK_STREAM
) -> tuple[socket.socket, socket.socket]:
    """Our end, which blocks nobody, and that of the child; each is closed with its stack."""
    here, there = socket.socketpair(type=kind)
    here.setblocking(False)
    return ours.enter_context(here), theirs.enter_context(there)


async def cancel(task: asyncio.Task[None]) -> None:
    """End a task; what it raises is nobody's any more."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def log_lines(output: socket.socket) -> None:
    """Hand what a child prints to the log; a line without end is cut, never waited for."""
    loop = asyncio.get_running_loop()
    rest = b""
    while data := await loop.sock_recv(output, _READ_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            _log_line(line)
        if len(rest) > _MAX_LINE:
            _log_line(rest)
            rest = b""
    _log_line(rest)


def _log_line(line: bytes) -> None:
    text = line.decode("utf-8", "replace").rstrip()
    if text:
        _log.info(text[:_MAX_LINE])
