"""Units in and out of pots: in which order they are used, what comes back, and what admins change."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from bot.quotas.rules import Rule, Rules, Subject
from bot.quotas.standing import Obstacle
from bot.store.admission import NotAllowed, insert_job
from bot.store.members.ledger import reserve
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus, NewJob
from config.areas.quotas import Period
from tests.bot.store.conftest import ADMIN, NOW, Store, asker_of, decision, settings_of

Make = Callable[..., NewJob]


async def give(store: Store, amount: int, *, hours: int | None = None, user: int = 1) -> None:
    expires_at = None if hours is None else NOW + timedelta(hours=hours)
    await store.ledger.grant(decision(reason="well drawn"), user, amount, expires_at=expires_at)


async def bonuses(store: Store, now: datetime = NOW, user: int = 1, **quotas: Any) -> list[int]:
    facts = await store.jobs.facts(asker_of(user), settings_of(**quotas), now)
    return [bonus.left for bonus in facts.bonuses]


async def refusal(store: Store, new: NewJob, **values: Any) -> Obstacle | None:
    with pytest.raises(NotAllowed) as refused:
        await store.accept(new, **values)
    return refused.value.standing.obstacle


async def test_bonuses_go_first_and_the_one_that_ends_first_before_the_others(store: Store, new_job: Make) -> None:
    await give(store, 4)
    await give(store, 3, hours=9)
    await give(store, 2, hours=1)
    assert await bonuses(store, amount=10) == [2, 3, 4]
    await store.accept(new_job(1, price=4), amount=10)
    assert await bonuses(store, amount=10) == [1, 4]
    await store.accept(new_job(2, price=7), amount=10)
    assert await bonuses(store, amount=10) == []
    assert await store.used(amount=10) == 2
    assert await store.broken() == []


async def test_what_comes_back_goes_to_the_pots_that_it_came_from(store: Store, new_job: Make) -> None:
    await give(store, 3)
    request = msgspec.structs.replace(new_job(1).request, num_images=4)
    job = await store.accept(new_job(1, price=8, request=request), amount=10)
    assert await store.used(amount=10) == 5
    await store.jobs.deliver(job.job_id, outputs_delivered=2)
    # Four were charged: all three of the bonus, which was used first, and one of the period.
    assert await bonuses(store, amount=10) == []
    assert await store.used(amount=10) == 1
    other = await store.accept(new_job(2, price=2), amount=10)
    await store.jobs.end(other.job_id, status=JobStatus.FAILED, failure=JobFailure.TIMEOUT, error_id=None)
    assert await store.used(amount=10) == 1
    assert await store.broken() == []


async def test_a_bonus_that_has_ended_buys_nothing(store: Store, new_job: Make) -> None:
    await give(store, 5, hours=1)
    later = NOW + timedelta(hours=1)
    assert await bonuses(store, later, amount=1) == []
    assert await refusal(store, new_job(1, price=2), amount=1, now=later) is Obstacle.TOO_BIG
    await store.accept(new_job(2, price=6), amount=1)
    assert await store.broken() == []


async def test_a_bonus_is_not_used_by_somebody_without_a_limit(store: Store, new_job: Make) -> None:
    await give(store, 5)
    await store.accept(new_job(1, price=3))
    assert await bonuses(store) == [5]


async def test_a_bonus_belongs_to_one_member_of_one_server(store: Store, new_job: Make) -> None:
    await give(store, 5)
    assert await refusal(store, new_job(1, user=2, price=2), amount=1) is Obstacle.TOO_BIG
    assert await refusal(store, new_job(2, guild=6, price=2), amount=1) is Obstacle.TOO_BIG


async def test_the_pool_is_shared_by_all_and_takes_nothing_from_anybody(store: Store, new_job: Make) -> None:
    await store.servers.set_rule(decision(), Subject.POOL, 0, Rule(amount=5, period=Period.WEEK))
    await give(store, 2, user=2)
    first = await store.accept(new_job(1, price=3), amount=10)
    await store.accept(new_job(2, user=2, price=2), amount=10)
    # Also a bonus counts in the pool, which stands for what the machine can do.
    assert await refusal(store, new_job(3, user=3), amount=10) is Obstacle.POOL
    await store.accept(new_job(4, user=3, guild=6), amount=10)
    await store.jobs.end(first.job_id, status=JobStatus.FAILED, failure=JobFailure.TIMEOUT, error_id=None)
    await store.accept(new_job(5, user=3, price=3), amount=10)
    assert await store.broken() == []


async def test_clicks_of_many_members_at_once_never_exceed_the_pool(store: Store, new_job: Make) -> None:
    await store.servers.set_rule(decision(), Subject.POOL, 0, Rule(amount=7, period=Period.DAY))
    clicks = [store.accept(new_job(number, user=number % 5), amount=4) for number in range(40)]
    results = await asyncio.gather(*clicks, return_exceptions=True)
    assert sum(isinstance(result, Job) for result in results) == 7
    assert sum(isinstance(result, NotAllowed) for result in results) == 33
    assert await store.broken() == []


async def test_clicks_at_once_never_exceed_bonus_and_period_together(store: Store, new_job: Make) -> None:
    await give(store, 3)
    await give(store, 2, hours=1)
    clicks = [store.accept(new_job(number, price=2), amount=4) for number in range(20)]
    results = await asyncio.gather(*clicks, return_exceptions=True)
    assert sum(isinstance(result, Job) for result in results) == 4
    assert (await bonuses(store, amount=4), await store.used(amount=4)) == ([], 3)
    assert await store.broken() == []


async def test_a_lower_rule_takes_nothing_back_and_lets_nobody_on(store: Store, new_job: Make) -> None:
    job = await store.accept(new_job(1, price=8), amount=10)
    await store.servers.set_rule(decision(), Subject.USER, 1, Rule(amount=2, period=Period.DAY))
    assert await refusal(store, new_job(2), amount=10) is Obstacle.QUOTA
    await store.jobs.deliver(job.job_id, outputs_delivered=1)
    assert await store.used(amount=10) == 8
    assert await store.broken() == []


async def test_a_new_period_starts_whole_and_an_old_job_is_settled_in_its_own(store: Store, new_job: Make) -> None:
    job = await store.accept(new_job(1, price=3), amount=3)
    tomorrow = NOW + timedelta(days=1)
    await store.accept(new_job(2, price=3), amount=3, now=tomorrow)
    await store.jobs.deliver(job.job_id, outputs_delivered=1, now=tomorrow)
    assert (await store.used(amount=3), await store.used(amount=3, now=tomorrow)) == (3, 3)
    assert await refusal(store, new_job(3), amount=3, now=NOW) is Obstacle.QUOTA
    assert await store.broken() == []


async def test_a_reset_gives_back_what_was_charged_and_not_what_is_held(store: Store, new_job: Make) -> None:
    done = await store.accept(new_job(1, price=3), amount=10)
    await store.jobs.deliver(done.job_id, outputs_delivered=1)
    await store.accept(new_job(2, price=4), amount=10)
    assert await store.ledger.reset(decision(reason="our fault"), asker_of(), settings_of(amount=10)) == 3
    assert await store.used(amount=10) == 4
    assert await store.ledger.reset(decision(), asker_of(), settings_of(amount=10)) == 0
    assert await store.broken() == []


async def test_what_an_admin_changes_is_a_row_with_who_and_why(store: Store, new_job: Make) -> None:
    await give(store, 4)
    done = await store.accept(new_job(1, price=6), amount=10)
    await store.jobs.deliver(done.job_id, outputs_delivered=1)
    await store.ledger.reset(decision(NOW + timedelta(hours=1), "our fault"), asker_of(), settings_of(amount=10))
    entries = [entry for entry in await store.ledger.entries(5, 1, 10) if entry.actor_id is not None]
    assert [(entry.kind, entry.granted, entry.adjusted, entry.actor_id, entry.reason) for entry in entries] == [
        ("adjust", 0, -2, ADMIN, "our fault"),
        ("grant", 4, 0, ADMIN, "well drawn"),
    ]
    audit = [(row.action, row.subject, row.detail, row.actor_id) for row in await store.servers.audit_log(5, 10)]
    assert audit == [("quota-adjust", "<@1>", "-2", ADMIN), ("quota-grant", "<@1>", "4", ADMIN)]
    assert await store.ledger.entries(6, 1, 10) == []


async def test_the_report_counts_what_was_charged_and_when(store: Store, new_job: Make) -> None:
    done = await store.accept(new_job(1, price=3))
    await store.jobs.deliver(done.job_id, outputs_delivered=1, now=NOW + timedelta(minutes=5))
    failed = await store.accept(new_job(2))
    await store.jobs.end(failed.job_id, status=JobStatus.FAILED, failure=JobFailure.TIMEOUT, error_id=None, now=NOW)
    foreign = await store.accept(new_job(3, guild=6))
    await store.jobs.deliver(foreign.job_id, outputs_delivered=1, now=NOW)
    (use,) = await store.ledger.use_since(5, NOW)
    assert (use.user_id, use.user_name, use.model_key, use.units, use.at) == (
        1,
        "Ada",
        "pocket",
        3,
        NOW + timedelta(minutes=5),
    )
    assert await store.ledger.use_since(5, NOW + timedelta(minutes=6)) == []


@pytest.mark.parametrize(
    ("member", "pool", "is_reserved"),
    [(5, 5, True), (4, 5, False), (5, 4, False), (None, 4, False), (None, None, True), (4, None, False)],
)
async def test_the_statement_that_takes_the_units_asks_once_more(
    store: Store, new_job: Make, member: int | None, pool: int | None, *, is_reserved: bool
) -> None:
    rules = Rules(member=Rule(amount=member, period=Period.DAY), pool=Rule(amount=pool, period=Period.DAY))

    def ask(connection: sqlite3.Connection) -> bool:
        job = insert_job(connection, new_job(1, price=5), NOW)
        return reserve(connection, job, rules, now=NOW, time_zone="UTC")

    assert await store.database.write(ask) is is_reserved
