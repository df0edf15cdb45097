"""The last state of a job. It reaches its member in the job's message, a new message, or a direct message.

When Discord refuses one way, the kind of failure names the next one (`bot.calls.errors`).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeVar

import discord
import msgspec
import structlog

from bot.calls.errors import AddressBlocked, CallFailed, MessageGone, NotNow, NotPermitted, WordsBlocked
from bot.calls.messages import Calls
from bot.calls.repeating import Files
from bot.jobs.delivering.conversation import JobMessage
from bot.jobs.delivering.fitting import DIRECT_MESSAGE_LIMIT, fit
from bot.jobs.delivering.veiling import veiled, with_reason
from bot.presenting.jobs import job_message
from bot.presenting.links import job_link
from bot.presenting.texts import spoken, text
from bot.provenance.signing import Signing, SigningFailed
from bot.store.jobs import JobRepository
from bot.store.rows.jobs import Job
from bot.store.rows.outputs import Output

_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 300.0
_AGAIN_AFTER: Final = timedelta(minutes=5)
"""Delay before a failed last edit is retried."""
_MOST_UNSAID: Final = 1_000

_T = TypeVar("_T")
Present = Callable[[Job], discord.ui.LayoutView]

_log = structlog.get_logger(__name__)


class LastWords:
    """Shows the last states of jobs.

    Args:
        calls: calls to Discord.
        jobs: remembers the message of each job.
        direct_message: when a member gets a direct message instead.
        max_wait: a job's longest wait, and so the longest one for Discord.
    """

    def __init__(
        self,
        *,
        calls: Calls,
        jobs: JobRepository,
        direct_message: Literal["never", "not-permitted", "always"],
        max_wait: timedelta,
        signing: Signing,
    ) -> None:
        self._calls = calls
        self._signing = signing
        self._jobs = jobs
        self._direct_message = direct_message
        self._max_wait = max_wait
        self._unsaid: dict[int, tuple[datetime, Present]] = {}

    async def show(self, job: Job, message: JobMessage, present: Present, files: Files) -> None:
        """Show the last state. If Discord blocks the member's words or the edit, hide them or use a new message.

        Raises:
            CallFailed: the state cannot be shown in the channel.
        """
        try:
            moved_to = await self._insist(job, lambda: message.finish(present(job), files))
        except WordsBlocked:
            hidden = await self._jobs.add_notice(job.job_id, job_message.WORDS_HIDDEN)
            try:
                moved_to = await self._insist(job, lambda: message.finish(present(hidden), files))
            except WordsBlocked as error:
                raise NotPermitted(str(error), status=error.status, code=error.code) from error
        if moved_to is not None:
            await self._jobs.record_message(job.job_id, moved_to)
            there = msgspec.structs.replace(job, message_id=moved_to)
            with contextlib.suppress(
                CallFailed
            ):  # the new message reopened an archived thread, so this edit may succeed
                await self._calls.edit_message(job, job_message.moved(there), [], is_last_word=False)

    async def say(self, job: Job, message: JobMessage, present: Present) -> None:
        """Show a last state without pictures. If that fails, send a direct message, and retry the edit later."""
        try:
            await self.show(job, message, present, [])
        except CallFailed as error:
            is_notified = await self._notify_directly(job, error)
            if not isinstance(error, MessageGone) and len(self._unsaid) < _MOST_UNSAID:
                self._unsaid[job.job_id] = (datetime.now(UTC) + _AGAIN_AFTER, present)
            if not is_notified:
                _log.warning("last word lost", action="unsaid", error=repr(error), **job.log_context())

    async def say_again(self, now: datetime) -> None:
        """Retry messages whose last edit failed some minutes ago."""
        for job_id in [job_id for job_id, (due_at, _) in self._unsaid.items() if due_at <= now]:
            _, present = self._unsaid.pop(job_id)
            job = await self._jobs.get(job_id)
            if job is not None:
                with contextlib.suppress(CallFailed):
                    await self._calls.edit_message(job, present(job), [], is_last_word=True)

    async def send_directly(self, job: Job, outputs: Sequence[Output], files: Files, error: CallFailed) -> bool:
        """Send pictures that cannot be shown to their member, if the host allows it; returns whether they arrived."""
        is_wanted = self._direct_message == "not-permitted" and isinstance(error, NotPermitted)
        if not is_wanted and self._direct_message != "always":
            return False
        smaller = await asyncio.to_thread(fit, files, DIRECT_MESSAGE_LIMIT, self._signing.reserve_bytes)
        try:
            fitted = await self._signing.copies(job, [each.output_index for each in outputs], files, smaller)
        except SigningFailed as failed:
            _log.warning("not handed over", action="not_handed_over", error=repr(failed), **job.log_context())
            return False
        with spoken(job.origin.locale):
            sentence = with_reason(text("copy-handed-over", job=job_link(job)), outputs)
        shown = veiled(outputs, fitted)
        try:
            await self._insist(job, lambda: self._calls.send_directly(job, sentence, shown))
        except CallFailed as failed:
            _log.info("not handed over", action="not_handed_over", error=repr(failed), **job.log_context())
            return False
        await self._jobs.add_notice(job.job_id, job_message.SENT_DIRECTLY)
        _log.info("handed over", action="handed_over", **job.log_context())
        return True

    async def _notify_directly(self, job: Job, error: CallFailed) -> bool:
        """Tell a member in a direct message how the job ended, if the host allows it; returns whether it arrived."""
        ended = await self._jobs.get(job.job_id)
        is_wanted = self._direct_message == "always" or not isinstance(error, MessageGone)
        if ended is None or self._direct_message == "never" or not is_wanted:
            return False
        try:
            await self._calls.notify_directly(job, job_message.end_sentence(ended))
        except CallFailed as failed:
            _log.info("not notified", action="not_notified", error=repr(failed), **job.log_context())
            return False
        return True

    async def _insist(self, job: Job, send: Callable[[], Awaitable[_T]]) -> _T:
        """Send, and retry while Discord accepts nothing, up to a job's longest wait.

        Raises:
            CallFailed: Discord refuses, or accepted nothing for too long.
        """
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await send()
            except NotNow as error:
                if datetime.now(UTC) - job.created_at > self._max_wait:
                    raise
                if isinstance(error, AddressBlocked):
                    await asyncio.sleep(error.wait_s)  # `AddressBlock` logged it
                    continue
                _log.warning("Discord is away", action="away", error=repr(error), **job.log_context())
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
