"""Reports of members, and the cases that moderators decide. Each decision has its audit row."""

import sqlite3
from datetime import datetime, timedelta
from typing import Final

import msgspec

from bot.store.hits import NewHit, StoredHit, add_hit
from bot.store.members.servers import Decision, audit
from bot.store.rows.cases import Case, CaseKind, Outcome, Report, ReportReason
from bot.store.rows.jobs import Hold, Job
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, fetch_one, sure, to_ms

MOST_REPORTS: Final = 5
"""Reports of a member within a day."""
MOST_APPEALS: Final = 3
"""Appeals of a member within a day."""
BY_RULE: Final = "rule"
"""Reason of a warning that a rule of words gave."""
_DAY: Final = timedelta(days=1)
WARNING_LIFETIME: Final = timedelta(days=30)

_FIND: Final = "SELECT * FROM cases WHERE job_id = ? AND kind = ? AND outcome IS NULL"
_OPEN: Final = "INSERT INTO cases (kind, guild_id, user_id, job_id, created_at) VALUES (?, ?, ?, ?, ?) RETURNING *"
_CLOSE: Final = """
UPDATE cases SET outcome = ?, decided_by = ?, decided_at = ? WHERE case_id = ? AND outcome IS NULL RETURNING *
"""


class AlreadyReported(Exception):
    """The member reported this job before. Nothing was stored."""


class TooManyReports(Exception):
    """The member reported as much as is allowed in a day. Nothing was stored."""


class AlreadyAppealed(Exception):
    """The member appealed against this refusal before. Nothing was stored."""


class TooManyAppeals(Exception):
    """The member appealed as often as is allowed in a day. Nothing was stored."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest open cases of a server, and how many there are in all."""

    cases: tuple[Case, ...]
    count: int


