"""The queue: the next job, the positions of jobs, and the members who may not start.

Triggers keep order and counters in the database. So no statement here reads more rows than it moves.
Functions with a connection are steps of a caller's transaction.
"""

import sqlite3
from datetime import datetime
from typing import Final

import msgspec

from bot.quotas.turns import EXPRESS, NORMAL, Turn, caught_up, lane_of, next_turn, queue_key
from bot.store.claiming import claiming
from bot.store.rows.jobs import Job, NewJob
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import Values, change, fetch_all, fetch_one, from_ms, sure, to_ms

_MOST_PLACED_ANEW: Final = 100
"""Most later jobs of a member that move up when an earlier one leaves. More would make a cancellation slow."""

ENSURE_MEMBER: Final = """
INSERT INTO members (guild_id, user_id, weight, is_paused)
VALUES (:guild, :user, :weight,
    EXISTS (SELECT 1 FROM servers WHERE guild_id = :guild AND queue_state = 'paused'))
ON CONFLICT DO UPDATE SET weight = excluded.weight
"""

TAKE_COOLDOWN: Final = """
UPDATE members SET theoretical_at = max(min(theoretical_at, :now + :burst), :now) + :interval
WHERE guild_id = :guild AND user_id = :user AND min(theoretical_at, :now + :burst) + :interval - :burst <= :now
"""
"""GCRA: see `bot.quotas.standing.cooldown_until`. `:burst` is burst x interval; all values are in milliseconds."""

POSITION: Final = """
SELECT ifnull(sum(waiting), 0) AS jobs, ifnull(sum(expected_ms), 0) AS expected_ms
FROM digits CROSS JOIN queue_counts USING (shift)
WHERE prefix >= ((:key >> (shift + 4)) << 4) AND prefix < (:key >> shift)
"""
"""Jobs with a smaller key: for each hexadecimal digit, those with equal digits before it and a smaller one there."""

LATER_TURNS: Final = """
SELECT * FROM jobs
WHERE guild_id = ? AND requester_id = ? AND status = 'queued' AND queue_key > ? ORDER BY queue_key LIMIT ?
"""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A job's position, 1 for the next; `ahead_s` is the expected seconds of the jobs before it, 0 if unknown."""

    position: int
    ahead_s: float


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """The whole queue in figures.

    Attributes:
        queued: number of waiting jobs.
        running: number of running jobs.
        oldest_at: time when the oldest waiting job was accepted; None if none waits.
        expected_s: expected work of the waiting jobs in seconds, as far as it is known.
    """

    queued: int
    running: int
    oldest_at: datetime | None
    expected_s: float


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Number of waiting jobs with one model, and the time when the oldest of them was accepted."""

    jobs: int
    oldest_at: datetime


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of waiting and running jobs of a server; `oldest_at` is when its oldest waiting job was accepted."""

    queued: int
    running: int
    oldest_at: datetime | None


def ensure_member(connection: sqlite3.Connection, new: NewJob) -> None:
    """Create or update the member's row with their present weight."""
    values = {"guild": new.guild_id, "user": new.requester_id, "weight": new.weight}
    connection.execute(ENSURE_MEMBER, values)


def take_cooldown(connection: sqlite3.Connection, new: NewJob, *, interval_s: float, burst: int, now: datetime) -> bool:
    """Count a job against the member's cooldown. If it is too soon, return False and change nothing."""
    interval_ms = round(interval_s * 1_000)
    values = {
        "guild": new.guild_id,
        "user": new.requester_id,
        "interval": interval_ms,
        "burst": interval_ms * burst,
        "now": to_ms(now),
    }
    return change(connection, TAKE_COOLDOWN, values) > 0


def place(connection: sqlite3.Connection, job: Job, *, is_express: bool) -> Job:
    """Place a new job after its member's other jobs."""
    lane = EXPRESS if is_express else NORMAL
    found = fetch_one(
        connection,
        "SELECT members.round, deficit, weight, members.lane, lanes.round AS now_round FROM members, lanes"
        " WHERE guild_id = ? AND user_id = ? AND lanes.lane = ?",
        (job.guild_id, job.requester_id, lane),
    )
    row = sure(found)
    # A round number is valid in one lane only.
    turn = Turn(row["round"] if row["lane"] == lane else 0, row["deficit"])
    placed, following = _place(connection, job, lane, caught_up(turn, row["now_round"]), row["weight"])
    _keep_turn(connection, job, lane, following)
    return placed


