"""The showcase: pictures that enough other members keep are posted once in a channel of their server.

Nothing is shown without its member's consent, and nothing leaves a place that not everybody sees: a private channel, or
one for adults. The table `exhibits` names what was begun, so a crash neither loses a message nor posts it twice.
"""

import asyncio
import sqlite3
from functools import partial
from typing import Final

import structlog

from bot.calls.errors import CallFailed, MessageGone
from bot.calls.messages import Calls
from bot.calls.repeating import Files
from bot.jobs.delivering.fitting import DIRECT_MESSAGE_LIMIT, fit
from bot.jobs.image_checking import is_veiled
from bot.jobs.keeping import Keeping
from bot.presenting import showcase_message
from bot.presenting.jobs.output_files import exhibit_file_name, is_exhibit_of
from bot.presenting.links import job_link
from bot.presenting.texts import spoken, text
from bot.provenance.signing import Signing, SigningFailed
from bot.store.images import StorageFailed, extension_of
from bot.store.jobs import JobRepository
from bot.store.members.servers import Decision
from bot.store.members.showcase import Exhibit, ShowcaseRepository, ShowcaseRule
from bot.store.members.user_settings import UserSettingsRepository
from bot.store.rows.jobs import Job, JobStatus

_TICK_S: Final = 10.0

_log = structlog.get_logger(__name__)


