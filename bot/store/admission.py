"""The steps of the two transactions that move quota: the acceptance of a job, and its end."""

import sqlite3
from datetime import datetime
from typing import Final

from bot.quotas.pricing import part
from bot.quotas.standing import Standing, standing
from bot.store.inputs import insert_inputs
from bot.store.members.facts import read_facts
from bot.store.members.ledger import reserve, settle
from bot.store.members.spendings import spend, unspend
from bot.store.queue import Place, close_gap, ensure_member, place, place_of, take_cooldown
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus, NewJob
from bot.store.sqlite.statements import fetch_one, sure, to_ms
from config.areas.quotas import QuotaSettings

INSERT_JOB: Final = """
INSERT INTO jobs (
    interaction_id, interaction_token, token_expires_at, started_by, parent_job_id, parent_message_id,
    parent_image_index, guild_id, channel_id, parent_channel_id, requester_id, role_ids, requester_name, locale,
    filesize_limit, is_age_restricted, shown_guild_id, request, defaults, model_key, notices, price, expected_ms,
    status, created_at, hold, timeline
) VALUES (
    :interaction_id, :interaction_token, :token_expires_at, :started_by, :parent_job_id, :parent_message_id,
    :parent_image_index, :guild_id, :channel_id, :parent_channel_id, :requester_id, :role_ids, :requester_name, :locale,
    :filesize_limit, :is_age_restricted, :shown_guild_id, :request, :defaults, :model_key, :notices, :price,
    :expected_ms, 'queued', :created_at, :hold, (SELECT number FROM timeline)
)
RETURNING *
"""


class AlreadyAccepted(Exception):
    """The same interaction came before and has a job."""

    def __init__(self, job: Job, place: Place) -> None:
        super().__init__(job.job_id)
        self.job = job
        self.place = place


class NotAllowed(Exception):
    """The member may not start the job, for the standing's obstacle. Nothing was written."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing.obstacle)
        self.standing = standing


class LedgerDisagrees(Exception):
    """The database refused a job that the rules allow. That is a fault of Easel, so nothing is accepted."""


def admit(connection: sqlite3.Connection, new: NewJob, *, settings: QuotaSettings, now: datetime) -> tuple[Job, Place]:
    """Insert a job, reserve its price and place it in the queue; returns the job and its place.

    Raises:
        AlreadyAccepted, NotAllowed, BudgetSpent, LedgerDisagrees: the transaction must be rolled back.
    """
    _refuse_known(connection, new)
    facts = read_facts(connection, new.origin.asker, settings, now)
    found = standing(facts, price=new.price, settings=settings)
    if found.obstacle is not None:
        raise NotAllowed(found)
    ensure_member(connection, new)
    if settings.cooldown_s and not take_cooldown(
        connection, new, interval_s=settings.cooldown_s, burst=settings.cooldown_burst, now=now
    ):
        raise LedgerDisagrees("cooldown")
    job = insert_job(connection, new, now)
    if not reserve(connection, job, facts.rules, now=now, time_zone=settings.time_zone):
        raise LedgerDisagrees("quota")
    spend(connection, job, new, now=now, time_zone=settings.time_zone)
    placed = place(connection, job, is_express=new.is_express)
    return placed, place_of(connection, placed)


def _refuse_known(connection: sqlite3.Connection, new: NewJob) -> None:
    """Raise `AlreadyAccepted` if this interaction has a job."""
    row = fetch_one(connection, "SELECT * FROM jobs WHERE interaction_id = ?", (new.origin.interaction_id,))
    if row is not None:
        job = Job.from_row(row)
        raise AlreadyAccepted(job, place_of(connection, job))


def insert_job(connection: sqlite3.Connection, new: NewJob, now: datetime) -> Job:
    """Insert the row of a new job. The job is in no queue yet."""
    values = {**new.columns(), "created_at": to_ms(now)}
    job = Job.from_row(sure(fetch_one(connection, INSERT_JOB, values)))
    insert_inputs(connection, job.job_id, job.request.inputs)
    return job


def end_job(
    connection: sqlite3.Connection,
    job_id: int,
    status: JobStatus,
    *,
    outputs_delivered: int,
    failure: JobFailure | None,
    error_id: str | None,
    now: datetime,
) -> Job | None:
    """End an open job and settle it; None if the job had already ended."""
    row = fetch_one(connection, "SELECT * FROM jobs WHERE job_id = ? AND status IN ('queued', 'running')", (job_id,))
    if row is None:
        return None
    before = Job.from_row(row)
    row = fetch_one(
        connection,
        "UPDATE jobs SET status = ?, failure = ?, error_id = ?, finished_at = ?, interaction_token = NULL"
        " WHERE job_id = ? RETURNING *",
        (status, failure, error_id, to_ms(now), job_id),
    )
    job = Job.from_row(sure(row))
    if before.status is JobStatus.QUEUED:
        close_gap(connection, before)
    unspend(connection, before, failure)
    captured = part(job.price, delivered=outputs_delivered, requested=job.request.output_count)
    settle(connection, job, captured, now)
    return job
