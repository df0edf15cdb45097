"""Why a job failed: every value of the column `failure`."""

from enum import StrEnum
from typing import Final

from pipeline.protocol.errors import FailureReason


class JobFailure(StrEnum):
    """Failure codes of a job. The text `failure-…` explains each to members.

    The first group repeats the codes of the engine and its worker. The second group arises in the bot.
    """

    INVALID_REQUEST = FailureReason.INVALID_REQUEST
    UNFIT_SAMPLER = FailureReason.UNFIT_SAMPLER
    FLAGGED_INPUT = FailureReason.FLAGGED_INPUT
    MODEL_UNAVAILABLE = FailureReason.MODEL_UNAVAILABLE
    OUT_OF_MEMORY = FailureReason.OUT_OF_MEMORY
    BROKEN_IMAGE = FailureReason.BROKEN_IMAGE
    DEVICE_ERROR = FailureReason.DEVICE_ERROR
    WORKER_DIED = FailureReason.WORKER_DIED
    WORKER_HUNG = FailureReason.WORKER_HUNG
    HOST_LOST = FailureReason.HOST_LOST
    ENGINE_FAILED = FailureReason.ENGINE_FAILED
    REFUSED_ELSEWHERE = FailureReason.REFUSED_ELSEWHERE
    MAYBE_BILLED = FailureReason.MAYBE_BILLED
    TIMEOUT = FailureReason.TIMEOUT
    INTERNAL = FailureReason.INTERNAL

    STORAGE = "storage"
    """The disk accepted no picture for some minutes."""
    UNSIGNED = "unsigned"
    """The pictures had to be signed, and could not be for some minutes."""
    INPUT_GONE = "input-gone"
    """A picture that the job was given is no longer on the disk."""
    UNANSWERED = "unanswered"
    """Discord never accepted the answer that shows the job."""
    WAITED = "waited"
    """The job waited longer than the owner allows."""
    FLAGGED = "flagged"
    """Every image was hidden by the safety filter. The text is `job-flagged`."""
    MESSAGE_GONE = "message-gone"
    """Somebody deleted the message."""
    NOT_PERMITTED = "not-permitted"
    """Easel may not write where the message is."""
    TOO_LARGE = "too-large"
    """The files are larger than Discord accepts in that place."""
    NOT_ALLOWED = "not-allowed"
    """A moderator did not agree that the pictures are shown."""
    NOT_REVIEWED = "not-reviewed"
    """No moderator looked at the pictures within a day."""
    DELIVERY = "delivery"
    """Discord refused the pictures for another reason."""


NOT_SHOWN: Final = (JobFailure.NOT_PERMITTED, JobFailure.TOO_LARGE, JobFailure.DELIVERY)
"""Failures of jobs whose pictures exist and could not be shown."""