def place_of(connection: sqlite3.Connection, job: Job) -> Place:
    """The place of a waiting job."""
    row = sure(fetch_one(connection, POSITION, {"key": job.queue_key or 0}))
    return Place(position=int(row["jobs"]) + 1, ahead_s=row["expected_ms"] / 1_000)


def close_gap(connection: sqlite3.Connection, gone: Job) -> None:
    """Move a member's later jobs up after one of their jobs left the queue without a start."""
    if gone.queue_key is None:
        return
    lane = lane_of(gone.queue_key)
    values = (gone.guild_id, gone.requester_id, gone.queue_key, _MOST_PLACED_ANEW + 1)
    later = [Job.from_row(row) for row in fetch_all(connection, LATER_TURNS, values)]
    if len(later) > _MOST_PLACED_ANEW:
        return
    turn = Turn(gone.turn_round, gone.turn_deficit)
    member = (gone.guild_id, gone.requester_id)
    weight = int(
        sure(fetch_one(connection, "SELECT weight FROM members WHERE guild_id = ? AND user_id = ?", member))["weight"]
    )
    for job in later:
        if job.queue_key is not None and lane_of(job.queue_key) == lane:
            _, turn = _place(connection, job, lane, turn, weight)
    _keep_turn(connection, gone, lane, turn)


FIRST_OF_MEMBERS: Final = """
SELECT jobs.* FROM members CROSS JOIN jobs ON job_id = head_key & 0xFFFFFFFF
WHERE head_key IS NOT NULL AND is_paused = 0 ORDER BY head_key LIMIT ?
"""


