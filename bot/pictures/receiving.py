"""Attached files: fetched at once, read in a process of their own, and kept before a job names them."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import discord
import msgspec
import structlog

from bot.calls.messages import Calls
from bot.errors import Refused
from bot.pictures.inputs import InputPictures
from bot.pictures.reading import read_file
from bot.requests.takes import GivenPicture
from bot.store.images import StorageFailed
from pipeline.protocol.messages import Notice
from pipeline.protocol.reading import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    MAX_RATIO,
    MAX_SIDE,
    MIN_SIDE,
    CleanPicture,
    Parameters,
    PictureFault,
    ReadingAnswer,
    Unreadable,
    Wanted,
)

_AT_ONCE: Final = 2
"""Most files that are fetched and read at once. Each is in memory, and its process may take a gigabyte."""
_BOUNDS: Final[Mapping[PictureFault, dict[str, int]]] = MappingProxyType(
    {
        PictureFault.PIXELS: {"limit": MAX_PIXELS // 10**6},
        PictureFault.SIDES: {"lowest": MIN_SIDE, "highest": MAX_SIDE},
        PictureFault.RATIO: {"limit": MAX_RATIO},
    }
)
"""Values of the sentences about faults."""

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
                raise _refusal(answer)
            try:
                sha256 = await self._inputs.keep(png)
            except StorageFailed as error:
                _log.exception("picture not kept", action="not_saved")
                raise Refused("refused-storage") from error
        picture = GivenPicture(sha256=sha256, sides=(answer.width, answer.height))
        return Received(picture=picture, notices=_notices(answer))

    async def parameters(self, attachment: discord.Attachment) -> str:
        """The generation parameters in an attached picture.

        Raises:
            Refused: the file is too large or no picture, or it has no parameters.
            CallFailed: the file could not be fetched.
        """
        async with self._room:
            answer, _ = await self._read(attachment, Wanted.PARAMETERS)
        if not isinstance(answer, Parameters):
            raise _refusal(answer)
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
            raise _too_large()
        data = await self._calls.fetch(attachment, MAX_FILE_BYTES)
        if len(data) > MAX_FILE_BYTES:
            raise _too_large()
        return data


def _too_large() -> Refused:
    return Refused("refused-picture-large", limit=MAX_FILE_BYTES // 2**20)


def _refusal(answer: ReadingAnswer) -> Refused:
    fault = answer.fault if isinstance(answer, Unreadable) else PictureFault.UNREADABLE
    return Refused(f"refused-picture-{fault}", **_BOUNDS.get(fault, {}))


def _notices(picture: CleanPicture) -> tuple[Notice, ...]:
    facts = {"notice-first-frame": picture.has_more_frames, "notice-transparent": picture.was_transparent}
    return tuple(Notice(key=key) for key, is_true in facts.items() if is_true)
