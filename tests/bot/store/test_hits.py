"""Refused requests in the database: kept for ninety days, appealed against once, allowed once."""

from datetime import timedelta

import msgspec
import pytest

from bot.store.cases import MOST_APPEALS, AlreadyAppealed, CaseRepository, TooManyAppeals
from bot.store.hits import ALLOWED_FOR, KEPT, HitRepository, NewHit
from bot.store.rows.cases import CaseKind, Outcome
from pipeline.protocol.requests import GenerationRequest
from tests.bot.store.conftest import GUILD, NOW, Store, decision


@pytest.fixture
def new(request_: GenerationRequest) -> NewHit:
    return NewHit(
        guild_id=GUILD,
        user_id=1,
        whose="server",
        rule=2,
        word="star*",
        part="st4r",
        how=("signs",),
        prompt="{a|two} st4rs",
        request=msgspec.structs.replace(request_, prompt="a st4r"),
        locale="de",
    )


async def test_an_allowance_is_for_the_same_words_of_the_same_member_once_within_a_day(
    store: Store, new: NewHit
) -> None:
    hits = HitRepository(store.database)
    hit_id = await hits.add(new, NOW)
    again = msgspec.structs.replace(new.request, seed=99)
    assert await hits.allowance(GUILD, 1, again, NOW) is None
    await hits.allow(hit_id, NOW)
    allowance = await hits.allowance(GUILD, 1, again, NOW)
    assert allowance is not None
    assert allowance.hit_id == hit_id
    assert await hits.allowance(GUILD, 2, again, NOW) is None
    assert await hits.allowance(GUILD + 1, 1, again, NOW) is None
    assert await hits.allowance(GUILD, 1, msgspec.structs.replace(again, prompt="st4rs"), NOW) is None
    assert await hits.allowance(GUILD, 1, msgspec.structs.replace(again, negative_prompt="(st4r:-1)"), NOW) is None
    assert await hits.allowance(GUILD, 1, again, NOW + ALLOWED_FOR) is None
    await hits.use_allowance(hit_id)
    assert await hits.allowance(GUILD, 1, again, NOW) is None


async def test_an_appeal_is_one_case_and_three_are_a_day(store: Store, new: NewHit) -> None:
    hits, cases = HitRepository(store.database), CaseRepository(store.database)
    kept = [await hits.get(await hits.add(new, NOW)) for _ in range(MOST_APPEALS + 1)]
    stored = [hit for hit in kept if hit is not None]
    assert len(stored) == MOST_APPEALS + 1
    case = await cases.appeal(stored[0], NOW)
    assert (case.kind, case.user_id, case.hit_id, case.job_id) == (CaseKind.APPEAL, 1, stored[0].hit_id, None)
    assert await cases.close(decision(), case, Outcome.KEEP) is not None
    with pytest.raises(AlreadyAppealed):
        await cases.appeal(stored[0], NOW + timedelta(days=2))
    for hit in stored[1:MOST_APPEALS]:
        await cases.appeal(hit, NOW)
    with pytest.raises(TooManyAppeals):
        await cases.appeal(stored[-1], NOW + timedelta(hours=23))
    await cases.appeal(stored[-1], NOW + timedelta(hours=25))
    assert [row.action for row in await store.servers.audit_log(GUILD, 9)] == ["appeal-keep"]


async def test_old_ones_are_dropped_and_their_cases_stay(store: Store, new: NewHit) -> None:
    hits, cases = HitRepository(store.database), CaseRepository(store.database)
    old = await hits.get(await hits.add(new, NOW))
    assert old is not None
    assert old == await hits.get(old.hit_id)
    case = await cases.appeal(old, NOW)
    await hits.add(new, NOW + KEPT)
    assert await hits.get(old.hit_id) is not None
    await hits.add(new, NOW + KEPT + timedelta(seconds=1))
    assert await hits.get(old.hit_id) is None
    left = await cases.get(GUILD, case.case_id)
    assert left is not None
    # Nobody could decide it, so it is not listed for ever.
    assert (left.hit_id, left.outcome, left.decided_by) == (None, Outcome.EXPIRED, 0)


async def test_the_appeal_of_a_forgotten_member_ends_and_a_decided_one_stays_so(store: Store, new: NewHit) -> None:
    hits, cases = HitRepository(store.database), CaseRepository(store.database)
    kept = [await hits.get(await hits.add(new, NOW)) for _ in range(2)]
    first, second = [await cases.appeal(hit, NOW) for hit in kept if hit is not None]
    assert await cases.close(decision(), first, Outcome.KEEP) is not None
    assert (await cases.waiting(GUILD, 9)).count == 1
    await store.forget(1, NOW + timedelta(hours=1))
    assert (await cases.waiting(GUILD, 9)).count == 0
    ended = [await cases.get(GUILD, case.case_id) for case in (first, second)]
    assert [(case.hit_id, case.outcome) for case in ended if case] == [(None, Outcome.KEEP), (None, Outcome.EXPIRED)]
