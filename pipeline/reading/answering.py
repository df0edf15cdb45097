"""Reads one file and answers in every case, whatever a decoder raises."""

from typing import Final

import msgspec

from pipeline.metadata.reading import is_picture, read_parameters
from pipeline.protocol.inputs import Inpaint
from pipeline.protocol.reading import Parameters, PictureFault, ReadingAnswer, Unreadable, Wanted, parted
from pipeline.reading.copies import marked
from pipeline.reading.looks import look
from pipeline.reading.pictures import NoPicture, clean

_MOST_DETAIL: Final = 500


def answer(data: bytes, wanted: Wanted) -> tuple[ReadingAnswer, bytes]:
    """The answer about a file, and the PNG if one was wanted and the file could be read; else no bytes."""
    try:
        return _answer(data, wanted)
    except NoPicture as error:
        return Unreadable(fault=error.fault), b""
    # A stranger's file may break any parser in any way.
    except Exception as error:  # noqa: BLE001 - see above
        return Unreadable(fault=PictureFault.UNREADABLE, detail=repr(error)[:_MOST_DETAIL]), b""


def _answer(data: bytes, wanted: Wanted) -> tuple[ReadingAnswer, bytes]:
    match wanted:
        case Wanted.PICTURE:
            return clean(data)
        case Wanted.MARKS:
            return marked(*parted(data))
        case Wanted.LOOK:
            inpaint, pictures = parted(data)
            return look(msgspec.json.decode(inpaint, type=Inpaint), *parted(pictures))
        case Wanted.PARAMETERS:
            if not is_picture(data):
                raise NoPicture(PictureFault.FORMAT)
            return Parameters(text=read_parameters(data)), b""


def encoded(found: ReadingAnswer) -> bytes:
    """The line of an answer."""
    return msgspec.json.encode(found) + b"\n"
