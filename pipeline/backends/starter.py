"""The bot's side of a warm starter; its forks have the workers' modules imported, and so start at once.

See `pipeline.starter` for the other side. When no fork is safe or possible, the caller starts its worker by exec.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from signal import pidfd_send_signal
from typing import Final

import msgspec

from pipeline.backends.launching import cancel, environment_without_ours, log_lines, socket_pair, start_program
from pipeline.protocol.errors import ProtocolError
from pipeline.protocol.wire.starting import (
    MAX_PACKET,
    Ended,
    Fork,
    Forked,
    Unfit,
    Warm,
    decode_from_starter,
    encode_packet,
)

PRELOADED: Final = ("pipeline.preloaded",)
_CAN_FORK: Final = sys.platform == "linux"
"""True on Linux only: the system libraries of macOS do not survive a fork, and Windows has no fork."""
_PATIENCE_S: Final = 120.0
_GRACE_S: Final = 5.0


class NoFork(Exception):
    """The starter cannot fork; the message completes a sentence starting with "The starter"."""


class ForkedChild:
    """A child process of the starter, with the interface of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd = pidfd
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        """Wait for the end; returns the exit code, or the negative number of the signal that ended the process."""
        await self._ended.wait()
        return self.returncode or 0

    def send_signal(self, signal: int) -> None:
        """Send a signal to this process, and never to a later process with the same id.

        Raises:
            ProcessLookupError: the process has ended.
        """
        if self.returncode is not None:
            raise ProcessLookupError(self.pid)
        pidfd_send_signal(self._pidfd, signal)

    def end(self, code: int) -> None:
        """Record the end of the process with its exit code."""
        os.close(self._pidfd)
        self.returncode = code
        self._ended.set()

    def outlive_starter(self) -> None:
        """Record the end by SIGKILL as soon as the process is gone.

        The kernel kills the process after its starter has ended, and no starter is left to report the exit code.
        """
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(self._pidfd)
            self.end(-signal.SIGKILL)

        loop.add_reader(self._pidfd, end)


class _Link:
    """Connection to a starter, and the children that were forked through it.

    Attributes:
        reported: set once the starter has reported whether it forks, or is gone.
        refusal: reason why it cannot fork, which completes a sentence starting with "The starter"; None while it can.
        is_unfit: True when a new starter could not fork either.
    """

    def __init__(self, stream: socket.socket) -> None:
        self.reported = asyncio.Event()
        self.refusal: str | None = None
        self.is_unfit = False
        self._stream = stream
        self._numbers = 0
        self._forking: dict[int, asyncio.Future[ForkedChild]] = {}
        self._children: dict[int, ForkedChild] = {}
        asyncio.get_running_loop().add_reader(stream, self._receive)

    async def fork(self, order: Fork, descriptors: Sequence[int]) -> ForkedChild:
        """Fork a child; raises NoFork when the starter cannot."""
        await self.reported.wait()
        if self.refusal is not None:
            raise NoFork(self.refusal)
        self._numbers += 1
        order = msgspec.structs.replace(order, number=self._numbers)
        forking = self._forking[order.number] = asyncio.get_running_loop().create_future()
        try:
            socket.send_fds(self._stream, [encode_packet(order)], descriptors)
        except OSError as error:
            del self._forking[order.number]
            raise NoFork(f"takes no order ({error})") from error
        return await forking

    def end(self, refusal: str) -> None:
        """Close the connection; the starter then kills the children that are left."""
        if self._stream.fileno() < 0:
            return
        asyncio.get_running_loop().remove_reader(self._stream)
        self._stream.close()
        self.refusal = self.refusal or refusal
        self.reported.set()
        for forking in self._forking.values():
            if not forking.done():
                forking.set_exception(NoFork(refusal))
        for child in self._children.values():
            child.outlive_starter()
        self._forking.clear()
        self._children.clear()

    def _receive(self) -> None:
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._stream, MAX_PACKET, 1)
        except BlockingIOError:
            return
        except OSError:
            packet, descriptors = b"", []
        if not packet:
            self.end("has ended")
            return
        try:
            message = decode_from_starter(packet)
        except ProtocolError as error:
            self.end(f"could not be understood ({error})")
            return
        match message:
            case Warm():
                self.reported.set()
            case Unfit():
                self.is_unfit = True
                self.end(message.reason)
            case Forked():
                self._add_child(message, descriptors[0])
            case Ended():
                self._children.pop(message.number).end(message.code)

    def _add_child(self, message: Forked, pidfd: int) -> None:
        child = self._children[message.number] = ForkedChild(message.pid, pidfd)
        forking = self._forking.pop(message.number)
        if forking.cancelled():
            # The caller no longer waits for this child.
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGKILL)
        else:
            forking.set_result(child)


