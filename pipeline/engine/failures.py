"""Exceptions of the engine, and the failure reason of each exception."""

import contextlib
import logging
from collections.abc import Generator
from typing import Final

import torch

from pipeline.protocol.errors import FailureReason

log = logging.getLogger(__name__)


class InvalidRequest(Exception):
    """The engine cannot run this request; the message is one plain sentence."""


class UnfitSampler(InvalidRequest):
    """The sampler does not work with this model; the message is one plain sentence."""


class FlaggedInput(Exception):
    """The image check calls a picture sexual that the job was given."""


class ModelUnavailable(Exception):
    """A model's files are missing or broken; the message is one plain sentence."""


class BrokenImage(Exception):
    """Latents or pixels hold NaN or infinity, or are empty."""


class DeviceLost(Exception):
    """The device failed and this process cannot recover; the process must end."""


# A subclass stands before its base class, because the first match counts.
_REASONS: Final = {
    UnfitSampler: FailureReason.UNFIT_SAMPLER,
    InvalidRequest: FailureReason.INVALID_REQUEST,
    FlaggedInput: FailureReason.FLAGGED_INPUT,
    ModelUnavailable: FailureReason.MODEL_UNAVAILABLE,
    BrokenImage: FailureReason.BROKEN_IMAGE,
    torch.OutOfMemoryError: FailureReason.OUT_OF_MEMORY,
    MemoryError: FailureReason.OUT_OF_MEMORY,
    torch.AcceleratorError: FailureReason.DEVICE_ERROR,
}

# torch raises a bare RuntimeError in these cases. Only its message tells the cause.
_OUT_OF_MEMORY_WORDS: Final = ("out of memory", "can't allocate memory", "not enough memory")
_DEVICE_WORDS: Final = (
    "cuda error",
    "device-side assert",
    "cublas_status",
    "cudnn_status",
    "hip error",
    "mps backend",
)


_SAID: Final = 300
"""Characters of a library's message that the owner is shown; the log holds the whole message."""


def reason_of(error: BaseException) -> FailureReason:
    """Failure reason of an exception, as members are told."""
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    if isinstance(error, RuntimeError):
        message = str(error).lower()
        if any(words in message for words in _OUT_OF_MEMORY_WORDS):
            return FailureReason.OUT_OF_MEMORY
        if any(words in message for words in _DEVICE_WORDS):
            return FailureReason.DEVICE_ERROR
    return FailureReason.INTERNAL


def detail_of(error: BaseException) -> str:
    """Exception as one line for the log, at most 2,000 characters."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:2_000]


@contextlib.contextmanager
def blaming(what_failed: str) -> Generator[None]:
    """Turn any exception of a library that reads a model's files into ModelUnavailable; the log holds the traceback.

    Out-of-memory and device errors pass through unchanged, since the files did not cause them.

    Args:
        what_failed: the start of the message; the library's message follows it.

    Raises:
        ModelUnavailable: the library raised an exception.
    """
    try:
        yield
    # A panic of a parser written in Rust raises PanicException, which does not derive from Exception.
    except BaseException as error:
        is_panic = type(error).__name__ == "PanicException"
        if isinstance(error, ModelUnavailable) or not (isinstance(error, Exception) or is_panic):
            raise
        if reason_of(error) in (FailureReason.OUT_OF_MEMORY, FailureReason.DEVICE_ERROR):
            raise
        log.warning("%s: %s", what_failed, detail_of(error), exc_info=error)
        raise ModelUnavailable(f"{what_failed}: {detail_of(error)[:_SAID].rstrip('.')}.") from error


def drop_tracebacks(error: BaseException) -> None:
    """Drop the tracebacks of an exception and its causes: their frames hold tensors, and so keep memory in use."""
    chained: BaseException | None = error
    while chained is not None:
        chained.__traceback__ = None
        chained = chained.__cause__ or chained.__context__


def raise_if_device_lost(failure: BaseException | None) -> None:
    """Raise DeviceLost if background work failed because the device is broken.

    No job waits for such work, so no job fails. A broken device must still end this process.

    Args:
        failure: the exception of the background work; None means that it succeeded.

    Raises:
        DeviceLost: the device is broken.
    """
    if failure is not None and reason_of(failure) is FailureReason.DEVICE_ERROR:
        raise DeviceLost(detail_of(failure))
