"""Attached files: fetched at once, read in a process of their own, and kept before a job names them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import discord
import msgspec
import structlog

from bot.calls.messages import Calls
from bot.errors import Refused
from bot.pictures.inputs import InputPictures
from bot.pictures.reading import File, read_file
from bot.pictures.telling import notices, refusal, too_large
from bot.requests.options.takes import GivenPicture
from bot.store.images import StorageFailed
from pipeline.protocol.reading import (
    MAX_FILE_BYTES,
    CleanPicture,
    Parameters,
    PictureFault,
    ReadingAnswer,
    Unreadable,
    Wanted,
    joined,
)
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

_AT_ONCE: Final = 2
"""Most files that are fetched and read at once. Each is in memory, and its process may take a gigabyte."""
_log = structlog.get_logger(__name__)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A kept picture, and notices for the member; `was_shrunk` if it was larger than an input may be."""

    picture: GivenPicture
    notices: tuple[Notice, ...]
    was_shrunk: bool = False


class Receiving:
    """Reads files that members attach to commands and messages."""

    def __init__(self, *, calls: Calls, inputs: InputPictures) -> None:
        self._calls = calls
        self._inputs = inputs
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def receive(self, attachment: discord.Attachment) -> Received:
        """Keep an attached picture.

        Raises:
            Refused: the file is too large or no picture within the bounds, or the disk takes nothing.
            CallFailed: the file could not be fetched.
        """
        async with self._room:
            return await self._received(self._fetching(attachment))

    async def receive_file(self, data: bytes) -> Received:
        """Keep the picture of a file of ours. It is read like a stranger's, since an input has bounds of its own.

        Raises:
            Refused: it is no picture within the bounds, or the disk takes nothing.
        """
        async with self._room:
            return await self._received(data)

    async def _received(self, file: File) -> Received:
        answer, png = await self._png(file, Wanted.PICTURE)
        sha256 = await self._keep(png)
        picture = GivenPicture(sha256=sha256, sides=(answer.width, answer.height))
        return Received(picture=picture, notices=notices(answer), was_shrunk=answer.was_shrunk)

    async def adopt(self, output: bytes) -> str:
        """Keep a job's output as a picture for another job; returns its hash.

        Raises:
            Refused: the file is no picture within the bounds, or the disk takes nothing.
        """
        async with self._room:
            _, png = await self._png(output, Wanted.PICTURE)
            return await self._keep(png)

    async def marks(self, copy: discord.Attachment, sha256: str) -> str:
        """Keep the mask of what is painted on an attached copy of a kept picture; returns the mask's hash.

        Raises:
            Refused: the file is no such copy, nothing is painted on it, or the disk takes nothing.
            CallFailed: the file could not be fetched.
        """
        fetch = self._fetching(copy)

        async def pair() -> bytearray:
            return joined(await self._kept(sha256), await fetch())

        async with self._room:
            _, png = await self._png(pair, Wanted.MARKS)
            return await self._keep(png)

    async def read(self, sha256: str) -> bytes:
        """The PNG of a kept picture.

        Raises:
            Refused: it is not kept any more.
        """
        return bytes(await self._kept(sha256))

    async def look(self, request: GenerationRequest) -> bytes:
        """The PNG of a request's init image, in which the part to change is tinted.

        Raises:
            Refused: nothing is left of the part.
        """
        picture, mask, inpaint = request.init_image, request.mask, request.inpaint
        if picture is None or inpaint is None:
            raise ValueError("The request changes no part of a picture.")
        pictures = joined(b"" if mask is None else await self._kept(mask.sha256), await self._kept(picture.sha256))
        async with self._room:
            answer, png = await self._read(joined(msgspec.json.encode(inpaint), pictures), Wanted.LOOK)
        if isinstance(answer, Unreadable) and answer.fault is PictureFault.UNMARKED:
            raise Refused("refused-region-gone")
        if not isinstance(answer, CleanPicture):
            raise refusal(answer)
        return bytes(png)

    async def parameters(self, attachment: discord.Attachment) -> str:
        """The generation parameters in an attached picture.

        Raises:
            Refused: the file is too large or no picture, or it has no parameters.
            CallFailed: the file could not be fetched.
        """
        async with self._room:
            answer, _ = await self._read(self._fetching(attachment), Wanted.PARAMETERS)
        if not isinstance(answer, Parameters):
            raise refusal(answer)
        if answer.text is None:
            raise Refused("refused-no-parameters")
        return answer.text

    async def fetch(self, attachment: discord.Attachment) -> bytearray:
        """The bytes of an attached file as they were sent.

        Raises:
            Refused: it is too large.
            CallFailed: it could not be fetched.
        """
        return await self._fetching(attachment)()

    async def _png(self, file: File, wanted: Wanted) -> tuple[CleanPicture, bytes | bytearray]:
        """Facts about a picture, and its PNG.

        Raises:
            Refused: the file gives no picture.
        """
        answer, png = await self._read(file, wanted)
        if not isinstance(answer, CleanPicture):
            raise refusal(answer)
        return answer, png

    async def _read(self, file: File, wanted: Wanted) -> tuple[ReadingAnswer, bytes | bytearray]:
        answer, png = await read_file(file, wanted)
        if isinstance(answer, Unreadable):
            _log.info("file not read", action="not_read", wanted=wanted, fault=answer.fault, detail=answer.detail)
        return answer, png

    async def _keep(self, png: bytes | bytearray) -> str:
        try:
            return await self._inputs.keep(png)
        except StorageFailed as error:
            _log.exception("picture not kept", action="not_saved")
            raise Refused("refused-storage") from error

    async def _kept(self, sha256: str) -> bytearray:
        try:
            return bytearray(await self._inputs.read(sha256))
        except StorageFailed as error:
            raise Refused("refused-picture-gone") from error

    def _fetching(self, attachment: discord.Attachment) -> Callable[[], Awaitable[bytearray]]:
        """What fetches an attachment.

        Raises:
            Refused: it is too large.
        """
        if attachment.size > MAX_FILE_BYTES:
            raise too_large()
        return partial(self._fetch, attachment)

    async def _fetch(self, attachment: discord.Attachment) -> bytearray:
        data = await self._calls.fetch(attachment, MAX_FILE_BYTES)
        if len(data) > MAX_FILE_BYTES:
            raise too_large()
        return data
