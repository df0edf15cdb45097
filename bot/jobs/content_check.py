"""The rule that decides which jobs' outputs are checked before anybody sees them."""

from typing import Literal

import msgspec

from bot.jobs.kinds import kind_of
from bot.store.rows.jobs import Job


class ContentCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's rule.

    Attributes:
        is_possible: whether there is a safety checker.
        where: everywhere, or only outside channels that Discord restricts to adults.
    """

    is_possible: bool
    where: Literal["everywhere", "outside-age-restricted"]

    def applies_to(self, job: Job) -> bool:
        """Whether a job's flagged outputs are hidden."""
        is_seen = self.is_possible and kind_of(job.request).is_checked
        return is_seen and (self.where == "everywhere" or not job.origin.is_age_restricted)
