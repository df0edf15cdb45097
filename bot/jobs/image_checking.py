"""The rule that decides what the image check does with a job's pictures, and which ones are shown veiled."""

from typing import Literal

import msgspec

from bot.jobs.kinds import kind_of
from bot.store.rows.jobs import Job
from pipeline.protocol.wire.outputs import Rating
from pipeline.protocol.wire.settings import Checking


class ImageChecking(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's rule.

    Attributes:
        is_possible: whether anything checks pictures.
        where: where sexual pictures are hidden: everywhere, or only outside channels that Discord restricts to adults.
    """

    is_possible: bool
    where: Literal["everywhere", "outside-age-restricted"]

    def of(self, job: Job) -> Checking:
        """What the worker does with the job's pictures."""
        if not self.is_possible or not kind_of(job.request).is_checked:
            return "none"
        return "rate" if self.where == "outside-age-restricted" and job.origin.is_age_restricted else "hide"


def is_veiled(job: Job, rating: Rating) -> bool:
    """Whether a picture is shown behind a spoiler: among adults a sexual one, elsewhere a suggestive one."""
    return rating is Rating.SEXUAL or (rating is Rating.SUGGESTIVE and not job.origin.is_age_restricted)
