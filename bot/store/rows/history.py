"""What a member looks for among the finished pictures, and what they find, as frozen data."""

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec

from bot.store.rows.jobs import Job
from bot.store.rows.outputs import Output


class Shelf(StrEnum):
    """Whose pictures. Buttons keep these letters for ever."""

    OWN = "o"
    """Those that the member asked for."""
    STARRED = "s"
    """Of these, the starred ones."""
    FAVOURITES = "f"
    """All that the member starred, whoever asked for them."""


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What a member looks for.

    Attributes:
        user_id: the member.
        shelf: whose pictures.
        words: each of them must occur in the prompt, whatever its case is.
        model_mark: `mark_of` the model's key; empty for any model.
        since: the earliest time of asking; None for any.
        before: pictures are older than this; None for any.
        is_among_adults: whether pictures of age-restricted channels may be shown.
    """

    user_id: int
    shelf: Shelf
    words: str = ""
    model_mark: str = ""
    since: datetime | None = None
    before: datetime | None = None
    is_among_adults: bool = False

    def fits(self, prompt: str, model_key: str) -> bool:
        """Whether a job has the words and the model."""
        folded = prompt.casefold()
        return self.model_mark in ("", mark_of(model_key)) and all(
            word in folded for word in self.words.casefold().split()
        )


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A picture's place in a history: the newest job comes first, and a job's pictures in their order."""

    job_id: int
    index: int


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """A finished picture of a history; `is_starred` says whether the member who looks starred it."""

    job: Job
    output: Output
    is_starred: bool

    @property
    def spot(self) -> Spot:
        """Its place."""
        return Spot(job_id=self.job.job_id, index=self.output.output_index)


def mark_of(model_key: str) -> str:
    """A short mark of a model's key, for the ids of buttons, which are too short for the key."""
    return hashlib.sha256(model_key.encode()).hexdigest()[:6]
