"""One worker process and the socket to it.

Started by exec with one end of a socket pair inherited: never by fork, which CUDA and asyncio do not survive. The
environment goes along without our own variables, so that no token reaches a process that reads models.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Final, Self

import structlog

from pipeline.protocol.codec import FrameReader, decode_from_worker, encode_frame
from pipeline.protocol.messages import FromWorker, ToWorker

_READ_BYTES: Final = 1 << 18
_MAX_LINE: Final = 2_000
_OWN_PREFIX: Final = "EASEL_"

_log = structlog.get_logger("worker")


class Connection:
    """A started child. Frames go out in order; frames come in through `messages`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._outbox: asyncio.Queue[ToWorker] = asyncio.Queue()
        self._tasks = [
            asyncio.create_task(self._send_all(), name="worker outbox"),
            asyncio.create_task(_log_lines(process.stderr), name="worker stderr"),
            asyncio.create_task(_log_lines(process.stdout), name="worker stdout"),
        ]

    @classmethod
    async def open(cls, command: Sequence[str]) -> Self:
        """Start the child.

        Must be called in the event loop's own thread, which lives as long as the bot: the worker asks Linux to be
        killed when the thread that started it ends.

        Raises:
            OSError: the program cannot be started.
        """
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                "--socket-fd",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={name: value for name, value in os.environ.items() if not name.startswith(_OWN_PREFIX)},
            )
        except BaseException:
            # A child that was started all the same sees the end of its stream and ends.
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def send(self, message: ToWorker) -> None:
        """Queue a message; a child that reads slowly keeps nobody waiting."""
        self._outbox.put_nowait(message)

    async def messages(self) -> AsyncIterator[FromWorker]:
        """What the child says, until it closes its end.

        Raises:
            ProtocolError: garbage.
        """
        frames = FrameReader()
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(_READ_BYTES):
                for body in frames.feed(data):
                    yield decode_from_worker(body)

    async def close(self, grace_s: float) -> str:
        """End the child: by the end of the stream, then by SIGTERM, then by SIGKILL. Says how it ended."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        for send_signal in (None, self._process.terminate, self._process.kill):
            if send_signal is not None:
                with contextlib.suppress(ProcessLookupError):
                    send_signal()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._process.wait()
                    break
        await self._process.wait()
        # The pipes end with the child, unless a grandchild holds them open.
        _, pending = await asyncio.wait(self._tasks[1:], timeout=grace_s)
        for task in (self._tasks[0], *pending):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return describe_exit(self._process.returncode)

    async def kill(self) -> str:
        """End a child that cannot be trusted to end itself."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        return await self.close(1.0)

    async def _send_all(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                self._writer.write(encode_frame(await self._outbox.get()))
                await self._writer.drain()


def describe_exit(code: int | None) -> str:
    """An exit code in words."""
    if code is None:
        return "is still there"
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    if -code == signal.SIGKILL:
        return f"was killed ({name}); the computer may have run out of memory"
    return f"was ended by {name}"


async def _log_lines(stream: asyncio.StreamReader | None) -> None:
    """Hand what a child prints to the log; a line without end is cut, never waited for."""
    if stream is None:
        return
    rest = b""
    while data := await stream.read(_READ_BYTES):
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
