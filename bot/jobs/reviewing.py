"""Reports of members, and what moderators decide: from a report to a card, and from a decision to the message."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog

from bot.calls.errors import CallFailed, MessageGone
from bot.calls.messages import Calls
from bot.calls.repeating import Files
from bot.errors import Refused
from bot.jobs.delivering.fitting import DIRECT_MESSAGE_LIMIT, fit
from bot.jobs.image_checking import is_veiled
from bot.jobs.keeping import Keeping
from bot.pictures.receiving import Receiving
from bot.presenting.admin import case_card
from bot.presenting.admin.case_card import Card
from bot.presenting.escaping import escape
from bot.presenting.jobs import moderated_message
from bot.presenting.jobs.output_files import is_output_of
from bot.presenting.links import job_link
from bot.presenting.texts import spoken, text
from bot.safety.gate import OWNER
from bot.store.cases import CaseRepository
from bot.store.hits import IMAGE_CHECK, HitRepository, NewHit, StoredHit
from bot.store.images import StorageFailed, extension_of
from bot.store.jobs import JobRepository
from bot.store.members.servers import Decision, ServerRepository
from bot.store.rows.cases import Case, Outcome, Report
from bot.store.rows.jobs import Job

ENOUGH_REPORTS: Final = 3
"""Reports by so many members put pictures behind a spoiler, until a moderator looks."""
_NOTE: Final[dict[Outcome | None, str]] = {None: "veiled-by-reports", Outcome.SPOILER: "veiled-by-moderator"}
"""Why pictures are behind a spoiler; None before the decision."""

_log = structlog.get_logger(__name__)


class Reviewing:
    """Cases of servers, their cards, and the messages that they are about."""

    def __init__(
        self,
        *,
        calls: Calls,
        jobs: JobRepository,
        cases: CaseRepository,
        hits: HitRepository,
        servers: ServerRepository,
        keeping: Keeping,
        receiving: Receiving,
    ) -> None:
        self._calls = calls
        self._jobs = jobs
        self._cases = cases
        self._hits = hits
        self._servers = servers
        self._keeping = keeping
        self._receiving = receiving
        self._one_at_a_time = asyncio.Lock()

    async def report(self, job: Job, report: Report, now: datetime, locale: str) -> bool:
        """Keep a report and show it to the moderators; returns whether it stands in their channel.

        Args:
            job: the reported job.
            report: the report.
            now: the present time.
            locale: the server's language.

        Raises:
            AlreadyReported, TooManyReports: nothing was stored.
        """
        case, count = await self._cases.report(job, report, now)
        _log.info("reported", action="reported", reason=report.reason, case_id=case.case_id, job_id=job.job_id)
        async with self._one_at_a_time:
            if count >= ENOUGH_REPORTS and not case.is_veiled:
                case = await self._veil_by_reports(case, job, now)
            return await self._show(case, now, locale)

    async def appeal(self, hit: StoredHit, now: datetime, locale: str) -> bool:
        """Show an appeal to the moderators; returns whether it stands in their channel. The owner hears of their rules.

        Raises:
            AlreadyAppealed, TooManyAppeals: nothing was stored.
        """
        case = await self._cases.appeal(hit, now)
        _log.info("appeal", action="appeal", whose=hit.whose, rule=hit.rule, case_id=case.case_id)
        if hit.whose == OWNER:
            self._calls.owner.notify("owner-appeal")
        async with self._one_at_a_time:
            return await self._show(case, now, locale)

    async def appeal_hidden(self, job: Job, hit: NewHit, now: datetime, locale: str) -> bool:
        """Show an appeal against hidden pictures, with its words alone. It raises what `appeal` does."""
        case = await self._cases.appeal_hidden(job.job_id, hit, now)
        _log.info("appeal", action="appeal", whose=hit.whose, case_id=case.case_id, **job.log_context())
        async with self._one_at_a_time:
            return await self._show(case, now, locale)

    async def settle(self, by: Decision, case: Case, outcome: Outcome) -> Case:
        """Decide an appeal, and tell the member.

        Raises:
            Refused: somebody decided it before, or the refused request is not kept any more.
        """
        hit = None if case.hit_id is None else await self._hits.get(case.hit_id)
        if hit is None:
            raise Refused("refused-case-gone")
        if outcome not in case_card.outcomes_of(hit):
            raise Refused("refused-owners-rule")
        decided = await self._cases.close(by, case, outcome)
        if decided is None:
            raise Refused("refused-case-decided")
        if outcome is Outcome.ALLOW_ONCE:
            await self._hits.allow(hit.hit_id, by.now)
        with spoken(hit.locale):
            about = "hidden" if hit.whose == IMAGE_CHECK else "told"
            sentence = text(f"appealer-{about}-{outcome}", prompt=escape(hit.prompt))
        await self._calls.posting.tell(hit.user_id, sentence)
        return decided

    async def decide(self, by: Decision, case: Case, outcome: Outcome) -> Case:
        """Decide a case: change the message, store the decision, tell the reporters.

        Raises:
            Refused: somebody decided it before, or Discord does not let the message be changed now.
        """
        job = await self.job_of(case)
        async with self._one_at_a_time:
            if (await self._open(case)).outcome is not None:
                raise Refused("refused-case-decided")
            await self._apply(job, outcome)
            decided = await self._cases.close(by, case, outcome)
            if decided is None:
                raise Refused("refused-case-decided")
            if outcome is Outcome.REMOVE:
                await self._erase(job)
        for report in await self._cases.reports(case.case_id):
            if report.reporter_id < 0:
                continue  # they were forgotten
            with spoken(report.locale):
                sentence = text(f"reporter-told-{outcome}", job=job_link(job))
            await self._calls.posting.tell(report.reporter_id, sentence)
        return decided

    async def hold(self, job: Job, now: datetime) -> None:
        """Hold a drawn job, and show it to the moderators."""
        case = await self._cases.hold(job, now)
        async with self._one_at_a_time:
            if case.message_id is None:
                await self._show(case, now, self._calls.posting.locale_of(case.guild_id))

    async def end_hold(self, job: Job) -> None:
        """Take the pictures of a held job out of its card, if it ended without a decision."""
        async with self._one_at_a_time:  # the card may be on its way to Discord
            case = await self._cases.held(job.job_id)
            if case is not None and case.outcome is Outcome.EXPIRED:
                await self.refresh(case, datetime.now(UTC), self._calls.posting.locale_of(case.guild_id))

    async def release(self, by: Decision, case: Case, outcome: Outcome) -> Case:
        """Decide about a held job. The caller then has it shown, or ended.

        Raises:
            Refused: somebody decided it before, or the job has ended meanwhile.
        """
        decided = await self._cases.release(by, case, outcome)
        if decided is None:
            raise Refused("refused-case-decided")
        if outcome is Outcome.REFUSE:
            await self._erase(await self.job_of(case))
        return decided

    async def card_of(self, case: Case, now: datetime) -> Card:
        """What the card of a case shows."""
        job = None if case.job_id is None else await self.job_of(case)
        return Card(
            case=case,
            job=job,
            files=() if job is None or not case.is_held else await self._files(job),
            hit=None if case.hit_id is None else await self._hits.get(case.hit_id),
            reports=await self._cases.reports(case.case_id),
            warnings=await self._cases.warnings(case.guild_id, case.user_id, now),
        )

    async def refresh(self, case: Case, now: datetime, locale: str) -> None:
        """Bring the card in the moderators' channel up to date. If that fails, `/admin review` is still right."""
        if case.channel_id is None or case.message_id is None:
            return
        with spoken(locale):
            view = case_card.card(await self.card_of(case, now))
        try:
            await self._calls.posting.edit(case.channel_id, case.message_id, view, keeps_files=case.is_held)
        except CallFailed as error:
            _log.info("card not brought up to date", action="card_stale", case_id=case.case_id, error=repr(error))

    async def job_of(self, case: Case) -> Job:
        """The job that a case is about.

        Raises:
            Refused: it is not there any more.
        """
        job = None if case.job_id is None else await self._jobs.get(case.job_id)
        if job is None:
            raise Refused("refused-case-gone")
        return job

    async def _open(self, case: Case) -> Case:
        """The case as it is now."""
        return await self._cases.get(case.guild_id, case.case_id) or case

    async def _show(self, case: Case, now: datetime, locale: str) -> bool:
        """Post the card of a case, or bring it up to date; returns whether it stands in the moderators' channel."""
        channel_id = await self._servers.reports_channel(case.guild_id)
        if channel_id is None:
            return False
        if case.channel_id == channel_id and case.message_id is not None:
            await self.refresh(case, now, locale)
            return True
        shown = await self.card_of(case, now)
        with spoken(locale):
            view = case_card.card(shown)
        nonce = f"easel-case-{case.case_id}"
        try:
            message_id = await self._calls.posting.post(channel_id, view=view, nonce=nonce, files=shown.files)
        except CallFailed as error:
            _log.warning("card not posted", action="card_lost", channel_id=channel_id, error=repr(error))
            return False
        await self._cases.note_card(case.case_id, channel_id, message_id)
        return True

    async def _veil_by_reports(self, case: Case, job: Job, now: datetime) -> Case:
        """Put reported pictures behind a spoiler. If Discord refuses, the next report tries again."""
        try:
            await self._redraw(job, is_hidden=True, note=_NOTE[None])
        except CallFailed as error:
            _log.warning("pictures not veiled", action="not_veiled", error=repr(error), **job.log_context())
            return case
        return await self._cases.note_veil(Decision(guild_id=case.guild_id, actor_id=self._calls.own_id, now=now), case)

    async def _apply(self, job: Job, outcome: Outcome) -> None:
        """Change the message as decided. A message that is gone needs no change.

        Raises:
            Refused: Discord does not let it be changed.
        """
        try:
            if outcome is Outcome.REMOVE:
                await self._calls.edit_message(job, moderated_message.removed(job), [], is_last_word=True)
            else:
                await self._redraw(job, is_hidden=outcome is Outcome.SPOILER, note=_NOTE.get(outcome))
        except MessageGone:
            _log.info("message of a case is gone", action="case_message_gone", **job.log_context())
        except CallFailed as error:
            _log.warning("message of a case not changed", action="case_unapplied", error=repr(error))
            raise Refused("refused-case-unapplied") from error

    async def _redraw(self, job: Job, *, is_hidden: bool, note: str | None) -> None:
        """Set the spoilers of a job's message. What the image check put behind one stays there.

        Raises:
            CallFailed: the message is as it was.
        """
        message = await self._calls.fetch_message(job)
        if message is None:
            raise MessageGone("The message of the case is gone.")
        outputs = await self._jobs.outputs(job.job_id)
        hidden = {each.output_index for each in outputs if is_hidden or is_veiled(job, each.rating)}
        view = moderated_message.veiled(job, message, partial(is_output_of, job, indexes=hidden), note=note)
        await self._calls.edit_message(job, view, None, is_last_word=True)

    async def _files(self, job: Job) -> Files:
        """The pictures of a held job as moderators see them. Their names are not those of a delivered message."""
        files: list[tuple[str, bytes]] = []
        for output in await self._jobs.outputs(job.job_id):
            try:
                data = await self._keeping.read(output.sha256)
            except StorageFailed as error:
                _log.warning("held picture not read", action="held_lost", error=repr(error), **job.log_context())
            else:
                name = f"held-{job.job_id}-{output.output_index + 1}.{extension_of(output.media_type)}"
                files.append((name, data))
        return await asyncio.to_thread(fit, files, DIRECT_MESSAGE_LIMIT)

    async def _erase(self, job: Job) -> None:
        """Remove every file with the job's pictures: the outputs, and copies that other jobs were given."""
        copies: list[str] = []
        for output in await self._jobs.outputs(job.job_id):
            try:
                # Reading a file again gives the same clean picture, and so the name of the copy.
                copies.append(await self._receiving.adopt(await self._keeping.read(output.sha256)))
            except (StorageFailed, Refused) as error:
                _log.info("no copies looked for", action="no_copies", error=repr(error), **job.log_context())
        await self._keeping.erase(job, copies)
