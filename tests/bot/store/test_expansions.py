"""Prompts that stand for several jobs: kept, answered once, and as many of them taken as was said."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bot.quotas.rules import Rule, Subject
from bot.quotas.standing import outlook
from bot.store.admission import AlreadyAccepted, NotAllowed
from bot.store.expansions import KEPT, Expansion, ExpansionRepository, NewExpansion
from bot.store.rows.jobs import NewJob, WantedJob
from bot.store.rows.origin import Lineage, StartedBy
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.areas.quotas import Period
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice
from tests.bot.store.conftest import NOW, Store, asker_of, decision, settings_of

Make = Callable[..., NewJob]


@pytest.fixture
def new(request_: GenerationRequest) -> NewExpansion:
    return NewExpansion(
        guild_id=5,
        channel_id=6,
        user_id=1,
        started_by=StartedBy.REMIX,
        lineage=Lineage(parent_job_id=3, parent_message_id=4),
        jobs=(
            WantedJob(request=request_, notices=(Notice(key="notice-reduced", values={}),)),
            WantedJob(request=request_, defaults=AskerDefaults(own=Preferences(num_inference_steps=9)), notices=()),
        ),
        price=2,
    )


async def test_one_is_answered_once_whoever_presses_how_often(store: Store, new: NewExpansion) -> None:
    expansions = ExpansionRepository(store.database)
    kept = await expansions.add(new, NOW)
    assert {name: getattr(kept, name) for name in new.__struct_fields__} == {
        name: getattr(new, name) for name in new.__struct_fields__
    }
    assert await expansions.get(kept.expansion_id) == kept
    claimed = await asyncio.gather(*(expansions.claim(kept.expansion_id, NOW) for _ in range(5)))
    assert sorted(claimed) == [False] * 4 + [True]
    assert not await expansions.dismiss(kept.expansion_id)
    await expansions.release(kept.expansion_id)
    assert await expansions.dismiss(kept.expansion_id)
    assert not await expansions.claim(kept.expansion_id, NOW)


async def test_its_jobs_change_until_they_are_started(store: Store, new: NewExpansion) -> None:
    expansions = ExpansionRepository(store.database)
    kept = await expansions.add(new, NOW)
    assert await expansions.change(kept.expansion_id, new.jobs[1:])
    changed = await expansions.get(kept.expansion_id)
    assert changed == msgspec.structs.replace(kept, jobs=new.jobs[1:])
    assert await expansions.claim(kept.expansion_id, NOW)
    assert not await expansions.change(kept.expansion_id, new.jobs)
    started = await expansions.get(kept.expansion_id)
    assert started is not None
    assert started.jobs == new.jobs[1:]


async def test_old_ones_and_those_of_the_forgotten_go_and_no_number_comes_again(
    store: Store, new: NewExpansion
) -> None:
    expansions = ExpansionRepository(store.database)
    first = await expansions.add(new, NOW)
    second = await expansions.add(new, NOW + KEPT + timedelta(seconds=1))
    assert await expansions.get(first.expansion_id) is None
    await store.forget(1, NOW + 2 * KEPT)
    assert await expansions.get(second.expansion_id) is None
    third = await expansions.add(new, NOW)
    assert len({expansion.key(number) for expansion in (first, second, third) for number in (0, 1)}) == 6


async def test_a_job_of_one_is_taken_once(store: Store, new: NewExpansion, new_job: Make) -> None:
    expansion: Expansion = await ExpansionRepository(store.database).add(new, NOW)
    job = await store.accept(new_job(expansion.key(0)))
    assert not job.is_answer
    assert (await store.accept(new_job(1))).is_answer
    with pytest.raises(AlreadyAccepted):
        await store.accept(new_job(expansion.key(0)))
    assert await store.broken() == []


@pytest.mark.parametrize(
    "quotas",
    [
        {},
        {"amount": 5},
        {"amount": 9},
        {"queued_per_user": 3},
        {"cooldown_s": 60, "cooldown_burst": 2},
        {"cooldown_s": 60, "cooldown_burst": 2, "queued_per_user": 1},
    ],
)
@pytest.mark.parametrize("bonus", [0, 3])
@pytest.mark.parametrize("pool", [None, 7])
async def test_as_many_are_taken_as_was_said(
    store: Store, new_job: Make, quotas: dict[str, Any], bonus: int, pool: int | None
) -> None:
    if bonus:
        await store.ledger.grant(decision(), 1, bonus, expires_at=None)
    if pool is not None:
        await store.servers.set_rule(decision(), Subject.POOL, 0, Rule(amount=pool, period=Period.DAY))
    settings, prices = settings_of(**quotas), [2, 1, 2, 1, 1, 2]
    said = outlook(await store.jobs.facts(asker_of(), settings, NOW), prices=prices, settings=settings)
    taken, obstacle = 0, None
    for number, price in enumerate(prices):
        try:
            await store.accept(new_job(number + 1, price=price), **quotas)
        except NotAllowed as refused:
            obstacle = refused.standing.obstacle
            break
        taken += 1
    assert (said.price, said.startable) == (9, taken)
    assert (said.in_the_way and said.in_the_way.obstacle) == obstacle
    assert await store.broken() == []
