"""The same books once more in plain Python: what the database must say, worked out without it.

Only the pure rules are shared with the bot (which rule holds, when a period begins); each has tests of its own.
"""

import math
from collections import defaultdict
from datetime import datetime, timedelta

import msgspec

from bot.quotas.periods import period_start
from bot.quotas.rules import Rule, Rules, SetRule, Subject, effective
from bot.quotas.standing import Obstacle
from bot.store.rows.jobs import JobStatus, NewJob
from bot.store.rows.origin import Asker
from config.areas.quotas import Period, QuotaSettings
from pipeline.protocol.requests import GenerationRequest
from tests.example_jobs import example_origin

Member = tuple[int, int]
"""A server and a person in it."""

ROLES: dict[Member, tuple[int, ...]] = {(5, 1): (10,), (5, 2): (10, 11), (5, 3): (), (6, 1): (10,)}
"""Who there is, with their roles. One person is in two servers, which must know nothing of each other."""


class Pot(msgspec.Struct, eq=False):
    """Units held and spent; a bonus has an amount and maybe an end."""

    held: int = 0
    spent: int = 0
    amount: int = 0
    expires_at: datetime | None = None
    admitted_up_to: float = 0
    """The highest limit under which anything was ever taken from it."""

    @property
    def left(self) -> int:
        """Of a bonus."""
        return self.amount - self.held - self.spent


class Kept(msgspec.Struct, eq=False, kw_only=True):
    """A job as the books know it; `captured` is None until it ends."""

    member: Member
    interaction_id: int
    price: int
    images: int
    paid: list[tuple[Pot, int]]
    pool: Pot
    status: JobStatus = JobStatus.QUEUED
    captured: int | None = None
    is_seen: bool = False
    is_drawn: bool = False


