"""Why a job failed: every value of the column `failure`."""

from enum import StrEnum
from typing import Final

from pipeline.protocol.errors import FailureReason


class JobFailure(StrEnum):
    """Why a job ended without a picture at its member. The text `failure-…` tells each.

    The first ones are those of the engine and its worker, under the same names. The others only the bot knows.
    """

    INVALID_REQUEST = FailureReason.INVALID_REQUEST
    UNFIT_SAMPLER = FailureReason.UNFIT_SAMPLER
    MODEL_UNAVAILABLE = FailureReason.MODEL_UNAVAILABLE
    OUT_OF_MEMORY = FailureReason.OUT_OF_MEMORY
    BROKEN_IMAGE = FailureReason.BROKEN_IMAGE
    DEVICE_ERROR = FailureReason.DEVICE_ERROR
    WORKER_DIED = FailureReason.WORKER_DIED
    WORKER_HUNG = FailureReason.WORKER_HUNG
    TIMEOUT = FailureReason.TIMEOUT
    INTERNAL = FailureReason.INTERNAL

    STORAGE = "storage"
    """The disk took no picture for some minutes."""
    UNANSWERED = "unanswered"
    """Discord showed the job to nobody."""
    WAITED = "waited"
    """It waited longer than the owner allows."""
    FLAGGED = "flagged"
    """The content check left nothing that may be shown. The text is `job-flagged`."""
    MESSAGE_GONE = "message-gone"
    """Somebody deleted the message."""
    NOT_PERMITTED = "not-permitted"
    """Easel may not write where the message is."""
    TOO_LARGE = "too-large"
    """Discord takes no files of this size there."""
    DELIVERY = "delivery"
    """Discord took the pictures nowhere, for another reason."""


NOT_SHOWN: Final = (JobFailure.NOT_PERMITTED, JobFailure.TOO_LARGE, JobFailure.DELIVERY)
"""Failures of jobs whose pictures exist and could not be shown."""
