"""Finishing of pictures that engines of others drew: a question to a worker beside its attempts, and its answer."""

import msgspec

from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import ImageFile, Notice, Rating
from pipeline.protocol.wire.settings import Checking


class FinishPictures(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Make files of pictures that another engine drew; the worker answers with `FinishedPictures`.

    Attributes:
        question: number of the question, which its answer repeats.
        request: the request that they were drawn for.
        title: the name of the model that members see.
        pictures: the pictures in order, PNGs that Easel wrote, with no side over `MAX_INPUT_SIDE`.
        checking: what the image check does with them.
    """

    question: int = 0
    request: GenerationRequest
    title: str
    pictures: tuple[bytes, ...]
    checking: Checking


class FinishedPictures(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker's answer to `FinishPictures`.

    Attributes:
        question: number of the question.
        outputs: the files, without those of pictures that the image check hid.
        hidden: ratings of those that it hid.
        notices: facts for the requester.
        detail: why there are no files, for the log; empty if there are, or every picture is hidden.
    """

    question: int
    outputs: tuple[ImageFile, ...] = ()
    hidden: tuple[Rating, ...] = ()
    notices: tuple[Notice, ...] = ()
    detail: str = ""
