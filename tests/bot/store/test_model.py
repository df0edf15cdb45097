"""The database beside a plain model of it, through any story that Hypothesis can think of.

After every step the database keeps all its promises and says of every member what the plain books say. The
database is a real file; a crash leaves a transaction wherever it was, and the next process opens the file again.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from bot.quotas.rules import Rule, Subject
from bot.store.admission import AlreadyAccepted, NotAllowed
from bot.store.rows.jobs import Job, JobStatus
from bot.store.rows.outputs import NewOutput
from config.areas.quotas import Period, QuotaSettings
from tests.bot.store.conftest import ADMIN
from tests.bot.store.machine import OPEN, Machine
from tests.bot.store.plain_books import ROLES, Member, asker, new_job

MEMBERS: Final = st.sampled_from(sorted(ROLES))
GUILDS: Final = st.sampled_from([5, 6])
PRICES: Final = st.integers(1, 8)
PICKS: Final = st.integers(0, 9)
PERIODS: Final = st.sampled_from(Period)
SPANS: Final = st.sampled_from([timedelta(seconds=61), timedelta(hours=1), timedelta(hours=25), timedelta(days=8)])
SUBJECTS: Final = st.sampled_from(
    [(Subject.SERVER, 0), (Subject.POOL, 0), (Subject.USER, 1), (Subject.ROLE, 10), (Subject.ROLE, 11)]
)
RULES: Final = st.builds(Rule, amount=st.sampled_from([None, 0, 3, 20]), period=PERIODS)
SETTINGS: Final = st.builds(
    QuotaSettings,
    amount=st.sampled_from([5, 12, 0]),
    period=PERIODS,
    time_zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    cooldown_s=st.sampled_from([0, 0, 60]),
    cooldown_burst=st.integers(1, 3),
    queued_per_user=st.sampled_from([0, 3]),
    running_per_user=st.integers(0, 2),
)
SUMMER_ENDS_TODAY: Final = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


class Stories(Machine):
    """Members, admins, workers, the clock and the power, in any order."""

    @initialize(quotas=SETTINGS)
    def start(self, quotas: QuotaSettings) -> None:
        self.start_with(quotas, SUMMER_ENDS_TODAY)

    # What members do.

    @rule(member=MEMBERS, price=PRICES, images=st.sampled_from([1, 4]), is_seen=st.sampled_from([True, True, False]))
    def click(self, member: Member, price: int, images: int, is_seen: bool) -> None:
        new = self.new_click(member, price, images)
        expected = self.books.obstacle(member, price)
        (outcome,) = self.run(self.all_of([new]))
        if isinstance(outcome, NotAllowed):
            assert outcome.standing.obstacle is expected
        else:
            assert isinstance(outcome, Job)
            assert expected is None
            self.books.accept(outcome.job_id, new)
            if is_seen:
                self.see(outcome.job_id)

    @precondition(lambda self: self.books.jobs)
    @rule(pick=PICKS)
    def click_again(self, pick: int) -> None:
        """Discord sends an interaction twice; it stays one job, whatever became of that."""
        job_id, job = self.pick(pick, JobStatus)
        new = new_job(job.interaction_id, job.member, price=job.price, images=job.images, now=self.books.now)
        (outcome,) = self.run(self.all_of([new]))
        assert isinstance(outcome, AlreadyAccepted)
        assert outcome.job.job_id == job_id

    @rule(members=st.lists(MEMBERS, min_size=2, max_size=6), price=PRICES)
    def click_at_once(self, members: list[Member], price: int) -> None:
        """Whoever wins, what is accepted was allowed, and what was refused would be refused now."""
        clicks = [self.new_click(member, price, 1) for member in members]
        outcomes = self.run(self.all_of([*clicks, clicks[0]]))
        accepted = sorted(
            (outcome.job_id, outcome.origin.interaction_id) for outcome in outcomes if isinstance(outcome, Job)
        )
        by_interaction = {new.origin.interaction_id: new for new in clicks}
        for job_id, interaction_id in accepted:
            new = by_interaction.pop(interaction_id)
            assert self.books.obstacle((new.guild_id, new.requester_id), price) is None
            self.books.accept(job_id, new)
            self.see(job_id)
        for new in by_interaction.values():
            assert self.books.obstacle((new.guild_id, new.requester_id), price) is not None
        unexpected = [outcome for outcome in outcomes if not isinstance(outcome, (Job, NotAllowed, AlreadyAccepted))]
        assert not unexpected

    @precondition(lambda self: self.has(*OPEN))
    @rule(pick=PICKS, status=st.sampled_from([JobStatus.CANCELLED, JobStatus.FAILED]))
    def give_up(self, pick: int, status: JobStatus) -> None:
        """A waiting or running job is cancelled, or fails."""
        job_id, _ = self.pick(pick, OPEN)
        ended = self.run(self.end(job_id, status))
        assert ended is not None
        assert ended.status is status
        self.books.end(job_id, status)
        assert self.run(self.end(job_id, status)) is None

    @rule(user=st.sampled_from([1, 1, 2]))
    def forget(self, user: int) -> None:
        ended = {job.job_id for job in self.run(self.store.forget(user, self.books.now)).cancelled}
        mine = {job_id for job_id, job in self.books.jobs.items() if job.member[1] == user and job.status in OPEN}
        assert ended == mine
        for job_id in mine:
            self.books.end(job_id, JobStatus.CANCELLED)

    # What workers do.

    @rule()
    def claim(self) -> None:
        per_user = self.books.settings.running_per_user
        job = self.run(self.store.queue.claim_next(running_per_user=per_user, now=self.books.now))
        startable = self.books.startable()
        if job is None:
            assert not startable
        else:
            assert job.job_id in startable
            self.books.jobs[job.job_id].status = JobStatus.RUNNING

    @precondition(lambda self: self.has(JobStatus.RUNNING))
    @rule(pick=PICKS)
    def draw(self, pick: int) -> None:
        """The pictures are on disk, and nobody was shown them yet."""
        job_id, job = self.pick(pick, (JobStatus.RUNNING,))
        drawn = NewOutput(
            output_index=0,
            kind="image",
            sha256="ab",
            media_type="image/png",
            width=64,
            height=64,
            size_bytes=3,
            seed=4,
        )
        work = self.store.jobs.store_outputs(job_id, outputs=[drawn], notices=(), denoise_s=1.0, total_s=1.5)
        assert self.run(work).status is JobStatus.RUNNING
        job.is_drawn = True

    @precondition(lambda self: self.has(JobStatus.RUNNING))
    @rule(pick=PICKS, missing=st.integers(0, 1))
    def deliver(self, pick: int, missing: int) -> None:
        """All of a job arrives, or three of four."""
        job_id, job = self.pick(pick, (JobStatus.RUNNING,))
        delivered = max(1, job.images - missing)
        assert self.run(self.settle(job_id, delivered))
        self.books.end(job_id, JobStatus.SUCCEEDED, delivered)
        assert not self.run(self.settle(job_id, delivered))

    @precondition(lambda self: self.has(JobStatus.RUNNING))
    @rule(pick=PICKS)
    def end_in_three_ways_at_once(self, pick: int) -> None:
        job_id, job = self.pick(pick, (JobStatus.RUNNING,))

        async def race() -> tuple[bool, Job | None, bool]:
            ways = self.settle(job_id, job.images), self.end(job_id, JobStatus.CANCELLED), self.settle(job_id, 1)
            return await asyncio.gather(*ways)

        first, cancelled, second = self.run(race())
        assert [first, cancelled is not None, second].count(True) == 1
        status = JobStatus.SUCCEEDED if cancelled is None else JobStatus.CANCELLED
        self.books.end(job_id, status, job.images if first else int(second))

    # What befalls the process. A statement, not a moment, decides where it dies.

    @rule(
        during=st.sampled_from(["nothing", "click", "give up", "deliver"]),
        statements=st.integers(0, 20),
        is_known=st.booleans(),
        pick=PICKS,
        member=MEMBERS,
        price=PRICES,
    )
    def crash(self, during: str, statements: int, is_known: bool, pick: int, member: Member, price: int) -> None:
        new = self.new_click(member, price, 1)
        job_id, job = self.pick(pick, OPEN) if self.has(*OPEN) else (0, None)
        work = {
            "click": lambda: self.accept(new),
            "give up": lambda: self.end(job_id, JobStatus.FAILED),
            "deliver": lambda: self.settle(job_id, 1 if job is None else job.images),
        }
        if during in work:
            self.run(self.die_during(work[during], statements))
        self.run(self.store.database.close())
        self.open()
        self.learn_what_became_of(new, job_id)
        self.recover(is_known=is_known)

    # What admins do.

    @rule(member=MEMBERS, amount=st.integers(1, 9), lasts=st.none() | SPANS)
    def grant(self, member: Member, amount: int, lasts: timedelta | None) -> None:
        expires_at = None if lasts is None else self.books.now + lasts
        self.run(self.store.ledger.grant(self.decide(member[0]), member[1], amount, expires_at=expires_at))
        self.books.grant(member, amount, expires_at)

    @rule(guild=GUILDS, about=SUBJECTS, amount=st.sampled_from([None, 0, 3, 20]), period=PERIODS, is_kept=st.booleans())
    def set_rule(
        self, guild: int, about: tuple[Subject, int], amount: int | None, period: Period, is_kept: bool
    ) -> None:
        new = Rule(amount=amount, period=period) if is_kept else None
        self.run(self.store.servers.set_rule(self.decide(guild), *about, new))
        self.books.set_rule(guild, about, new)

    @rule(member=MEMBERS)
    def reset(self, member: Member) -> None:
        given_back = self.run(self.store.ledger.reset(self.decide(member[0]), asker(member), self.books.settings))
        assert given_back == self.books.reset(member)

    @rule(member=MEMBERS, lasts=st.none() | SPANS)
    def block(self, member: Member, lasts: timedelta | None) -> None:
        until = None if lasts is None else self.books.now + lasts
        self.run(self.store.servers.block(self.decide(member[0]), member[1], until))
        self.books.blocks[member] = until

    @rule(member=MEMBERS)
    def unblock(self, member: Member) -> None:
        was_blocked = member in self.books.blocks
        # Nothing is written down where there was nothing to decide.
        by = self.decide(member[0])
        self.decisions -= not was_blocked
        assert self.run(self.store.servers.unblock(by, member[1])) == was_blocked
        self.books.blocks.pop(member, None)

    # What the clock does: it goes on, or jumps to where it was before.

    @rule(span=SPANS)
    def time_passes(self, span: timedelta) -> None:
        self.books.now += span

    @rule(span=SPANS)
    def the_clock_goes_back(self, span: timedelta) -> None:
        self.books.now -= span

    # What must hold, whatever happened.

    @invariant()
    def no_promise_is_broken(self) -> None:
        assert self.run(self.store.broken()) == []

    @invariant()
    def every_member_has_what_the_plain_books_say(self) -> None:
        for member in ROLES:
            facts = self.run(self.store.jobs.facts(asker(member), self.books.settings, self.books.now))
            pot, pool, bonuses = self.books.pot_of(member), self.books.pool_of(member), self.books.bonuses_of(member)
            assert facts.rules == self.books.rules_of(member)
            assert (facts.held, facts.spent, facts.queued) == (pot.held, pot.spent, self.books.queued(member))
            assert [bonus.left for bonus in facts.bonuses] == [bonus.left for bonus in bonuses if bonus.left]
            assert facts.pool_used == pool.held + pool.spent
            assert facts.is_blocked == self.books.is_blocked(member)

    @invariant()
    def no_pot_is_overdrawn_or_below_nothing(self) -> None:
        for pot in self.books.every_pot():
            assert pot.held >= 0
            assert pot.spent >= 0
            assert pot.held + pot.spent <= pot.admitted_up_to
        for bonus in self.books.every_bonus():
            assert bonus.left >= 0

    @invariant()
    def every_decision_was_written_down(self) -> None:
        row = self.run(self.one("SELECT count(*) FROM audit WHERE actor_id = ? AND reason = 'because'", ADMIN))
        assert row is not None
        assert row[0] == self.decisions

    def teardown(self) -> None:
        """Whatever happened, a worker that goes on brings every job to its end."""
        if hasattr(self, "store"):
            self.recover(is_known=True)
            while job := self.run(self.store.queue.claim_next(running_per_user=0, now=self.books.now)):
                assert self.run(self.settle(job.job_id, job.request.output_count))
                self.books.end(job.job_id, JobStatus.SUCCEEDED, job.request.output_count)
            assert not self.has(*OPEN)
            self.no_promise_is_broken()
            self.every_member_has_what_the_plain_books_say()
        super().teardown()


TestStories = Stories.TestCase
TestStories.settings = settings(
    max_examples=min(60, settings().max_examples),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
