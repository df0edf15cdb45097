"""A member's finished pictures in the database: newest first, in pages, and nobody else's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bot.store.members.history import HistoryRepository, statement
from bot.store.rows.history import Past, Shelf, Sought, Spot, mark_of
from bot.store.rows.jobs import Hold, Job, NewJob
from bot.store.rows.outputs import NewOutput
from bot.store.sqlite.statements import fetch_all
from bot.store.stars import StarRepository
from tests.bot.store.conftest import NOW, Store

Make = Callable[..., NewJob]
MINE = Sought(user_id=1, shelf=Shelf.OWN)


class Drawn:
    """Finished jobs, and what a search finds."""

    def __init__(self, store: Store, new_job: Make) -> None:
        self.store = store
        self.new_job = new_job
        self.history = HistoryRepository(store.database)
        self.count = 0

    async def job(self, prompt: str, *, images: int = 1, model: str = "pocket", minutes: int = 0, **new: Any) -> Job:
        self.count += 1
        usual = self.new_job(self.count, **new)
        request = msgspec.structs.replace(usual.request, prompt=prompt, model_key=model, num_images=images)
        at = NOW + timedelta(minutes=minutes)
        job = await self.store.accept(msgspec.structs.replace(usual, request=request), now=at)
        await self.store.database.change("UPDATE jobs SET status = 'running' WHERE job_id = ?", (job.job_id,))
        outputs = [
            NewOutput(
                output_index=index,
                kind="image",
                sha256=f"{job.job_id:063x}{index}",
                media_type="image/png",
                size_bytes=9,
                width=64,
                height=64,
                seed=index,
            )
            for index in range(images)
        ]
        await self.store.jobs.store_outputs(job.job_id, outputs=outputs, notices=(), denoise_s=1, total_s=1)
        assert await self.store.jobs.deliver(job.job_id, outputs_delivered=images, now=at)
        return job

    async def found(self, sought: Sought = MINE, spot: Spot | None = None, limit: int = 99) -> list[str]:
        return named(await self.history.older(sought, spot, limit))


def named(found: list[Past]) -> list[str]:
    return [f"{past.job.request.prompt} {past.output.output_index + 1}" for past in found]


@pytest.fixture
def drawn(store: Store, new_job: Make) -> Drawn:
    return Drawn(store, new_job)


async def test_pages_follow_each_other_in_both_directions_without_a_gap(drawn: Drawn) -> None:
    await drawn.job("old", images=2)
    await drawn.job("twin")
    await drawn.job("new", images=3, minutes=1)
    everything = ["new 1", "new 2", "new 3", "twin 1", "old 1", "old 2"]
    assert await drawn.found() == everything
    pages, spot = list[str](), None
    while page := await drawn.history.older(MINE, spot, 2):
        pages += named(page)
        spot = page[-1].spot
    assert pages == everything
    for number, past in enumerate(await drawn.history.older(MINE, None, 99)):
        newer = named(await drawn.history.newer(MINE, past.spot, 99))
        assert newer == [*reversed(everything[:number])]


async def test_words_model_and_days_narrow_a_search(drawn: Drawn) -> None:
    eastern = "Ein ÖSTLICHER Apfel, 100% rot"
    await drawn.job(eastern)
    await drawn.job("a red apple", model="other", minutes=5)
    assert await drawn.found(msgspec.structs.replace(MINE, words="apfel östlich")) == [f"{eastern} 1"]
    assert await drawn.found(msgspec.structs.replace(MINE, words="100% ROT")) == [f"{eastern} 1"]
    assert await drawn.found(msgspec.structs.replace(MINE, words="r%d")) == []
    assert await drawn.found(msgspec.structs.replace(MINE, model_mark=mark_of("other"))) == ["a red apple 1"]
    assert await drawn.history.models(1) == ["other", "pocket"]
    middle = NOW + timedelta(minutes=5)
    assert await drawn.found(msgspec.structs.replace(MINE, since=middle)) == ["a red apple 1"]
    assert await drawn.found(msgspec.structs.replace(MINE, before=middle)) == [f"{eastern} 1"]


async def test_nobody_finds_what_others_asked_for_unless_they_starred_it(drawn: Drawn) -> None:
    mine = await drawn.job("mine")
    theirs = await drawn.job("theirs", user=2, minutes=1)
    await drawn.job("another", user=2, minutes=2)
    stars = StarRepository(drawn.store.database)
    await stars.toggle(theirs.job_id, 1, NOW)
    assert await drawn.found() == ["mine 1"]
    assert await drawn.found(msgspec.structs.replace(MINE, shelf=Shelf.STARRED)) == []
    assert await drawn.found(msgspec.structs.replace(MINE, shelf=Shelf.FAVOURITES)) == ["theirs 1"]
    await stars.toggle(mine.job_id, 1, NOW)
    assert await drawn.found(msgspec.structs.replace(MINE, shelf=Shelf.STARRED)) == ["mine 1"]
    assert await drawn.found(msgspec.structs.replace(MINE, shelf=Shelf.FAVOURITES)) == ["theirs 1", "mine 1"]
    assert [past.is_starred for past in await drawn.history.older(MINE, None, 9)] == [True]
    # Who starred another's picture finds it no longer, once that one is forgotten.
    await drawn.store.forget(2)
    assert await drawn.found(msgspec.structs.replace(MINE, shelf=Shelf.FAVOURITES)) == ["mine 1"]


async def test_what_may_not_be_seen_is_not_found(drawn: Drawn) -> None:
    removed, held = await drawn.job("removed"), await drawn.job("held")
    assert not await drawn.history.has_grown_up(1)
    await drawn.job("grown up", is_age_restricted=True)
    assert await drawn.history.has_grown_up(1)
    assert not await drawn.history.has_grown_up(2)
    await drawn.store.database.change("UPDATE jobs SET removed_at = 1 WHERE job_id = ?", (removed.job_id,))
    await drawn.store.database.change("UPDATE jobs SET hold = ? WHERE job_id = ?", (Hold.HELD, held.job_id))
    assert await drawn.found() == []
    assert await drawn.found(msgspec.structs.replace(MINE, is_among_adults=True)) == ["grown up 1"]
    await drawn.store.forget(1)
    assert await drawn.found(msgspec.structs.replace(MINE, is_among_adults=True)) == []
    assert not await drawn.history.has_grown_up(1)


@pytest.mark.parametrize("shelf", Shelf)
async def test_only_rows_of_the_member_are_read(store: Store, shelf: Shelf) -> None:
    names = ("user", "adults", "since", "before", "job", "index", "limit")
    await HistoryRepository(store.database).older(MINE, None, 1)  # the connection knows the function now
    for is_newer in (False, True):
        sql = f"EXPLAIN QUERY PLAN {statement(shelf, is_newer=is_newer)}"
        plan = await store.database.read(fetch_all, sql, dict.fromkeys(names, 1))
        steps = [str(row["detail"]) for row in plan]
        assert not [step for step in steps if step.startswith("SCAN")], steps
        assert any("jobs_of_requester" in step or "stars_of_user" in step for step in steps), steps
