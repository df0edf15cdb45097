"""Failure reasons of jobs, and the exception for invalid messages."""

from enum import StrEnum


class FailureReason(StrEnum):
    """Reason why an attempt ended without an image."""

    CANCELLED = "cancelled"
    """Somebody asked for it."""
    INVALID_REQUEST = "invalid-request"
    """The engine cannot do what was asked, however often it is tried."""
    UNFIT_SAMPLER = "unfit-sampler"
    """The sampler that was asked for cannot draw with this model; its files may have told so only now."""
    FLAGGED_INPUT = "flagged-input"
    """The image check calls a picture sexual that the job was given, so nothing was drawn."""
    MODEL_UNAVAILABLE = "model-unavailable"
    """The model's files are missing or broken."""
    OUT_OF_MEMORY = "out-of-memory"
    """Too big for this device."""
    BROKEN_IMAGE = "broken-image"
    """The numbers left the range of numbers: NaN or infinite latents."""
    DEVICE_ERROR = "device-error"
    """The device failed; the worker restarts."""
    WORKER_DIED = "worker-died"
    """The worker process ended in the middle."""
    WORKER_HUNG = "worker-hung"
    """The worker stopped moving and was ended."""
    HOST_LOST = "host-lost"
    """The host that drew it is away. It may have lost its power or its network, so the job is not to blame."""
    ENGINE_FAILED = "engine-failed"
    """An engine of others reported an error, or what it sent is no picture."""
    REFUSED_ELSEWHERE = "refused-elsewhere"
    """An image service refused the prompt by rules of its own."""
    MAYBE_BILLED = "maybe-billed"
    """The connection to a service was lost that may have billed the picture, so it is not drawn again by itself."""
    TIMEOUT = "timeout"
    """The attempt took longer than the owner allows."""
    INTERNAL = "internal"
    """An error in Easel itself."""


CRASHES = frozenset({FailureReason.WORKER_DIED, FailureReason.WORKER_HUNG, FailureReason.DEVICE_ERROR})
"""Reasons of which the job itself may be the cause."""
RETRYABLE = CRASHES | {FailureReason.HOST_LOST}
"""Reasons after which another attempt is likely to succeed."""


class ProtocolError(Exception):
    """The other side sent something that is not a message of this protocol."""
