"""The fair queue in a real SQLite file."""

import random
import re
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from bot.quotas.standing import QueueState
from bot.store.admission import AlreadyAccepted
from bot.store.claiming import CLAIM
from bot.store.members.facts import BALANCES, RULES, STATE
from bot.store.members.ledger import ADMIT, ENTRIES, FIND_POT, SETTLE_POTS, USE
from bot.store.queue import FIRST_OF_MEMBERS, LATER_TURNS, POSITION, TAKE_COOLDOWN, Place
from bot.store.rows.jobs import JobStatus, NewJob
from tests.bot.store.conftest import NOW, Store, decision, settings_of

Make = Callable[..., NewJob]


async def run_all(store: Store) -> list[int]:
    """Whose jobs run, in the order in which they are claimed."""
    claimed: list[int] = []
    while job := await store.queue.claim_next(running_per_user=0, now=NOW):
        claimed.append(job.requester_id)
        await store.jobs.deliver(job.job_id, outputs_delivered=1)
    return claimed


async def fail(store: Store, job_id: int) -> None:
    await store.jobs.end(job_id, status=JobStatus.CANCELLED, failure=None, error_id=None, now=NOW)


async def test_claims_go_round_between_members(store: Store, new_job: Make) -> None:
    for number, user in enumerate([1, 1, 1, 2, 3], start=1):
        await store.accept(new_job(number, user=user))
    assert await run_all(store) == [1, 2, 3, 1, 1]


async def test_a_round_is_counted_in_price_not_in_jobs(store: Store, new_job: Make) -> None:
    for number in range(1, 4):
        await store.accept(new_job(number, user=1, price=4))
    for number in range(4, 13):
        await store.accept(new_job(number, user=2, price=1))
    # Each gets four units while the other gets four.
    assert await run_all(store) == [2, 2, 2, 1, 2, 2, 2, 2, 1, 2, 2, 1]


async def test_whoever_comes_late_waits_one_round_and_gets_no_credit_for_idle_time(store: Store, new_job: Make) -> None:
    for number in range(1, 51):
        await store.accept(new_job(number, user=1, price=2))
    for _ in range(20):
        job = await store.queue.claim_next(running_per_user=0, now=NOW)
        assert job is not None
        await store.jobs.deliver(job.job_id, outputs_delivered=1)
    for number in range(51, 54):
        await store.accept(new_job(number, user=2, price=2))
    assert (await run_all(store))[:7] == [1, 2, 1, 2, 1, 2, 1]


async def test_a_weight_is_a_share_of_the_rounds(store: Store, new_job: Make) -> None:
    for number in range(1, 13):
        await store.accept(new_job(number, user=1, weight=3))
        await store.accept(new_job(100 + number, user=2))
    first = (await run_all(store))[:12]
    assert (first.count(1), first.count(2)) == (9, 3)


async def test_the_express_lane_goes_first(store: Store, new_job: Make) -> None:
    for number in range(1, 4):
        await store.accept(new_job(number, user=1))
    await store.accept(new_job(10, user=2, is_express=True))
    await store.accept(new_job(11, user=2))
    assert await run_all(store) == [2, 1, 2, 1, 1]
    assert await store.broken() == []


async def test_a_member_runs_no_more_than_allowed(store: Store, new_job: Make) -> None:
    await store.accept(new_job(1))
    await store.accept(new_job(2))
    first = await store.queue.claim_next(running_per_user=1, now=NOW)
    assert first is not None
    assert (first.attempt, first.status) == (1, JobStatus.RUNNING)
    assert await store.queue.claim_next(running_per_user=1, now=NOW) is None
    await store.queue.release(first.job_id, has_crashed=True)
    again = await store.queue.claim_next(running_per_user=1, now=NOW)
    assert again is not None
    assert (again.job_id, again.attempt, again.crashes) == (first.job_id, 2, 1)


async def test_a_job_that_nobody_saw_accepted_does_not_start(store: Store, new_job: Make) -> None:
    unseen = await store.accept(new_job(1), is_seen=False)
    seen = await store.accept(new_job(2))
    assert [job.job_id for job in await store.queue.unanswered()] == [unseen.job_id]
    claimed = await store.queue.claim_next(running_per_user=0, now=NOW)
    assert claimed is not None
    assert claimed.job_id == seen.job_id
    assert await store.queue.claim_next(running_per_user=0, now=NOW) is None


async def test_a_paused_server_waits_and_the_others_go_on(store: Store, new_job: Make) -> None:
    await store.accept(new_job(1, user=1))
    await store.accept(new_job(2, user=1, guild=6))
    await store.servers.set_queue_state(decision(), QueueState.PAUSED)
    await store.accept(new_job(3, user=2))
    claimed = await store.queue.claim_next(running_per_user=0, now=NOW)
    assert claimed is not None
    assert claimed.guild_id == 6
    assert await store.queue.claim_next(running_per_user=0, now=NOW) is None
    await store.servers.set_queue_state(decision(), QueueState.OPEN)
    assert sorted(await run_all(store)) == [1, 2]


