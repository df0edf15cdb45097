"""Money beside units: the budget of a month is taken from in the transaction that accepts a job."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot.store.members.spendings import BudgetSpent, SpendingRepository
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import JobStatus, NewJob
from tests.bot.store.conftest import NOW, Store

Make = Callable[..., NewJob]
BUDGET = 100_000


def paid(new: NewJob, micros: int = 40_000) -> NewJob:
    return msgspec.structs.replace(new, cost_micros=micros, budget_micros=BUDGET)


async def test_no_job_is_accepted_over_the_budget_and_nothing_of_it_is_kept(store: Store, new_job: Make) -> None:
    spendings = SpendingRepository(store.database)
    for number in (1, 2):
        await store.accept(paid(new_job(number)))
    with pytest.raises(BudgetSpent):
        await store.accept(paid(new_job(3)), amount=10)
    assert await spendings.spent(NOW, "UTC") == 0.08
    assert await store.used(amount=10) == 2
    await store.accept(paid(new_job(4), 20_000))  # exactly the rest
    await store.accept(new_job(5))  # models without a price go on
    assert await spendings.spent(NOW, "UTC") == 0.1
    assert await store.broken() == []


async def test_a_month_begins_where_the_owner_lives(store: Store, new_job: Make) -> None:
    spendings = SpendingRepository(store.database)
    evening = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    await store.accept(paid(new_job(1), BUDGET), now=evening)
    assert await spendings.spent(evening, "UTC") == 0.1
    assert await spendings.spent(evening + timedelta(hours=1), "UTC") == 0.0
    await store.accept(paid(new_job(2), BUDGET), now=evening, time_zone="Europe/Berlin")  # there it is December
    assert await spendings.spent(evening, "Europe/Berlin") == 0.1


@pytest.mark.parametrize(
    ("has_started", "failure", "left"),
    [
        (False, None, 0.0),
        (True, JobFailure.MAYBE_BILLED, 0.04),
        (True, JobFailure.TIMEOUT, 0.04),
        (True, JobFailure.REFUSED_ELSEWHERE, 0.0),
    ],
)
async def test_money_comes_back_only_if_nothing_was_billed(
    store: Store, new_job: Make, failure: JobFailure | None, left: float, *, has_started: bool
) -> None:
    job = await store.accept(paid(new_job(1)))
    if has_started:
        await store.queue.claim_next(running_per_user=0, now=NOW, models=None, without=frozenset())
    status = JobStatus.CANCELLED if failure is None else JobStatus.FAILED
    await store.jobs.end(job.job_id, status=status, failure=failure, error_id=None)
    assert await SpendingRepository(store.database).spent(NOW, "UTC") == left
    assert await store.used() == 0
    assert await store.broken() == []
