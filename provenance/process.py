"""Starts the process that parses Content Credentials, and talks with it within limits of time."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from typing import Final, Literal, Self

import msgspec

from pipeline.processes import bare_environment
from pipeline.protocol.errors import ProtocolError
from pipeline.protocol.wire.codec import FrameReader, framed
from provenance.messages import MAX_SEAL_BYTES, FromChild, Read, Reading, Refusal, Seal, Sealed, Sign, Signed, ToChild

COMMAND: Final = (sys.executable, "-m", "provenance.child")
READ_S: Final = 15.0
"""Seconds for a stranger's file, with the start of the process."""
_PIECE: Final = 1 << 16

Seals = Callable[[bytes], bytes]
"""Signs bytes with the key that the child does not have."""
_decoder = msgspec.msgpack.Decoder(FromChild)
_encoder = msgspec.msgpack.Encoder()


class ChildFailed(Exception):
    """The process died, said nonsense or took too long; the text is for the log."""


class Child:
    """One process. Call it from the event loop's own thread: Linux kills it when the thread that started it ends."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader()
        self._bodies: list[bytes] = []

    @classmethod
    async def start(cls, work: Literal["sign", "stamp", "read"], command: Sequence[str] = COMMAND) -> Self:
        """Start the process for one kind of work. It has none of our variables and no open file but its socket.

        One that shall `stamp` signs too, and keeps the network for the time stamp authority.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(theirs.fileno()),
                work,
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                env={**bare_environment(), "OPENBLAS_NUM_THREADS": "1"},  # numpy would start threads
                pass_fds=[theirs.fileno()],
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer)

    async def sign(self, order: Sign, seal: Seals, timeout_s: float) -> Signed | Refusal:
        """Let a picture be signed.

        Raises:
            ChildFailed: the process is of no use any more; close it.
        """
        answer = await self._ask(order, seal, timeout_s)
        if isinstance(answer, Signed | Refusal):
            return answer
        raise ChildFailed(f"It answered {type(answer).__name__}.")

    async def read(self, data: bytes | bytearray, anchors: str, timeout_s: float = READ_S) -> Reading | Refusal:
        """Let a stranger's file be read.

        Raises:
            ChildFailed: the process is of no use any more; close it.
        """
        answer = await self._ask(Read(data=bytes(data), anchors=anchors), None, timeout_s)
        if isinstance(answer, Reading | Refusal):
            return answer
        raise ChildFailed(f"It answered {type(answer).__name__}.")

    async def close(self) -> None:
        """End the process, whatever it is doing."""
        self._writer.close()
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def _ask(self, message: ToChild, seal: Seals | None, timeout_s: float) -> FromChild:
        try:
            async with asyncio.timeout(timeout_s):
                await self._say(message)
                while isinstance(answer := await self._hear(), Seal):
                    if seal is None or len(answer.data) > MAX_SEAL_BYTES:
                        raise ChildFailed("It wanted a signature that it may not have.")
                    await self._say(Sealed(signature=seal(answer.data)))
                return answer
        except TimeoutError:
            raise ChildFailed(f"It took more than {timeout_s:g} s.") from None
        except (OSError, msgspec.MsgspecError, ProtocolError) as error:
            raise ChildFailed(f"It died or said nonsense: {error!r}.") from error

    async def _say(self, message: ToChild) -> None:
        """Write in pieces, since asyncio copies all that it cannot write at once."""
        view = memoryview(framed(_encoder.encode(message)))
        for at in range(0, len(view), _PIECE):
            self._writer.write(view[at : at + _PIECE])
            await self._writer.drain()

    async def _hear(self) -> FromChild:
        while not self._bodies:
            piece = await self._reader.read(_PIECE)
            if not piece:
                raise ConnectionError("the end of the line")
            self._bodies += self._frames.feed(piece)
        return _decoder.decode(self._bodies.pop(0))


async def read_once(
    data: bytes | bytearray, anchors: str, *, command: Sequence[str] = COMMAND, timeout_s: float = READ_S
) -> Reading | Refusal:
    """Read a stranger's file in a process that ends after it. It never raises for what the file is."""
    child = await Child.start("read", command)
    try:
        return await child.read(data, anchors, timeout_s)
    except ChildFailed as error:
        return Refusal(detail=str(error))
    finally:
        await child.close()
