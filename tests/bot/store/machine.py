"""What the stories of `test_model` are told with: the database, the plain books, and the ways to both."""

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Container, Coroutine, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from hypothesis.stateful import RuleBasedStateMachine

from bot.store.admission import NotAllowed
from bot.store.members.servers import Decision
from bot.store.rows.jobs import Job, JobStatus, NewJob
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import Value
from config.areas.quotas import QuotaSettings
from tests.bot.store.conftest import ADMIN, Store
from tests.bot.store.plain_books import Books, Kept, Member, new_job

Result = TypeVar("Result")

OPEN: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


class Died(BaseException):
    """The process is gone; nothing after this line happened."""


class Dying:
    """A connection that answers so many statements more."""

    def __init__(self, connection: sqlite3.Connection, statements: int) -> None:
        self._connection = connection
        self._left = iter(range(statements))

    def execute(self, *values: Any) -> sqlite3.Cursor:
        self._spend()
        return self._connection.execute(*values)

    def executemany(self, *values: Any) -> sqlite3.Cursor:
        self._spend()
        return self._connection.executemany(*values)

    def _spend(self) -> None:
        if next(self._left, None) is None:
            raise Died


class Machine(RuleBasedStateMachine):
    """The two sets of books, side by side."""

    def start_with(self, quotas: QuotaSettings, now: datetime) -> None:
        """Empty books under these rules."""
        self.folder = tempfile.TemporaryDirectory(prefix="easel-model-")
        self.loop = asyncio.new_event_loop()
        self.books = Books(quotas, now)
        self.clicks = 0
        self.decisions = 0
        self.open()

    def teardown(self) -> None:
        """Hypothesis calls it after every story, told to its end or not."""
        if hasattr(self, "store"):
            self.run(self.store.database.close())
            self.loop.close()
            self.folder.cleanup()

    def open(self) -> None:
        """Open the file, as every start does."""
        self.store = Store(self.run(Database.open(Path(self.folder.name) / "easel.db")))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for something."""
        return self.loop.run_until_complete(work)

    # Ways to the database.

    def new_click(self, member: Member, price: int, images: int) -> NewJob:
        """An interaction that nobody sent before."""
        self.clicks += 1
        return new_job(self.clicks, member, price=price, images=images, now=self.books.now)

    async def accept(self, new: NewJob) -> Job:
        """Ask for a job."""
        job, _ = await self.store.jobs.accept(new, settings=self.books.settings, now=self.books.now)
        return job

    async def all_of(self, clicks: Iterable[NewJob]) -> list[Job | BaseException]:
        """Ask for all of them at the same moment."""
        return await asyncio.gather(*map(self.accept, clicks), return_exceptions=True)

    def see(self, job_id: int) -> None:
        """Discord shows the message of a job."""
        self.run(self.store.jobs.record_message(job_id, 1_000 + job_id))
        self.books.jobs[job_id].is_seen = True

    async def settle(self, job_id: int, delivered: int) -> bool:
        """So many images arrived."""
        return await self.store.jobs.deliver(job_id, outputs_delivered=delivered, now=self.books.now)

    async def end(self, job_id: int, status: JobStatus) -> Job | None:
        """Nothing arrived, and nothing will."""
        return await self.store.jobs.end(job_id, status=status, failure=None, error_id=None, now=self.books.now)

    async def one(self, sql: str, *values: Value) -> sqlite3.Row | None:
        """Look into the file."""
        return await self.store.database.fetch_one(sql, values)

    def decide(self, guild: int) -> Decision:
        """An admin does something, and says why."""
        self.decisions += 1
        return Decision(guild_id=guild, actor_id=ADMIN, now=self.books.now, reason="because")

    # Ways to the books.

    def has(self, *statuses: JobStatus) -> bool:
        """Whether any job is in one of these states."""
        return any(job.status in statuses for job in self.books.jobs.values())

    def pick(self, number: int, statuses: Container[JobStatus]) -> tuple[int, Kept]:
        """One of the jobs in these states; there must be one."""
        found = [(job_id, job) for job_id, job in sorted(self.books.jobs.items()) if job.status in statuses]
        return found[number % len(found)]

    # The end of a process, and the next one.

    async def die_during(self, work: Callable[[], Coroutine[Any, Any, object]], statements: int) -> None:
        """Do something on a connection that answers so many statements more, and not one after that."""
        groups = self.store.database._groups
        groups._connection = cast("sqlite3.Connection", Dying(groups._connection, statements))
        with contextlib.suppress(Died, NotAllowed):
            await work()

    def learn_what_became_of(self, new: NewJob, job_id: int) -> None:
        """Nobody was told whether it was done; the database knows, and it was done whole or not at all."""
        row = self.run(self.one("SELECT job_id FROM jobs WHERE interaction_id = ?", new.origin.interaction_id))
        if row is not None:
            assert self.books.obstacle((new.guild_id, new.requester_id), new.price) is None
            self.books.accept(row[0], new)
        row = self.run(self.one("SELECT status FROM jobs WHERE job_id = ?", job_id))
        if row is not None and row[0] not in OPEN:
            status = JobStatus(row[0])
            self.books.end(job_id, status, self.books.jobs[job_id].images if status is JobStatus.SUCCEEDED else 0)

    def recover(self, *, is_known: bool) -> None:
        """As `bot.jobs.recovery` does it: what was drawn is delivered, the rest waits again or is given back."""
        for job in self.run(self.store.queue.unanswered()):
            if is_known:
                self.see(job.job_id)
            else:
                assert self.run(self.end(job.job_id, JobStatus.FAILED)) is not None
                self.books.end(job.job_id, JobStatus.FAILED)
        for job in self.run(self.store.queue.running()):
            if self.books.jobs[job.job_id].is_drawn:
                assert self.run(self.settle(job.job_id, job.request.output_count))
                self.books.end(job.job_id, JobStatus.SUCCEEDED, job.request.output_count)
            else:
                self.run(self.store.queue.release(job.job_id))
                self.books.jobs[job.job_id].status = JobStatus.QUEUED
        assert not self.has(JobStatus.RUNNING)