async def test_the_next_of_a_member_moves_up_when_an_earlier_one_is_cancelled(store: Store, new_job: Make) -> None:
    mine = [await store.accept(new_job(number, user=1, price=3)) for number in range(1, 5)]
    for number in range(5, 15):
        await store.accept(new_job(number, user=2, price=3))
    for job in mine[:3]:
        await fail(store, job.job_id)
    assert await store.broken() == []
    assert (await run_all(store))[:3] == [1, 2, 2]


async def test_positions_are_exact_whatever_happens(store: Store, new_job: Make) -> None:
    dice = random.Random(2)
    ids: list[int] = []
    for number in range(1, 160):
        new = new_job(number, user=dice.randrange(9), price=dice.randrange(1, 5), expected_ms=dice.randrange(9_000))
        ids.append((await store.accept(new)).job_id)
        action = dice.randrange(4)
        if action == 0:
            await store.queue.claim_next(running_per_user=0, now=NOW)
        elif action == 1:
            await fail(store, dice.choice(ids))
        elif action == 2:
            await store.queue.release(dice.choice(ids))
    rows = await store.database.fetch_all(
        "SELECT job_id, expected_ms FROM jobs WHERE status = 'queued' ORDER BY queue_key"
    )
    ahead_ms = 0
    for position, row in enumerate(rows, start=1):
        job = await store.jobs.get(row["job_id"])
        assert job is not None
        place = await store.queue.place_of(job)
        assert (place.position, round(place.ahead_s * 1_000)) == (position, ahead_ms)
        ahead_ms += row["expected_ms"]
    assert len(rows) > 40
    assert await store.broken() == []


async def test_an_accepted_job_is_told_its_place_by_the_same_write(store: Store, new_job: Make) -> None:
    ahead_s = 0.0
    for number in range(1, 5):
        new = new_job(number, user=1, expected_ms=number * 1_000)
        job, place = await store.jobs.accept(new, settings=settings_of(), now=NOW)
        assert place == await store.queue.place_of(job) == Place(position=number, ahead_s=ahead_s)
        with pytest.raises(AlreadyAccepted) as again:
            await store.jobs.accept(new, settings=settings_of(), now=NOW)
        assert (again.value.job, again.value.place) == (job, place)
        ahead_s += number


async def test_the_longest_waiting_are_found(store: Store, new_job: Make) -> None:
    old = await store.accept(new_job(1))
    await store.accept(new_job(2), now=NOW + timedelta(hours=2))
    late = await store.queue.waiting_since_before(NOW + timedelta(hours=1), 10)
    assert [job.job_id for job in late] == [old.job_id]


async def test_a_member_sees_their_own_jobs_of_their_server(store: Store, new_job: Make) -> None:
    first = await store.accept(new_job(1))
    second = await store.accept(new_job(2))
    await store.accept(new_job(3, guild=6))
    await store.accept(new_job(4, user=2))
    await store.queue.claim_next(running_per_user=0, now=NOW)
    assert [job.job_id for job in await store.queue.of_member(5, 1, 10)] == [first.job_id, second.job_id]
    waiting = await store.queue.waiting_of(5)
    assert (waiting.queued, waiting.running) == (2, 1)


@pytest.mark.parametrize(
    "sql",
    [
        CLAIM,
        FIRST_OF_MEMBERS,
        POSITION,
        RULES,
        STATE,
        BALANCES,
        ADMIT,
        SETTLE_POTS,
        TAKE_COOLDOWN,
        LATER_TURNS,
        FIND_POT,
        ENTRIES,
        USE,
    ],
)
async def test_no_statement_looks_through_a_table(store: Store, sql: str) -> None:
    values = dict.fromkeys(re.findall(r":(\w+)", sql), 1) or (1,) * sql.count("?")
    plan = [str(row["detail"]) for row in await store.database.fetch_all(f"EXPLAIN QUERY PLAN {sql}", values)]
    # The sixteen digits, a member's roles, a few rows just read, and the index of those who may start.
    harmless = ("SCAN digits", "SCAN json_each", "SCAN CONSTANT", "SCAN members USING INDEX members_in_line")
    own = ("SCAN payable", "SCAN ordered", "SCAN allowed", "SCAN paid", "SCAN (subquery")
    scans = [line for line in plan if line.startswith("SCAN") and not line.startswith((*harmless, *own))]
    assert scans == [], plan


async def test_claims_pass_over_what_no_free_worker_can_draw(store: Store, new_job: Make) -> None:
    for number, user, model in ((1, 1, "rare"), (2, 1, "pocket"), (3, 2, "pocket")):
        new = new_job(number, user=user)
        request = msgspec.structs.replace(new.request, model_key=model)
        await store.accept(msgspec.structs.replace(new, request=request))

    async def claim(models: frozenset[str] | None, without: frozenset[int] = frozenset()) -> int:
        job = await store.queue.claim_next(running_per_user=0, now=NOW, models=models, without=without)
        return 0 if job is None else job.job_id

    pocket = frozenset({"pocket"})
    assert await claim(frozenset()) == 0
    # The first of the member waits for its model, and their next one is in line.
    assert await claim(pocket, frozenset({3})) == 2
    assert await claim(pocket) == 3
    assert await claim(pocket) == 0
    assert await claim(None) == 1