class CaseRepository:
    """Cases, reports and warnings. Every query of a moderator names the server, so that none sees another's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, job: Job, report: Report, now: datetime) -> tuple[Case, int]:
        """Store a report; returns the job's open case, and how many reports it has now.

        Raises:
            AlreadyReported, TooManyReports: nothing was stored.
        """
        return await self._database.write(_report, job, report, now)

    async def may_report(self, job: Job, reporter_id: int, now: datetime) -> None:
        """Check that a member may report a job.

        Raises:
            AlreadyReported, TooManyReports: they may not.
        """
        await self._database.read(_may_report, job.job_id, reporter_id, now)

    async def hold(self, job: Job, now: datetime) -> Case:
        """Hold a drawn job for a moderator; returns its case, which this may be the first one of."""
        return await self._database.write(_hold, job, now)

    async def held(self, job_id: int) -> Case | None:
        """The case of a held job, also after its end; None if there is none."""
        row = await self._database.fetch_one(
            "SELECT * FROM cases WHERE job_id = ? AND kind = ? ORDER BY case_id DESC LIMIT 1", (job_id, CaseKind.HELD)
        )
        return None if row is None else Case.from_row(row)

    async def release(self, by: Decision, case: Case, outcome: Outcome) -> Case | None:
        """Decide the case of a held job; None if that was decided before, or the job has ended."""
        return await self._database.write(_release, by, case, outcome)

    async def appeal(self, hit: StoredHit, now: datetime) -> Case:
        """Open the case of an appeal against a refusal.

        Raises:
            AlreadyAppealed, TooManyAppeals: nothing was stored.
        """
        return await self._database.write(_appeal, hit, now)

    async def appeal_hidden(self, job_id: int, new: NewHit, now: datetime) -> Case:
        """Keep the request of a job whose pictures were hidden, and open the case of an appeal against that.

        Raises:
            AlreadyAppealed, TooManyAppeals: nothing was stored.
        """
        return await self._database.write(_appeal_hidden, job_id, new, now)

    async def get(self, guild_id: int, case_id: int) -> Case | None:
        """A case of a server; None if there is none."""
        row = await self._database.fetch_one(
            "SELECT * FROM cases WHERE guild_id = ? AND case_id = ?", (guild_id, case_id)
        )
        return None if row is None else Case.from_row(row)

    async def waiting(self, guild_id: int, limit: int) -> Waiting:
        """The open cases of a server."""
        rows = await self._database.fetch_all(
            "SELECT *, count(*) OVER () AS open_cases FROM cases WHERE guild_id = ? AND outcome IS NULL"
            " ORDER BY case_id LIMIT ?",
            (guild_id, limit),
        )
        return Waiting(cases=tuple(map(Case.from_row, rows)), count=rows[0]["open_cases"] if rows else 0)

    async def reports(self, case_id: int) -> list[Report]:
        """The reports of a case, oldest first."""
        rows = await self._database.fetch_all(
            "SELECT * FROM reports WHERE case_id = ? ORDER BY created_at, reporter_id", (case_id,)
        )
        return [
            Report(
                reporter_id=row["reporter_id"],
                reason=ReportReason(row["reason"]),
                note=row["note"],
                locale=row["locale"],
            )
            for row in rows
        ]

    async def note_card(self, case_id: int, channel_id: int, message_id: int) -> None:
        """Remember the case's card."""
        await self._database.change(
            "UPDATE cases SET channel_id = ?, message_id = ? WHERE case_id = ?", (channel_id, message_id, case_id)
        )

    async def note_veil(self, by: Decision, case: Case) -> Case:
        """Remember that reports put the pictures of a case behind a spoiler."""
        return await self._database.write(_note_veil, by, case)

    async def close(self, by: Decision, case: Case, outcome: Outcome) -> Case | None:
        """Decide a case; None if it was decided before. What is removed is marked in the job's row too."""
        return await self._database.write(_close, by, case, outcome)

    async def warn(self, by: Decision, user_id: int, reason: str) -> None:
        """Warn a member."""
        await self._database.write(_warn, by, user_id, reason)

    async def warn_by_rule(self, guild_id: int, user_id: int, reason: str, now: datetime) -> None:
        """Count a warning that no person gave, so it has no audit row."""
        await self._database.change(
            "INSERT INTO warnings (guild_id, user_id, actor_id, reason, created_at) VALUES (?, ?, 0, ?, ?)",
            (guild_id, user_id, reason, to_ms(now)),
        )

    async def warnings(self, guild_id: int, user_id: int, now: datetime) -> int:
        """How many warnings of a member count: those of the last 30 days."""
        row = await self._database.fetch_one(
            "SELECT count(*) AS count FROM warnings WHERE guild_id = ? AND user_id = ? AND created_at > ?",
            (guild_id, user_id, to_ms(now - WARNING_LIFETIME)),
        )
        return int(sure(row)["count"])


def _may_report(connection: sqlite3.Connection, job_id: int, reporter_id: int, now: datetime) -> None:
    if fetch_one(connection, "SELECT 1 FROM reports WHERE job_id = ? AND reporter_id = ?", (job_id, reporter_id)):
        raise AlreadyReported
    since = to_ms(now - _DAY)
    recent = "SELECT count(*) AS count FROM reports WHERE reporter_id = ? AND created_at > ?"
    if sure(fetch_one(connection, recent, (reporter_id, since)))["count"] >= MOST_REPORTS:
        raise TooManyReports


def _report(connection: sqlite3.Connection, job: Job, report: Report, now: datetime) -> tuple[Case, int]:
    _may_report(connection, job.job_id, report.reporter_id, now)
    case = _open_case(connection, job, CaseKind.REPORT, now)
    connection.execute(
        "INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?, ?)",
        (job.job_id, report.reporter_id, case.case_id, report.reason, report.note, report.locale, to_ms(now)),
    )
    counted = fetch_one(connection, "SELECT count(*) AS count FROM reports WHERE case_id = ?", (case.case_id,))
    return case, int(sure(counted)["count"])