class QueueRepository:
    """The whole queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_next(
        self,
        *,
        running_per_user: int,
        now: datetime,
        models: frozenset[str] | None = None,
        without: frozenset[int] = frozenset(),
    ) -> Job | None:
        """Claim the next job and count the attempt; None if no job may start.

        Args:
            running_per_user: most running jobs of a member; 0 without a limit.
            now: the present time.
            models: keys of the models that a free worker has; None if any job may be claimed.
            without: numbers of jobs that are not claimed now.
        """
        claim = claiming(running_per_user=running_per_user, now=now, models=models, without=without)
        row = await self._database.write(fetch_one, *claim)
        return None if row is None else Job.from_row(row)

    async def release(self, job_id: int, *, has_crashed: bool = False, was_handed_over: bool = True) -> None:
        """Return a running job to its old place in the queue. An attempt that was never handed over does not count."""
        await self._database.change(
            "UPDATE jobs SET status = 'queued', crashes = crashes + ?, attempt = attempt - ?"
            " WHERE job_id = ? AND status = 'running'",
            (has_crashed, not was_handed_over, job_id),
        )

    async def place_of(self, job: Job) -> Place:
        """The place of a waiting job."""
        return await self._database.read(place_of, job)

    async def first_of_members(self, limit: int) -> list[Job]:
        """The first waiting job of each member, in the order of their start."""
        return [Job.from_row(row) for row in await self._database.fetch_all(FIRST_OF_MEMBERS, (limit,))]

    async def unanswered(self) -> list[Job]:
        """Waiting jobs without a recorded message. Discord may or may not have one."""
        return await self._jobs("status = 'queued' AND message_id IS NULL ORDER BY job_id")

    async def running(self) -> list[Job]:
        """Running jobs, without those that are drawn and wait for a moderator."""
        return await self._jobs("status = 'running' AND hold IS NOT 'held' ORDER BY job_id")

    async def held_since_before(self, moment: datetime, limit: int) -> list[Job]:
        """Jobs that were started before `moment` and wait for a moderator, oldest first."""
        return await self._jobs(
            "status = 'running' AND hold = 'held' AND started_at < ? ORDER BY started_at LIMIT ?",
            (to_ms(moment), limit),
        )

    async def of_other_timelines(self) -> list[Job]:
        """Open jobs from before a restore. Only Discord knows their fate since the copy."""
        return await self._jobs(
            "status IN ('queued', 'running') AND timeline <> (SELECT number FROM timeline) ORDER BY job_id"
        )

    async def waiting_since_before(self, moment: datetime, limit: int) -> list[Job]:
        """Jobs that were created before `moment` and still wait, oldest first."""
        return await self._jobs(
            "status = 'queued' AND created_at < ? ORDER BY created_at LIMIT ?", (to_ms(moment), limit)
        )

    async def of_member(self, guild_id: int, user_id: int, limit: int) -> list[Job]:
        """A member's open jobs, in the order of their start."""
        mine = "guild_id = ? AND requester_id = ?"
        running = await self._jobs(f"status = 'running' AND {mine} ORDER BY job_id", (guild_id, user_id))
        queued = await self._jobs(
            f"status = 'queued' AND {mine} ORDER BY queue_key LIMIT ?", (guild_id, user_id, limit)
        )
        return [*running, *queued][:limit]

    async def running_of(self, guild_id: int) -> list[Job]:
        """A server's running jobs."""
        return await self._jobs("status = 'running' AND guild_id = ? ORDER BY job_id", (guild_id,))

    async def waiting_of(self, guild_id: int) -> Waiting:
        """A server's numbers of waiting and running jobs."""
        row = sure(
            await self._database.fetch_one(
                "SELECT ifnull(sum(queued), 0) AS queued, ifnull(sum(running), 0) AS running,"
                " (SELECT min(created_at) FROM jobs WHERE status = 'queued' AND guild_id = :guild) AS oldest_at"
                " FROM members WHERE guild_id = :guild",
                {"guild": guild_id},
            )
        )
        return Waiting(queued=row["queued"], running=row["running"], oldest_at=from_ms(row["oldest_at"]))

    async def line(self) -> Line:
        """The whole queue in figures."""
        row = sure(
            await self._database.fetch_one(
                "SELECT count(*) FILTER (WHERE status = 'queued') AS queued,"
                " count(*) FILTER (WHERE status = 'running') AS running,"
                " min(created_at) FILTER (WHERE status = 'queued') AS oldest_at,"
                " ifnull(sum(expected_ms) FILTER (WHERE status = 'queued'), 0) AS expected_ms"
                " FROM jobs WHERE status IN ('queued', 'running')"
            )
        )
        return Line(
            queued=row["queued"],
            running=row["running"],
            oldest_at=from_ms(row["oldest_at"]),
            expected_s=row["expected_ms"] / 1_000,
        )

    async def waits_by_model(self) -> dict[str, Wait]:
        """The jobs that wait, by model, without those of paused members, whom no worker helps."""
        rows = await self._database.fetch_all(
            "SELECT model_key, count(*) AS jobs, min(created_at) AS oldest_at FROM jobs"
            " JOIN members ON members.guild_id = jobs.guild_id AND user_id = requester_id"
            " WHERE jobs.status = 'queued' AND is_paused = 0 GROUP BY model_key"
        )
        return {
            row["model_key"]: Wait(jobs=row["jobs"], oldest_at=oldest_at)
            for row in rows
            if (oldest_at := from_ms(row["oldest_at"])) is not None
        }

    async def _jobs(self, condition: str, values: Values = ()) -> list[Job]:
        rows = await self._database.fetch_all(f"SELECT * FROM jobs WHERE {condition}", values)  # noqa: S608 - ours
        return [Job.from_row(row) for row in rows]


def _keep_turn(connection: sqlite3.Connection, job: Job, lane: int, turn: Turn) -> None:
    connection.execute(
        "UPDATE members SET lane = ?, round = ?, deficit = ? WHERE guild_id = ? AND user_id = ?",
        (lane, turn.round, turn.deficit, job.guild_id, job.requester_id),
    )


def _place(connection: sqlite3.Connection, job: Job, lane: int, turn: Turn, weight: int) -> tuple[Job, Turn]:
    """Write a job's place; returns the job and the member's turn after it."""
    following = next_turn(turn, price=job.price, weight=weight)
    row = fetch_one(
        connection,
        "UPDATE jobs SET queue_key = ?, turn_round = ?, turn_deficit = ? WHERE job_id = ? RETURNING *",
        (queue_key(lane, following, job.job_id), turn.round, turn.deficit, job.job_id),
    )
    return Job.from_row(sure(row)), following
