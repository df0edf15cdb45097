"""What the image check does with a job's pictures, and the check of given ones before a job is accepted."""

from collections.abc import Sequence
from typing import Final, Literal

import structlog

from bot.errors import Refused
from bot.jobs.kinds import kind_of
from bot.pictures.inputs import InputPictures
from bot.presenting.jobs.job_buttons import RATED
from bot.safety.hard_rule import HardRule
from bot.store.hits import IMAGE_CHECK, NewHit
from bot.store.images import StorageFailed
from bot.store.members.image_blocks import ImageBlockRepository
from bot.store.members.servers import Content, ServerRepository
from bot.store.rows.jobs import Job, JobOrder
from bot.store.rows.origin import Origin
from pipeline.backends.base import Backend, WorkerUnavailable
from pipeline.protocol.inputs import shown
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.outputs import Notice, Rating, is_refused
from pipeline.protocol.wire.settings import NO_CHECKING, Checking, CheckMode

CHECKED_LATER: Final = Notice(key="notice-checked-later")
"""The worker could not check a job's given pictures before the job was accepted, so it does that at the job's start."""

LOOKED_AT: Final = Notice(key="notice-looked-at")
"""Moderators see a job's pictures first, since its member appealed against their being hidden."""

_log = structlog.get_logger(__name__)


class ImageChecking:
    """The rule that decides what is checked.

    Args:
        is_possible: whether the owner wants pictures to be rated.
        where: where sexual pictures are hidden: everywhere, or only outside channels that Discord restricts to adults.
        owners_blocks: looks that are blocked everywhere.
        blocks: looks that servers block.
        servers: which pictures a channel shows.
        hard_rule: whatever the owner and the channel are, pictures of prompts with its terms for minors are checked
            most strictly.
    """

    def __init__(
        self,
        *,
        is_possible: bool,
        where: Literal["everywhere", "outside-age-restricted"],
        owners_blocks: tuple[bytes, ...],
        blocks: ImageBlockRepository,
        servers: ServerRepository,
        hard_rule: HardRule,
    ) -> None:
        self._is_possible = is_possible
        self._where: Final = where
        self._owners_blocks = owners_blocks
        self._blocks = blocks
        self._servers = servers
        self._hard_rule = hard_rule

    async def of(self, request: Request, origin: Origin, *, is_looked_at: bool = False) -> Checking:
        """What the worker does with the pictures of a job. Those that moderators look at first are not hidden.

        With a term for minors or of a blocked picture, they are hidden all the same.
        """
        if not kind_of(request).is_checked:
            return NO_CHECKING
        blocked = await self._blocks.looks(origin.asker.guild_id)
        mode = await self._mode(request, origin)
        if is_looked_at and not self.names_minors(request):
            mode = "none" if mode == "none" else "rate"
        return Checking(mode=mode, blocked=self._owners_blocks + blocked)

    def names_minors(self, request: Request) -> bool:
        """Whether the prompt of a request has a term for minors."""
        return self._hard_rule.names_minors(request)

    async def _mode(self, request: Request, origin: Origin) -> CheckMode:
        if self.names_minors(request) or await self._servers.content(origin.asker) is Content.STRICT:
            return "strict"
        if not self._is_possible:
            return "none"
        return "rate" if self._where == "outside-age-restricted" and origin.is_age_restricted else "hide"


class InputChecking:
    """Checks given pictures before a job with them is accepted.

    Args:
        rule: the owner's rule.
        backend: rates pictures.
        inputs: the pictures.
    """

    def __init__(self, *, rule: ImageChecking, backend: Backend, inputs: InputPictures) -> None:
        self._rule = rule
        self._backend = backend
        self._inputs = inputs

    async def check(self, order: JobOrder) -> tuple[Notice, ...]:
        """Check the pictures of an order. A refused one is removed, unless another job names it.

        Returns:
            Nothing, or a notice that the job's start checks them, since the worker is starting, or was too busy.

        Raises:
            Refused: one of them may not be used, or is not kept any more.
        """
        hashes = shown(order.request.inputs)
        if not hashes:
            return ()
        checking = await self._rule.of(order.request, order.origin)
        if checking.mode in ("none", "rate") and not checking.blocked:
            return ()
        try:
            checked = await self._backend.check([await self._inputs.read(sha256) for sha256 in hashes], checking)
        except StorageFailed as error:
            raise Refused("refused-input-gone") from error
        except WorkerUnavailable as error:
            _log.info("pictures not checked yet", action="checked_later", detail=str(error))
            return (CHECKED_LATER,)
        if not checked.ratings:
            _log.warning("pictures not checked yet", action="checked_later", detail=checked.detail)
            return (CHECKED_LATER,)
        if any(is_refused(rating, checking.mode) for rating in checked.ratings):
            ratings = sorted(checked.ratings)
            _log.info("picture refused", action="input_refused", ratings=ratings, requester_id=order.requester_id)
            await self._inputs.remove_unnamed(hashes)
            raise Refused("refused-flagged-input")
        return ()

    async def let_go(self, request: Request) -> None:
        """Remove the given pictures of a request of which nothing may be kept, unless a job names them."""
        await self._inputs.remove_unnamed(each.sha256 for each in request.inputs)


def is_veiled(job: Job, rating: Rating) -> bool:
    """Whether a picture is shown behind a spoiler: among adults a sexual one, elsewhere a suggestive one."""
    return rating is Rating.SEXUAL or (rating is Rating.SUGGESTIVE and not job.origin.is_age_restricted)


def rated(ratings: Sequence[Rating], scores: Sequence[float] = ()) -> Notice:
    """The notice of what the image check took hidden pictures for: the worst rating, and its score in percent.

    A host of an earlier version tells no scores.
    """
    order = tuple(Rating).index
    worst = max(ratings, key=order)
    score = max((score for rating, score in zip(ratings, scores, strict=False) if rating is worst), default=0.0)
    return Notice(key=RATED, values={"rating": worst, "score": round(100 * score)})


def hidden_hit(job: Job) -> NewHit | None:
    """What moderators see of an appeal against hidden pictures; None where there is no appeal."""
    rating = next((str(notice.values["rating"]) for notice in job.notices if notice.key == RATED), None)
    if rating is None:
        return None
    return NewHit(
        guild_id=job.guild_id,
        user_id=job.requester_id,
        whose=IMAGE_CHECK,
        rule=0,
        word=rating,
        part="",
        how=(),
        prompt=job.request.prompt,
        request=job.request,
        locale=job.origin.locale,
    )


def is_looked_at(job: Job) -> bool:
    """Whether moderators see a job's pictures first, since its member appealed."""
    return job.hold is not None and LOOKED_AT in job.notices
