"""One worker process and the socket to it.

Started with one end of a socket pair, by exec or as a fork of a warm starter: never as a fork of the bot, which CUDA
and asyncio do not survive. The environment goes along without our own variables, so that no token reaches a process
that reads models.

The sockets are read and written bare. A stream of asyncio forgets what it has read as soon as a write fails,
and with it a finished job of a worker that ended a moment later.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Final, Protocol, Self

import structlog

from pipeline.backends.launching import cancel, environment_without_ours, log_lines, socket_pair, start_program
from pipeline.backends.starter import NoFork, Starter
from pipeline.protocol.codec import FrameReader, decode_from_worker, encode_frame
from pipeline.protocol.messages import FromWorker, ToWorker

_READ_BYTES: Final = 1 << 18

_log = structlog.get_logger(__name__)


class Child(Protocol):
    """A process that was started for us: `asyncio.subprocess.Process`, or a `ForkedChild`."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    @property
    def returncode(self) -> int | None:
        """Its exit code, or the negative number of the signal that ended it; None while it lives."""
        ...

    async def wait(self) -> int:
        """Wait for its end."""
        ...

    def send_signal(self, signal: int) -> None:
        """Send it a signal."""
        ...


class Connection:
    """A started child. Frames go out in order; frames come in through `messages`."""

    def __init__(self, process: Child, stream: socket.socket, output: socket.socket) -> None:
        self._process = process
        self._stream = stream
        self._output = output
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._sending = asyncio.create_task(self._send_all(), name="worker outbox")
        self._logging = asyncio.create_task(log_lines(output), name="worker output")

    @classmethod
    async def open(cls, command: Sequence[str], environment: Mapping[str, str], starter: Starter | None = None) -> Self:
        """Start the child in our environment without our own variables, and with `environment` on top.

        Must be called in the event loop's own thread, see `start_program`.

        Args:
            command: the program and its arguments.
            environment: variables on top.
            starter: forks the child where it can; without it, exec starts the child.

        Raises:
            OSError: the program cannot be started.
        """
        with ExitStack() as ours, ExitStack() as theirs:
            served, served_there = socket_pair(ours, theirs)
            # Not asyncio's pipes: those keep `wait` waiting for as long as a grandchild holds them open.
            output, output_there = socket_pair(ours, theirs)
            variables = {**environment_without_ours(), **environment}
            child = await _start(command, variables, served_there, output_there, starter)
            ours.pop_all()
            return cls(child, served, output)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def send(self, message: ToWorker) -> None:
        """Queue a message; a child that reads slowly keeps nobody waiting.

        Raises:
            ProtocolError: the message is too large.
        """
        self._outbox.put_nowait(encode_frame(message))

    async def messages(self) -> AsyncIterator[FromWorker]:
        """What the child says, until it closes its end.

        Raises:
            ProtocolError: garbage.
        """
        frames = FrameReader()
        loop = asyncio.get_running_loop()
        # A child that ends with words of ours unread resets the connection, after all that it said itself.
        with contextlib.suppress(ConnectionError):
            while data := await loop.sock_recv(self._stream, _READ_BYTES):
                for body in frames.feed(data):
                    yield decode_from_worker(body)

    @property
    def is_gone(self) -> bool:
        """Whether the process ended and was reaped."""
        return self._process.returncode is not None

    async def gone(self) -> None:
        """Wait until the process ended."""
        await self._process.wait()

    async def kill(self, grace_s: float) -> None:
        """End the process at once. What it said before can still be read.

        A process that waits in a driver ends only when the driver lets go of it; `is_gone` tells.
        """
        self._signal(signal.SIGKILL)
        await self._wait(grace_s)

    async def close(self, grace_s: float) -> str:
        """End the child: by the end of the stream, then by SIGTERM, then by SIGKILL. Says how it ended.

        Nobody may be reading `messages` any more. May be called again, also after a call that was cancelled.
        """
        await cancel(self._sending)
        self._stream.close()
        how = "closed its connection and had to be ended"
        if await self._wait(grace_s):
            how = describe_exit(self._process.returncode)
        else:
            self._signal(signal.SIGTERM)
            if not await self._wait(grace_s):
                await self.kill(grace_s)
        # Its output ends with it, unless a grandchild holds it open.
        await asyncio.wait({self._logging}, timeout=grace_s)
        await cancel(self._logging)
        self._output.close()
        return how

    async def _wait(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _send_all(self) -> None:
        loop = asyncio.get_running_loop()
        # The reading side sees the same end, and all that was said before it.
        with contextlib.suppress(ConnectionError):
            while True:
                await loop.sock_sendall(self._stream, await self._outbox.get())


def describe_exit(code: int | None) -> str:
    """An exit code in words that follow "The worker"."""
    if code is None:
        return "is still there"
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    if -code == signal.SIGKILL:
        return f"was killed ({name}); the computer may have run out of memory"
    return f"was ended by {name}"


async def _start(
    command: Sequence[str],
    environment: Mapping[str, str],
    served: socket.socket,
    output: socket.socket,
    starter: Starter | None,
) -> Child:
    if starter is not None:
        try:
            return await starter.fork(command, environment, served, output)
        except NoFork as error:
            _log.warning("worker started by exec", action="no_fork", detail=f"The starter {error}.")
    return await start_program(command, environment, served, output)