class Showcase:
    """What is shown, and what is taken down again."""

    def __init__(
        self,
        *,
        calls: Calls,
        jobs: JobRepository,
        exhibits: ShowcaseRepository,
        user_settings: UserSettingsRepository,
        keeping: Keeping,
        signing: Signing,
    ) -> None:
        self._calls = calls
        self._jobs = jobs
        self._exhibits = exhibits
        self._user_settings = user_settings
        self._keeping = keeping
        self._signing = signing
        self._one_at_a_time = asyncio.Lock()

    async def rule(self, guild_id: int) -> ShowcaseRule | None:
        """A server's rule; None if it has no showcase."""
        return await self._exhibits.rule(guild_id)

    async def set_rule(self, by: Decision, rule: ShowcaseRule | None) -> None:
        """Set a server's rule; None ends its showcase. What was shown stays."""
        await self._exhibits.set_rule(by, rule)

    async def note_star(self, job: Job) -> None:
        """Show a job if it has enough stars now, and tell the new number where it is shown."""
        async with self._one_at_a_time:
            rule = await self._exhibits.rule(job.guild_id)
            if rule is None:
                return
            stars, shown = await self._exhibits.stars(job), await self._exhibits.get(job.job_id)
            if shown is not None and shown.channel_id is not None:
                if shown.message_id is not None and stars != shown.stars:
                    await self._tell_stars(job, shown, stars)
            elif stars >= rule.stars and await self._may_be_shown(job, rule.channel_id):
                await self._show_or_ask(job, rule, stars)

    async def note_consent(self, user_id: int) -> None:
        """Show the jobs of a member who just agreed."""
        for job in await self._exhibits.waiting(user_id):
            await self.note_star(job)

    async def withdraw(self, job: Job) -> None:
        """Let a job be shown no more. Its message goes within seconds."""
        await self._exhibits.withdraw(job.job_id)

    async def run(self) -> None:
        """Post what a crash interrupted, then take down what must go, until cancelled."""
        is_begun = False
        while True:
            try:
                if not is_begun:
                    await self._go_on()
                    is_begun = True
                await self._take_down()
            except sqlite3.Error as error:
                _log.error("showcase not tidied", action="showcase", error=repr(error))
            await asyncio.sleep(_TICK_S)

    async def _show_or_ask(self, job: Job, rule: ShowcaseRule, stars: int) -> None:
        is_shown = (await self._user_settings.get(job.requester_id)).is_shown
        if is_shown is None and await self._exhibits.note_waiting(job, stars):
            with spoken(job.origin.locale):
                sentence = text("showcase-ask", job=job_link(job), stars=stars, channel_id=str(rule.channel_id))
            await self._calls.posting.tell(job.requester_id, sentence)
        elif is_shown and await self._exhibits.claim(job.job_id, rule.channel_id, stars):
            await self._post(job, rule.channel_id, stars)

    async def _may_be_shown(self, job: Job, channel_id: int) -> bool:
        """Whether everybody may see a job's pictures in a channel."""
        if job.status is not JobStatus.SUCCEEDED or job.hold is not None:
            return False
        if job.removed_at is not None or job.blanked_for is not None or job.guild_id != job.origin.shown_guild_id:
            return False
        if any(is_veiled(job, output.rating) for output in await self._jobs.outputs(job.job_id)):
            return False
        posting = self._calls.posting
        is_for_adults = job.origin.is_age_restricted or posting.is_age_restricted(job.channel_id)
        if is_for_adults and not posting.is_age_restricted(channel_id):
            return False
        return job.channel_id == channel_id or posting.is_open(job.channel_id)

    async def _post(self, job: Job, channel_id: int, stars: int) -> None:
        """Post a claimed job. What Discord refuses is tried again at the next start."""
        try:
            files = await self._files(job)
            names = [name for name, _ in files]
            with spoken(self._calls.posting.locale_of(job.guild_id)):
                view = showcase_message.exhibit(job, stars, names)
            nonce = f"easel-show-{job.job_id}"
            message_id = await self._calls.posting.post(channel_id, view=view, nonce=nonce, files=files)
        except (StorageFailed, SigningFailed, CallFailed) as error:
            _log.warning("not shown", action="not_shown", channel_id=channel_id, error=repr(error), **job.log_context())
            return
        await self._exhibits.note_message(job.job_id, message_id, names)

    async def _post_or_withdraw(self, job: Job, channel_id: int, stars: int) -> None:
        """Post a job whose message a crash prevented, unless its member or a moderator has decided otherwise since."""
        is_shown = (await self._user_settings.get(job.requester_id)).is_shown
        if is_shown and await self._may_be_shown(job, channel_id):
            await self._post(job, channel_id, stars)
        else:
            await self._exhibits.withdraw(job.job_id)

    async def _tell_stars(self, job: Job, shown: Exhibit, stars: int) -> None:
        with spoken(self._calls.posting.locale_of(job.guild_id)):
            view = showcase_message.exhibit(job, stars, shown.file_names)
        try:
            await self._calls.posting.edit(shown.channel_id or 0, shown.message_id or 0, view, keeps_files=True)
        except CallFailed as error:
            _log.info("stars not told", action="stars_stale", error=repr(error), **job.log_context())
        else:
            await self._exhibits.note_stars(job.job_id, stars)

    async def _go_on(self) -> None:
        """Find or post the messages of jobs that were claimed when the last process ended."""
        for job in await self._exhibits.unposted():
            shown = await self._exhibits.get(job.job_id)
            if shown is None or shown.channel_id is None:
                continue
            try:
                found = await self._calls.posting.find(shown.channel_id, partial(is_exhibit_of, job))
            except CallFailed as error:
                _log.warning("not looked for", action="not_shown", error=repr(error), **job.log_context())
                continue
            if found is None:
                await self._post_or_withdraw(job, shown.channel_id, shown.stars)
            else:
                await self._exhibits.note_message(job.job_id, found.message_id, found.file_names)
            await self.note_star(job)  # some may have come meanwhile

    async def _take_down(self) -> None:
        """Delete the messages that must go. What Discord refuses now is tried again."""
        for shown in await self._exhibits.unwanted():
            try:
                await self._calls.posting.delete(shown.channel_id or 0, shown.message_id or 0)
            except MessageGone:
                pass
            except CallFailed as error:
                _log.info("not taken down", action="not_taken_down", job_id=shown.job_id, error=repr(error))
                continue
            await self._exhibits.taken_down(shown.job_id)

    async def _files(self, job: Job) -> Files:
        """The pictures; those that were made smaller are signed again.

        Raises:
            StorageFailed: a file is gone.
            SigningFailed: they must be signed, and cannot be.
        """
        outputs = await self._jobs.outputs(job.job_id)
        originals = [
            (
                exhibit_file_name(job, output.output_index, extension_of(output.media_type)),
                await self._keeping.read(output.sha256),
            )
            for output in outputs
        ]
        fitted = await asyncio.to_thread(fit, originals, DIRECT_MESSAGE_LIMIT, self._signing.reserve_bytes)
        return await self._signing.copies(job, [each.output_index for each in outputs], originals, fitted)
