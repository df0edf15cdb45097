"""What goes wrong with a job, and which family of failure an exception belongs to."""

import contextlib
import logging
from collections.abc import Generator
from typing import Final

import torch

from pipeline.protocol.errors import FailureReason

log = logging.getLogger(__name__)


class InvalidRequest(Exception):
    """The engine cannot do what was asked; the message is one plain sentence."""


class UnfitSampler(InvalidRequest):
    """The sampler cannot draw with this model; the message is one plain sentence."""


class ModelUnavailable(Exception):
    """A model's files are missing or broken; the message is one plain sentence."""


class BrokenImage(Exception):
    """Latents or pixels hold NaN or infinity, or nothing at all."""


class DeviceLost(Exception):
    """The device failed in a way that this process cannot recover from; it must end."""


# A class stands before those that it is one of.
_REASONS: Final = {
    UnfitSampler: FailureReason.UNFIT_SAMPLER,
    InvalidRequest: FailureReason.INVALID_REQUEST,
    ModelUnavailable: FailureReason.MODEL_UNAVAILABLE,
    BrokenImage: FailureReason.BROKEN_IMAGE,
    torch.OutOfMemoryError: FailureReason.OUT_OF_MEMORY,
    MemoryError: FailureReason.OUT_OF_MEMORY,
    torch.AcceleratorError: FailureReason.DEVICE_ERROR,
}

# torch raises a bare RuntimeError for these: only the message tells them apart.
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
"""Characters of a library's word that an owner reads; the log has all."""


def reason_of(error: BaseException) -> FailureReason:
    """The family of failure that members are told about."""
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
    """One line for the log."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:2_000]


@contextlib.contextmanager
def blaming(what_failed: str) -> Generator[None]:
    """Turn whatever a library raises over a model's files into one sentence about the model; the log has the rest.

    A full memory and a lost device keep their own word, since they are not the files' fault.

    Args:
        what_failed: the sentence, to which the library's word is added.

    Raises:
        ModelUnavailable: something was raised.
    """
    try:
        yield
    # Parsers written in Rust end a panic with an exception that is no Exception.
    except BaseException as error:
        is_panic = type(error).__name__ == "PanicException"
        if isinstance(error, ModelUnavailable) or not (isinstance(error, Exception) or is_panic):
            raise
        if reason_of(error) in (FailureReason.OUT_OF_MEMORY, FailureReason.DEVICE_ERROR):
            raise
        log.warning("%s: %s", what_failed, detail_of(error), exc_info=error)
        raise ModelUnavailable(f"{what_failed}: {detail_of(error)[:_SAID].rstrip('.')}.") from error


def let_go(error: BaseException) -> None:
    """Drop tracebacks, whose frames keep the tensors of what failed, so that their memory can be released."""
    chained: BaseException | None = error
    while chained is not None:
        chained.__traceback__ = None
        chained = chained.__cause__ or chained.__context__


def heed_loss(failure: BaseException | None) -> None:
    """What broke the device in work that nobody waits for is nobody's failure, but the end of this process.

    Raises:
        DeviceLost: it broke the device.
    """
    if failure is not None and reason_of(failure) is FailureReason.DEVICE_ERROR:
        raise DeviceLost(detail_of(failure))