class Starter:
    """A warm starter. It is started at the first fork, and again after its end.

    Args:
        path: socket of a running starter that several bots share; None starts an own one, which ends with this bot.
        preloaded: modules that an own starter imports before the first fork.
    """

    def __init__(self, path: Path | None = None, preloaded: Sequence[str] = PRELOADED) -> None:
        self._path = path
        self._preloaded = preloaded
        self._link: _Link | None = None
        self._process: Process | None = None
        self._output: socket.socket | None = None
        self._logging: asyncio.Task[None] | None = None
        self._never: str | None = None

    async def fork(
        self, command: Sequence[str], environment: Mapping[str, str], served: socket.socket, output: socket.socket
    ) -> ForkedChild:
        """Fork a child that runs the same program as `start_program` would.

        Raises:
            NoFork: no fork is possible; nothing was started.
        """
        program, *arguments = command
        if self._never is not None:
            raise NoFork(self._never)
        if not _CAN_FORK or program != sys.executable:
            raise NoFork("forks nothing but our Python on Linux")
        order = Fork(
            number=0,
            command=tuple(os.fsencode(argument) for argument in arguments),
            environment=tuple((os.fsencode(name), os.fsencode(value)) for name, value in environment.items()),
            directory=os.fsencode(Path.cwd()),
        )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                link = await self._linked()
                return await link.fork(order, [served.fileno(), output.fileno()])
        except TimeoutError as error:
            self._never = f"did not answer in {_PATIENCE_S:g} s"
            await self.close()
            raise NoFork(self._never) from error
        except OSError as error:
            raise NoFork(f"could not be reached ({error})") from error
        finally:
            if self._link is not None and self._link.is_unfit:
                self._never = self._link.refusal

    async def close(self) -> None:
        """Close the connection and the own starter, which ends all remaining children. This may be called again."""
        if self._link is not None:
            self._link.end("was closed")
            self._link = None
        if self._process is not None:
            try:
                async with asyncio.timeout(_GRACE_S):
                    await self._process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
            self._process = None
        if self._logging is not None:
            await cancel(self._logging)
            self._logging = None
        if self._output is not None:
            self._output.close()
            self._output = None

    async def _linked(self) -> _Link:
        """Connection to the starter; a new one is opened if necessary.

        Raises:
            OSError: no connection is possible.
        """
        if self._link is not None and self._link.refusal is None:
            return self._link
        await self.close()
        self._link = _Link(await self._begin() if self._path is None else _connect(self._path))
        return self._link

    async def _begin(self) -> socket.socket:
        command = [sys.executable, "-m", "pipeline.starter"]
        for module in self._preloaded:
            command += ["--preload", module]
        with ExitStack() as ours, ExitStack() as theirs:
            stream, stream_there = socket_pair(ours, theirs, socket.SOCK_SEQPACKET)
            output, output_there = socket_pair(ours, theirs)
            self._process = await start_program(command, environment_without_ours(), stream_there, output_there)
            ours.pop_all()
        self._output = output
        self._logging = asyncio.create_task(log_lines(output), name="starter output")
        return stream


def _connect(path: Path) -> socket.socket:
    with ExitStack() as stack:
        stream = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        stream.connect(str(path))
        stream.setblocking(False)
        stack.pop_all()
        return stream
