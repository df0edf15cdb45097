"""One worker process and the socket to it.

The process gets one end of a socket pair. It is started by exec or forked by a warm starter. It is never a fork of the
bot, because CUDA and asyncio do not survive a fork. Its environment lacks the bot's own variables, so that no token
reaches a process that reads model files.

The sockets are used without asyncio's streams. A stream discards received data as soon as a write fails. That could
lose a finished job of a worker that has just ended.
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
from pipeline.protocol.wire.codec import FrameReader, decode_from_worker, encode_frame
from pipeline.protocol.wire.messages import FromWorker, ToWorker

_READ_BYTES: Final = 1 << 18

_log = structlog.get_logger(__name__)


class Child(Protocol):
    """A started process: `asyncio.subprocess.Process` or `ForkedChild`."""

    @property
    def pid(self) -> int:
        """Process id."""
        ...

    @property
    def returncode(self) -> int | None:
        """Exit code, or the negative number of the signal that ended the process; None while it runs."""
        ...

    async def wait(self) -> int:
        """Wait until the process has ended."""
        ...

    def send_signal(self, signal: int) -> None:
        """Send a signal to the process."""
        ...


class Connection:
    """A started child process. Messages are sent in order; `messages` yields those received."""

    def __init__(self, process: Child, stream: socket.socket, output: socket.socket) -> None:
        self._process = process
        self._stream = stream
        self._output = output
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._sending = asyncio.create_task(self._send_all(), name="worker outbox")
        self._logging = asyncio.create_task(log_lines(output), name="worker output")

    @classmethod
    async def open(cls, command: Sequence[str], environment: Mapping[str, str], starter: Starter | None = None) -> Self:
        """Start the child with the bot's environment, without Easel's own variables.

        Call this only in the event loop's own thread; see `start_program`.

        Args:
            command: the program and its arguments.
            environment: additional variables.
            starter: warm starter that forks the child if it can; None starts the child by exec.

        Raises:
            OSError: the program cannot be started.
        """
        with ExitStack() as ours, ExitStack() as theirs:
            served, served_there = socket_pair(ours, theirs)
            # A socket and no pipe of asyncio: with pipes, `wait` blocks while a grandchild holds them open.
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
        """Queue a message; this never waits, even if the child reads slowly.

        Raises:
            ProtocolError: the message is too large.
        """
        self._outbox.put_nowait(encode_frame(message))

    async def messages(self) -> AsyncIterator[FromWorker]:
        """Messages from the child, until it closes its end.

        Raises:
            ProtocolError: the child sent invalid data.
        """
        frames = FrameReader()
        loop = asyncio.get_running_loop()
        # A child that ends without reading all messages resets the connection. Its own messages arrive before that.
        with contextlib.suppress(ConnectionError):
            while data := await loop.sock_recv(self._stream, _READ_BYTES):
                for body in frames.feed(data):
                    yield decode_from_worker(body)

    @property
    def is_gone(self) -> bool:
        """True when the process has ended and was reaped."""
        return self._process.returncode is not None

    async def gone(self) -> None:
        """Wait until the process has ended."""
        await self._process.wait()

    async def kill(self, grace_s: float) -> None:
        """Kill the process. Messages that it sent before can still be read.

        A process that hangs in a driver ends only when the driver returns; check `is_gone`.
        """
        self._signal(signal.SIGKILL)
        await self._wait(grace_s)

    async def close(self, grace_s: float) -> str:
        """End the child by closing the socket, then by SIGTERM, then by SIGKILL, and return how it ended.

        No caller may be reading `messages` any more. This may be called again, even after a call was cancelled.
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
        # The output ends with the process, unless a grandchild holds it open.
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
        # The reading side notices the end too, after all earlier messages.
        with contextlib.suppress(ConnectionError):
            while True:
                await loop.sock_sendall(self._stream, await self._outbox.get())


def describe_exit(code: int | None) -> str:
    """Phrase for an exit code that completes a sentence starting with "The worker"."""
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