def _open_case(connection: sqlite3.Connection, job: Job, kind: CaseKind, now: datetime) -> Case:
    """The open case of a job, which this may be the first one of."""
    row = fetch_one(connection, _FIND, (job.job_id, kind))
    if row is None:
        row = fetch_one(connection, _OPEN, (kind, job.guild_id, job.requester_id, job.job_id, to_ms(now)))
    return Case.from_row(sure(row))


def _hold(connection: sqlite3.Connection, job: Job, now: datetime) -> Case:
    change(connection, "UPDATE jobs SET hold = 'held' WHERE job_id = ? AND status = 'running'", (job.job_id,))
    return _open_case(connection, job, CaseKind.HELD, now)


def _release(connection: sqlite3.Connection, by: Decision, case: Case, outcome: Outcome) -> Case | None:
    hold = Hold.ALLOWED if outcome is Outcome.SHOW else Hold.HELD
    held = "UPDATE jobs SET hold = ? WHERE job_id = ? AND hold = 'held' AND status = 'running'"
    if not change(connection, held, (hold, case.job_id)):
        return None
    return _close(connection, by, case, outcome)


def _appeal(connection: sqlite3.Connection, hit: StoredHit, now: datetime) -> Case:
    if fetch_one(connection, "SELECT 1 FROM cases WHERE hit_id = ?", (hit.hit_id,)):
        raise AlreadyAppealed
    return _open_appeal(connection, hit, hit.hit_id, None, now)


def _appeal_hidden(connection: sqlite3.Connection, job_id: int, new: NewHit, now: datetime) -> Case:
    if fetch_one(connection, "SELECT 1 FROM cases WHERE job_id = ? AND kind = ?", (job_id, CaseKind.APPEAL)):
        raise AlreadyAppealed
    return _open_appeal(connection, new, add_hit(connection, new, now), job_id, now)


def _open_appeal(connection: sqlite3.Connection, hit: NewHit, hit_id: int, job_id: int | None, now: datetime) -> Case:
    recent = "SELECT count(*) AS count FROM cases WHERE kind = ? AND user_id = ? AND created_at > ?"
    values = (CaseKind.APPEAL, hit.user_id, to_ms(now - _DAY))
    if sure(fetch_one(connection, recent, values))["count"] >= MOST_APPEALS:
        raise TooManyAppeals
    row = fetch_one(
        connection,
        "INSERT INTO cases (kind, guild_id, user_id, job_id, hit_id, created_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
        (CaseKind.APPEAL, hit.guild_id, hit.user_id, job_id, hit_id, to_ms(now)),
    )
    return Case.from_row(sure(row))


def _note_veil(connection: sqlite3.Connection, by: Decision, case: Case) -> Case:
    row = fetch_one(connection, "UPDATE cases SET is_veiled = 1 WHERE case_id = ? RETURNING *", (case.case_id,))
    audit(connection, by, "case-veil", f"<@{case.user_id}>", str(case.job_id))
    return Case.from_row(sure(row))


def _close(connection: sqlite3.Connection, by: Decision, case: Case, outcome: Outcome) -> Case | None:
    row = fetch_one(connection, _CLOSE, (outcome, by.actor_id, to_ms(by.now), case.case_id))
    if row is None:
        return None
    if outcome is Outcome.REMOVE:
        change(connection, "UPDATE jobs SET removed_at = ? WHERE job_id = ?", (to_ms(by.now), case.job_id))
    is_appeal = case.kind is CaseKind.APPEAL
    action = f"{'appeal' if is_appeal else 'case'}-{outcome}"
    audit(connection, by, action, f"<@{case.user_id}>", str(case.case_id if is_appeal else case.job_id))
    return Case.from_row(row)


def _warn(connection: sqlite3.Connection, by: Decision, user_id: int, reason: str) -> None:
    connection.execute(
        "INSERT INTO warnings (guild_id, user_id, actor_id, reason, created_at) VALUES (?, ?, ?, ?, ?)",
        (by.guild_id, user_id, by.actor_id, reason, to_ms(by.now)),
    )
    audit(connection, by, "warn", f"<@{user_id}>", "")
