"""The bot's side of a warm starter, whose forks have imported all that a worker needs and so start at once.

See `pipeline.starter` for the other side. Where no fork is safe, or none comes, the caller starts its worker by exec.
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
from pipeline.protocol.starting import MAX_PACKET, Ended, Fork, Forked, Unfit, Warm, decode_from_starter, encode_packet

PRELOADED: Final = ("pipeline.worker", "spandrel")
_CAN_FORK: Final = sys.platform == "linux"
"""The system libraries of macOS do not survive a fork, and Windows has none."""
_PATIENCE_S: Final = 120.0
_GRACE_S: Final = 5.0


class NoFork(Exception):
    """The starter forks nothing; the text follows "The starter"."""


class ForkedChild:
    """A child of the starter's, with what `asyncio.subprocess.Process` has."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd = pidfd
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        """Wait until it ended: its exit code, or the negative number of the signal that ended it."""
        await self._ended.wait()
        return self.returncode or 0

    def send_signal(self, signal: int) -> None:
        """Send a signal to this very process, and never to a later one of the same id.

        Raises:
            ProcessLookupError: it has ended.
        """
        if self.returncode is not None:
            raise ProcessLookupError(self.pid)
        pidfd_send_signal(self._pidfd, signal)

    def end(self, code: int) -> None:
        """It ended so."""
        os.close(self._pidfd)
        self.returncode = code
        self._ended.set()

    def outlive_starter(self) -> None:
        """Its starter has ended, so the kernel kills it, and nobody is left to tell how it ended."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(self._pidfd)
            self.end(-signal.SIGKILL)

        loop.add_reader(self._pidfd, end)


class _Link:
    """A connection to a starter, and the children that it forked through it.

    Attributes:
        greeted: set once the starter has said whether it forks, or is gone.
        refusal: why it forks nothing, in words that follow "The starter"; None while it does.
        is_unfit: a next starter would forbid it too.
    """

    def __init__(self, stream: socket.socket) -> None:
        self.greeted = asyncio.Event()
        self.refusal: str | None = None
        self.is_unfit = False
        self._stream = stream
        self._numbers = 0
        self._asked: dict[int, asyncio.Future[ForkedChild]] = {}
        self._children: dict[int, ForkedChild] = {}
        asyncio.get_running_loop().add_reader(stream, self._hear)

    async def fork(self, order: Fork, descriptors: Sequence[int]) -> ForkedChild:
        """Raises NoFork."""
        await self.greeted.wait()
        if self.refusal is not None:
            raise NoFork(self.refusal)
        self._numbers += 1
        order = msgspec.structs.replace(order, number=self._numbers)
        asked = self._asked[order.number] = asyncio.get_running_loop().create_future()
        try:
            socket.send_fds(self._stream, [encode_packet(order)], descriptors)
        except OSError as error:
            del self._asked[order.number]
            raise NoFork(f"takes no order ({error})") from error
        return await asked

    def end(self, refusal: str) -> None:
        """Close it; a starter without an owner kills the children that are left."""
        if self._stream.fileno() < 0:
            return
        asyncio.get_running_loop().remove_reader(self._stream)
        self._stream.close()
        self.refusal = self.refusal or refusal
        self.greeted.set()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(NoFork(refusal))
        for child in self._children.values():
            child.outlive_starter()
        self._asked.clear()
        self._children.clear()

    def _hear(self) -> None:
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
                self.greeted.set()
            case Unfit():
                self.is_unfit = True
                self.end(message.reason)
            case Forked():
                self._welcome(message, descriptors[0])
            case Ended():
                self._children.pop(message.number).end(message.code)

    def _welcome(self, message: Forked, pidfd: int) -> None:
        child = self._children[message.number] = ForkedChild(message.pid, pidfd)
        asked = self._asked.pop(message.number)
        if asked.cancelled():
            # Nobody waits for it any more.
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGKILL)
        else:
            asked.set_result(child)


class Starter:
    """A warm starter, begun at the first need and again after its end.

    Args:
        path: of the socket of one that runs already, which several bots share; None starts our own, which ends with us.
        preloaded: modules that it imports before the first fork.
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
        """Fork a child that becomes what `command` would start; see `start_program`.

        Raises:
            NoFork: it does not come so; nothing was started.
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
        """End our connection and our starter, and with it all children that are left. May be called again."""
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
        """The connection; a new one where there is none, or the last one has ended.

        Raises:
            OSError: there can be none.
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
