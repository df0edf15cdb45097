"""Money that services of others may bill for jobs, within the owner's budget of a month.

Functions with a connection are steps of a caller's transaction.
"""

import sqlite3
from datetime import datetime
from typing import Final

from bot.quotas.periods import period_start
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, NewJob
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, fetch_one, sure, to_ms
from config.areas.quotas import Period

MICROS: Final = 1_000_000
"""Millionths of the owner's currency in one of it; sums of them are exact."""
_SPENT: Final = "SELECT ifnull(sum(micros), 0) AS micros FROM spendings WHERE month_start = ?"
_UNBILLED: Final = (JobFailure.REFUSED_ELSEWHERE, JobFailure.WAITED)
"""Failures before a service has drawn anything."""


class BudgetSpent(Exception):
    """The month's budget does not suffice for the job. Nothing was written."""


def spend(connection: sqlite3.Connection, job: Job, new: NewJob, *, now: datetime, time_zone: str) -> None:
    """Take the money of a job out of the month's budget.

    Raises:
        BudgetSpent: it does not suffice; the transaction must be rolled back.
    """
    if not new.cost_micros:
        return
    month = to_ms(period_start(now, Period.MONTH, time_zone))
    spent = sure(fetch_one(connection, _SPENT, (month,)))["micros"]
    if spent + new.cost_micros > new.budget_micros:
        raise BudgetSpent(spent)
    change(connection, "INSERT INTO spendings VALUES (?, ?, ?)", (job.job_id, month, new.cost_micros))


def unspend(connection: sqlite3.Connection, before: Job, failure: JobFailure | None) -> None:
    """Put the money of an ended job back if it is certain that nothing was billed.

    Args:
        connection: of the transaction that ends the job.
        before: the job as it was before its end.
        failure: why it failed; None if it did not.
    """
    if before.attempt == 0 or failure in _UNBILLED:
        change(connection, "DELETE FROM spendings WHERE job_id = ?", (before.job_id,))


class SpendingRepository:
    """What was spent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spent(self, now: datetime, time_zone: str) -> float:
        """Money that services may have billed in this month, with that of open jobs."""
        month = to_ms(period_start(now, Period.MONTH, time_zone))
        row = await self._database.fetch_one(_SPENT, (month,))
        return 0.0 if row is None else row["micros"] / MICROS
