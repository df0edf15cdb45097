"""Helpers for starting Easel's processes: workers and the warm starter."""

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
_HUB_TOKENS: Final = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")

_log = structlog.get_logger("worker")


async def start_program(
    command: Sequence[str], environment: Mapping[str, str], served: socket.socket, output: socket.socket
) -> Process:
    """Start a program by exec that serves one end of a socket pair; `--socket-fd` names the descriptor.

    Call this only in the event loop's own thread, which lives as long as the bot. Linux kills Easel's processes when
    the thread that started them ends.

    Args:
        command: the program and its arguments.
        environment: all variables of the program.
        served: socket that the program serves.
        output: socket for the program's output.

    Raises:
        OSError: the program cannot be started.
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
    """Environment variables without those that may hold a token; case is ignored, as when reading them.

    The library of the model hub downloads nothing with them: `easel models` does that, outside of any job's time.
    """
    kept = {name: value for name, value in os.environ.items() if not _is_ours(name.upper())}
    return {**kept, "HF_HUB_OFFLINE": "1"}


def _is_ours(name: str) -> bool:
    return name.startswith(_OWN_PREFIX) or name in _HUB_TOKENS


def socket_pair(
    ours: ExitStack, theirs: ExitStack, kind: socket.SocketKind = socket.SOCK_STREAM
) -> tuple[socket.socket, socket.socket]:
    """Create a socket pair: the bot's end, which is non-blocking, and the child's. Each exit stack closes its own."""
    here, there = socket.socketpair(type=kind)
    here.setblocking(False)
    return ours.enter_context(here), theirs.enter_context(there)


async def cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task, wait for its end, and ignore its exception."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def log_lines(output: socket.socket) -> None:
    """Write a child's output to the log; a line that is too long is cut."""
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