class Books:
    """Everybody's pots, bonuses, blocks and jobs."""

    def __init__(self, settings: QuotaSettings, now: datetime) -> None:
        self.settings = settings
        self.now = now
        self.rules: dict[int, dict[tuple[Subject, int], Rule]] = defaultdict(dict)
        self.blocks: dict[Member, datetime | None] = {}
        self.jobs: dict[int, Kept] = {}
        self._pots: dict[tuple[int, int, str, Period, datetime], Pot] = defaultdict(Pot)
        self._bonuses: dict[Member, list[Pot]] = defaultdict(list)
        self._rested_at: dict[Member, datetime] = {}

    def rules_of(self, member: Member) -> Rules:
        """What holds for a member."""
        guild, user = member
        mine = {(Subject.SERVER, 0), (Subject.POOL, 0), (Subject.USER, user)}
        mine |= {(Subject.ROLE, role) for role in ROLES[member]}
        found = [
            SetRule(subject=key[0], subject_id=key[1], amount=rule.amount, period=rule.period)
            for key, rule in sorted(self.rules[guild].items())
            if key in mine
        ]
        return effective(found, Rule(amount=self.settings.amount or None, period=self.settings.period))

    def pot_of(self, member: Member) -> Pot:
        """The running period's. It is kept for ever, so that a clock that goes back finds it as it was left."""
        return self._pot(member[0], member[1], "period", self.rules_of(member).member.period)

    def pool_of(self, member: Member) -> Pot:
        """The server's; without a rule for the pool it is counted by the member's period."""
        rules = self.rules_of(member)
        return self._pot(member[0], 0, "pool", (rules.pool or rules.member).period)

    def bonuses_of(self, member: Member) -> list[Pot]:
        """Those that have not ended, the one that ends first before the others."""
        alive = [pot for pot in self._bonuses[member] if pot.expires_at is None or pot.expires_at > self.now]
        return sorted(alive, key=lambda pot: math.inf if pot.expires_at is None else pot.expires_at.timestamp())

    def is_blocked(self, member: Member) -> bool:
        """Whether an admin blocked them, and it has not ended."""
        until = self.blocks.get(member, self.now)
        return until is None or until > self.now

    def queued(self, member: Member) -> int:
        """Their jobs that wait."""
        return sum(job.member == member and job.status is JobStatus.QUEUED for job in self.jobs.values())

    def startable(self) -> set[int]:
        """Jobs of which one must start when somebody asks for the next."""
        running = [job.member for job in self.jobs.values() if job.status is JobStatus.RUNNING]
        most = self.settings.running_per_user or math.inf
        return {
            job_id
            for job_id, job in self.jobs.items()
            if job.status is JobStatus.QUEUED and job.is_seen and running.count(job.member) < most
        }

    def obstacle(self, member: Member, price: int) -> Obstacle | None:
        """Why a member may not have a job of this price now."""
        if self.is_blocked(member):
            return Obstacle.BLOCKED
        if self.settings.cooldown_s and self._allowed_at(member) > self.now:
            return Obstacle.COOLDOWN
        if 0 < self.settings.queued_per_user <= self.queued(member):
            return Obstacle.QUEUED
        return self._too_much_for_member(member, price) or self._too_much_for_server(member, price)

    def _too_much_for_member(self, member: Member, price: int) -> Obstacle | None:
        limit, pot = self.rules_of(member).member.amount, self.pot_of(member)
        if limit is None:
            return None
        bonus = sum(gift.left for gift in self.bonuses_of(member))
        if price > limit + bonus:
            return Obstacle.TOO_BIG
        return Obstacle.QUOTA if price > max(0, limit - pot.held - pot.spent) + bonus else None

    def _too_much_for_server(self, member: Member, price: int) -> Obstacle | None:
        rule, pool = self.rules_of(member).pool, self.pool_of(member)
        if rule is None or rule.amount is None:
            return None
        return Obstacle.POOL if pool.held + pool.spent + price > rule.amount else None

    def accept(self, job_id: int, new: NewJob) -> None:
        """Hold a job's price: from the bonuses as far as they go, and the rest from the period."""
        member = (new.guild_id, new.requester_id)
        limit, pot, pool = self.rules_of(member).member.amount, self.pot_of(member), self.pool_of(member)
        missing, paid = new.price, list[tuple[Pot, int]]()
        for bonus in self.bonuses_of(member) if limit is not None else []:
            taken = min(missing, bonus.left)
            paid.append((bonus, taken))
            missing -= taken
        paid.append((pot, missing))
        if missing:
            pot.admitted_up_to = max(pot.admitted_up_to, math.inf if limit is None else limit)
        for source, units in [*paid, (pool, new.price)]:
            source.held += units
        if self.settings.cooldown_s:
            rested_at = min(self._rested_at.get(member, self.now), self.now + self._burst())
            self._rested_at[member] = max(rested_at, self.now) + timedelta(seconds=self.settings.cooldown_s)
        self.jobs[job_id] = Kept(
            member=member,
            interaction_id=new.origin.interaction_id,
            price=new.price,
            images=new.request.output_count,
            paid=paid,
            pool=pool,
        )

    def end(self, job_id: int, status: JobStatus, delivered: int = 0) -> None:
        """Charge what was delivered, in the order in which it was taken, and give the rest back."""
        job = self.jobs[job_id]
        assert job.captured is None
        job.status, job.captured = status, math.ceil(job.price * delivered / job.images)
        missing = job.captured
        for pot, units in job.paid:
            charged = min(missing, units)
            pot.held -= units
            pot.spent += charged
            missing -= charged
        job.pool.held -= job.price
        job.pool.spent += job.captured

    def grant(self, member: Member, amount: int, expires_at: datetime | None) -> None:
        """Give a bonus."""
        self._bonuses[member].append(Pot(amount=amount, expires_at=expires_at))

    def reset(self, member: Member) -> int:
        """Give the running period's charges back; what is held stays so."""
        pot = self.pot_of(member)
        given_back, pot.spent = pot.spent, 0
        return given_back

    def set_rule(self, guild: int, about: tuple[Subject, int], new: Rule | None) -> None:
        """What an admin decided; None is nothing."""
        self.rules[guild].pop(about, None)
        if new is not None:
            self.rules[guild][about] = new

    def every_pot(self) -> list[Pot]:
        """Of members, of any period; the pools are counted for servers without a limit too."""
        return [pot for key, pot in self._pots.items() if key[2] == "period"]

    def every_bonus(self) -> list[Pot]:
        """Of everybody."""
        return [pot for pots in self._bonuses.values() for pot in pots]

    def _pot(self, guild: int, user: int, kind: str, period: Period) -> Pot:
        return self._pots[guild, user, kind, period, period_start(self.now, period, self.settings.time_zone)]

    def _burst(self) -> timedelta:
        return timedelta(seconds=self.settings.cooldown_s) * self.settings.cooldown_burst

    def _allowed_at(self, member: Member) -> datetime:
        rested_at = min(self._rested_at.get(member, self.now), self.now + self._burst())
        return rested_at + timedelta(seconds=self.settings.cooldown_s) - self._burst()


def asker(member: Member) -> Asker:
    """A member who asks."""
    return Asker(guild_id=member[0], channel_id=6, user_id=member[1], role_ids=ROLES[member])


def new_job(interaction_id: int, member: Member, *, price: int, images: int, now: datetime) -> NewJob:
    """What a click asks for."""
    request = GenerationRequest(
        prompt="a red apple",
        negative_prompt="",
        num_inference_steps=4,
        guidance_scale=5.0,
        width=64,
        height=64,
        scheduler_name="Euler",
        seed=7,
        num_images=images,
        model_key="pocket",
    )
    return NewJob(
        origin=example_origin(
            asker(member), interaction_id=interaction_id, token_expires_at=now + timedelta(minutes=15)
        ),
        request=request,
        notices=(),
        price=price,
    )
