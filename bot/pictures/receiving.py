"""Attached files: fetched at once, read in a process of their own, and kept before a job names them."""

import asyncio
from typing import Final

import discord
import msgspec
import structlog

from bot.calls.messages import Calls
from bot.errors import Refused
from bot.pictures.inputs import InputPictures
from bot.pictures.reading import read_file
from bot.pictures.telling import notices, refusal, too_large
from bot.requests.takes import GivenPicture
from bot.store.images import StorageFailed
from pipeline.protocol.messages import Notice
from pipeline.protocol.reading import (
    MAX_FILE_BYTES,
    CleanPicture,
    Parameters,
    ReadingAnswer,
    Unreadable,
    Wanted,
)

_AT_ONCE: Final = 2
"""Most files that are fetched and read at once. Each is in memory, and its process may take a gigabyte."""
_log = structlog.get_logger(__name__)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A kept picture, and notices for the member."""

    picture: GivenPicture
    notices: tuple[Notice, ...]


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
            answer, png = await self._read(attachment, Wanted.PICTURE)
            if not isinstance(answer, CleanPicture):
                raise refusal(answer)
            try:
                sha256 = await self._inputs.keep(png)
            except StorageFailed as error:
                _log.exception("picture not kept", action="not_saved")
                raise Refused("refused-storage") from error
        picture = GivenPicture(sha256=sha256, sides=(answer.width, answer.height))
        return Received(picture=picture, notices=notices(answer))

    async def parameters(self, attachment: discord.Attachment) -> str:
        """The generation parameters in an attached picture.

        Raises:
            Refused: the file is too large or no picture, or it has no parameters.
            CallFailed: the file could not be fetched.
        """
        async with self._room:
            answer, _ = await self._read(attachment, Wanted.PARAMETERS)
        if not isinstance(answer, Parameters):
            raise refusal(answer)
        if answer.text is None:
            raise Refused("refused-no-parameters")
        return answer.text

    async def _read(self, attachment: discord.Attachment, wanted: Wanted) -> tuple[ReadingAnswer, bytes | bytearray]:
        # The file gets no name here, since a name would keep it in memory until its picture has arrived too.
        answer, png = await read_file(await self._fetch(attachment), wanted)
        if isinstance(answer, Unreadable):
            size = attachment.size
            _log.info("file not read", action="not_read", fault=answer.fault, detail=answer.detail, size=size)
        return answer, png

    async def _fetch(self, attachment: discord.Attachment) -> bytearray:
        if attachment.size > MAX_FILE_BYTES:
            raise too_large()
        data = await self._calls.fetch(attachment, MAX_FILE_BYTES)
        if len(data) > MAX_FILE_BYTES:
            raise too_large()
        return data
