"""From finished outputs to a message with them, and the charge for it.

The outputs are on disk and in the database before they go to Discord. So a crash in between loses nothing: the next
start checks whether they arrived, and otherwise delivers them again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import discord
import msgspec
import structlog

from bot.calls.errors import CallFailed, MessageGone, NotPermitted, TooLarge
from bot.calls.messages import Calls
from bot.calls.repeating import Files
from bot.errors import new_error_id
from bot.jobs import kinds
from bot.jobs.accepting import Accepting
from bot.jobs.delivering.conversation import JobMessage
from bot.jobs.delivering.fitting import fit
from bot.jobs.delivering.last_words import LastWords, Present
from bot.jobs.image_checking import ImageChecking, is_veiled, rated
from bot.jobs.judging import Judging
from bot.jobs.keeping import Keeping
from bot.jobs.kinds import kind_of
from bot.jobs.preparing import Preparing
from bot.presenting.jobs import moderated_message
from bot.presenting.jobs.job_message import Allowance
from bot.presenting.jobs.output_files import ShownOutput, output_file_name
from bot.presenting.links import job_link
from bot.presenting.texts import spoken, text
from bot.provenance.signing import Signing, SigningFailed
from bot.store.images import ImageStore, StorageFailed, extension_of
from bot.store.jobs import JobRepository
from bot.store.members.user_settings import UserSettingsRepository
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Hold, Job, JobStatus
from bot.store.rows.origin import StartedBy
from bot.store.rows.outputs import Output
from config.catalogue import Catalogue
from pipeline.protocol.wire.outputs import Notice, Rating

_LONG: Final = timedelta(seconds=30)
"""Members do not watch the message for longer than this, so a longer job notifies them."""
_PARTS_OF_LIMIT: Final = (1, 2, 4)
"""Divisors of the interaction's file size limit. The real limit may be lower, if the job moved or boosts ended."""
_REDUCED: Final = Notice(key="notice-reduced")


