"""Finishing of pictures that engines of others drew: a question to a worker beside its attempts, and its answer."""

import msgspec

from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import ImageFile, Notice, Rating
from pipeline.protocol.wire.settings import Checking


class FinishPictures(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Make files of pictures that another engine drew, or a preview; the worker answers with `FinishedPictures`.

    Attributes:
        question: number of the question, which its answer repeats.
        request: the request that they were drawn for.
        title: the name of the model that members see.
        pictures: the pictures in order, PNGs that Easel wrote, with no side over `MAX_INPUT_SIDE`.
        checking: what the image check does with them.
        is_preview: whether the only picture is unfinished, and a preview is wanted.
    """

    question: int = 0
    request: GenerationRequest
    title: str
    pictures: tuple[bytes, ...]
    checking: Checking
    is_preview: bool = False

    def previewing(self, picture: bytes) -> "FinishPictures":
        """The question about a preview of an unfinished picture."""
        return msgspec.structs.replace(self, pictures=(picture,), is_preview=True)


class FinishedPictures(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker's answer to `FinishPictures`.

    Attributes:
        question: number of the question.
        outputs: the files, without those of pictures that the image check hid.
        hidden: ratings of those that it hid.
        scores: how sure the classifier was of each of these ratings; see `Rated`.
        notices: facts for the requester.
        preview: a small WebP picture, if one was asked for.
        detail: why there is nothing, for the log; empty if there is, or every picture is hidden.
    """

    question: int
    outputs: tuple[ImageFile, ...] = ()
    hidden: tuple[Rating, ...] = ()
    scores: tuple[float, ...] = ()
    notices: tuple[Notice, ...] = ()
    preview: bytes = b""
    detail: str = ""