class Delivery:
    """Ends jobs, with outputs or with a sentence and a refund."""

    def __init__(
        self,
        *,
        jobs: JobRepository,
        images: ImageStore,
        catalogue: Catalogue,
        accepting: Accepting,
        preparing: Preparing,
        calls: Calls,
        user_settings: UserSettingsRepository,
        last_words: LastWords,
        signing: Signing,
        image_checking: ImageChecking,
        keeping: Keeping,
        judging: Judging,
        hold: Callable[[Job, datetime], Awaitable[None]],
        end_hold: Callable[[Job], Awaitable[None]],
    ) -> None:
        self._show_to_moderators = hold
        self._take_from_moderators = end_hold
        self._signing = signing
        self._image_checking = image_checking
        self._keeping = keeping
        self._judging = judging
        self._calls = calls
        self._user_settings = user_settings
        self._last_words = last_words
        self._jobs = jobs
        self._images = images
        self._catalogue = catalogue
        self._accepting = accepting
        self._preparing = preparing
        self._log = structlog.get_logger(__name__)

    async def deliver(self, job: Job, message: JobMessage) -> None:
        """Show stored outputs and charge for them. If Discord refuses them for good or for too long, refund."""
        current = await self._jobs.get(job.job_id)
        if current is None or current.status is not JobStatus.RUNNING:
            return  # it ended meanwhile with a refund, and uncharged outputs must not be shown
        outputs = await self._jobs.outputs(job.job_id)
        if job.origin.is_age_restricted and not self._calls.is_among_adults(job):
            job, outputs = await self._opened(job, outputs)
        if not outputs:
            await self._hide(job, message)
            return
        if current.hold in (Hold.WANTED, Hold.HELD):
            await self._hold(job, message)
            return
        try:
            files = [(_name(job, output), await self._images.read(output.sha256)) for output in outputs]
        except StorageFailed as error:
            await self.fail(job, message, JobFailure.INTERNAL, str(error))
            return
        try:
            await self._show(job, message, outputs, files)
        except CallFailed as error:
            if not await self._last_words.send_directly(job, outputs, files, error):
                await self.fail(job, message, _failure_of(error), repr(error))
                return
        except SigningFailed as error:
            await self.fail(job, message, JobFailure.UNSIGNED, str(error))
            return
        await self.settle(job)

    async def _opened(self, job: Job, outputs: list[Output]) -> tuple[Job, list[Output]]:
        """A drawn job whose channel is not for adults any more, and its outputs: none if one of them is sexual."""
        await self._jobs.note_opened(job.job_id)
        opened = msgspec.structs.replace(job, origin=msgspec.structs.replace(job.origin, is_age_restricted=False))
        ratings = [output.rating for output in outputs]
        if Rating.SEXUAL not in ratings:
            return opened, outputs
        self._log.info("pictures hidden", action="hidden", ratings=ratings, **job.log_context())
        await self._keeping.remove_outputs(job)
        await self._jobs.drop_outputs(job.job_id)
        return await self._jobs.add_notice(job.job_id, rated(ratings)), []

    async def _hold(self, job: Job, message: JobMessage) -> None:
        """Hold a drawn job until a moderator looked. Its price stays reserved."""
        try:
            await self._last_words.show(job, message, moderated_message.held, [])
        except CallFailed as error:
            await self.fail(job, message, _failure_of(error), repr(error))
            return
        await self._show_to_moderators(job, datetime.now(UTC))
        self._log.info("job held", action="held", **job.log_context())

    async def _show(self, job: Job, message: JobMessage, outputs: list[Output], originals: Files) -> None:
        """Show the outputs at the largest file size that Discord accepts here.

        Raises:
            CallFailed: the outputs cannot be shown.
            SigningFailed: they must be made smaller and signed again, and cannot be.
        """
        indexes = [output.output_index for output in outputs]
        allowance = Allowance(left=(await self._accepting.standing(job.origin.asker)).left)
        for part in _PARTS_OF_LIMIT:
            limit = job.origin.filesize_limit // part
            fitted = await asyncio.to_thread(fit, originals, limit, self._signing.reserve_bytes)
            files = await self._signing.copies(job, indexes, originals, fitted)
            shown = tuple(
                ShownOutput(
                    index=output.output_index,
                    file_name=name,
                    data=data,
                    sides=output.sides,
                    is_veiled=is_veiled(job, output.rating),
                )
                for (name, data), output in zip(files, outputs, strict=True)
            )
            present = self._presenter(shown, allowance, is_reduced=files != originals)
            try:
                await self._last_words.show(job, message, present, files)
            except TooLarge:
                if part == _PARTS_OF_LIMIT[-1]:
                    raise
            else:
                return

    def _presenter(self, outputs: tuple[ShownOutput, ...], allowance: Allowance, *, is_reduced: bool) -> Present:
        """A function from a job to the layout with its outputs. The job may change, if its words must be hidden."""

        def present(job: Job) -> discord.ui.LayoutView:
            spec = self._catalogue.entries.get(job.request.model_key)
            shown = _with_notice(job, _REDUCED) if is_reduced else job
            return kind_of(job.request).done(shown, outputs=outputs, spec=spec, allowance=allowance)

        return present

    async def say_again(self, now: datetime) -> None:
        """Retry messages whose last edit failed some minutes ago."""
        await self._last_words.say_again(now)

    async def settle(self, job: Job) -> None:
        """Charge for the delivered outputs."""
        outputs = await self._jobs.outputs(job.job_id)
        is_first = await self._jobs.deliver(job.job_id, outputs_delivered=len(outputs))
        waited = self._preparing.waited(job)
        self._log.info("job delivered", action="delivered", **job.log_context())
        if is_first and waited > _LONG:
            await self._notify(job)

    async def _notify(self, job: Job) -> None:
        """Notify a member who waited long, since an edit notifies nobody. One try is enough.

        A sheet has many jobs, so none of them notifies.
        """
        if job.origin.started_by is StartedBy.GRID:
            return
        if not (await self._user_settings.get(job.requester_id)).notifies_when_done:
            return
        shown = await self._jobs.get(job.job_id) or job  # it may have a new message
        with spoken(job.origin.locale):
            sentence = text("notify-done", user_id=str(job.requester_id), job=job_link(shown))
        try:
            await self._calls.notify(shown, sentence)
        except CallFailed as error:
            self._log.info("not notified", action="not_notified", error=repr(error), **job.log_context())

    async def note_hidden(self, job: Job, ratings: Sequence[Rating], scores: Sequence[float] = ()) -> Job:
        """Note what the image check hid. The audit log has what the hard rule forbids, and nothing of it is kept.

        Returns:
            The job, which tells its member what the pictures were taken for, unless the hard rule forbids them.
        """
        if not ratings:
            return job
        self._log.info("pictures hidden", action="hidden", ratings=ratings, **job.log_context())
        if not self._image_checking.names_minors(job.request):
            return msgspec.structs.replace(job, notices=(*job.notices, rated(ratings, scores)))
        if Rating.SEXUAL in ratings:
            await self._keeping.let_go(job)
            await self._judging.note_hard_refusal(job.origin.asker, datetime.now(UTC), job.job_id)
        return job

    async def _hide(self, job: Job, message: JobMessage) -> None:
        """Say that the safety filter hid every output, and refund."""
        ended = await self._jobs.end(job.job_id, status=JobStatus.FAILED, failure=JobFailure.FLAGGED, error_id=None)
        if ended is not None:
            self._log.info("job flagged", action="flagged", **job.log_context())
            await self._say_end(ended, message)

    async def fail(self, job: Job, message: JobMessage, failure: JobFailure, detail: str) -> None:
        """Refund and show the cause of the failure."""
        error_id = new_error_id()
        ended = await self._jobs.end(job.job_id, status=JobStatus.FAILED, failure=failure, error_id=error_id)
        self._log.warning(
            "job failed",
            action="failed",
            failure=failure,
            error_id=error_id,
            detail=detail,
            **job.log_context(),
        )
        if ended is not None:
            await self._say_end(ended, message)

    async def cancel(self, job: Job, message: JobMessage) -> None:
        """Refund and show the cancellation."""
        ended = await self._jobs.end(job.job_id, status=JobStatus.CANCELLED, failure=None, error_id=None)
        if ended is not None:
            self._log.info("job cancelled", action="cancelled", **job.log_context())
            await self._say_end(ended, message)

    async def _say_end(self, ended: Job, message: JobMessage) -> None:
        """Show how a job ended. What moderators did not decide about is taken from their card."""
        await self._last_words.say(ended, message, kinds.ended)
        if ended.hold is Hold.HELD:
            await self._take_from_moderators(ended)


def _with_notice(job: Job, notice: Notice) -> Job:
    return msgspec.structs.replace(job, notices=(*job.notices, notice))


def _failure_of(error: CallFailed) -> JobFailure:
    """The failure code of outputs that could not be shown."""
    match error:
        case MessageGone():
            return JobFailure.MESSAGE_GONE
        case NotPermitted():
            return JobFailure.NOT_PERMITTED
        case TooLarge():
            return JobFailure.TOO_LARGE
        case _:
            return JobFailure.DELIVERY


def _name(job: Job, output: Output) -> str:
    return output_file_name(job, output.output_index, extension_of(output.media_type))
