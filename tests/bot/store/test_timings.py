"""How long a job will take, from what jobs took."""

import msgspec
import pytest

from bot.store.sqlite.database import Database
from bot.store.timings import TimingRepository, Workload

WORK = Workload(kind="image", model_key="pocket", size=4_096, rows=8, outputs=1)


@pytest.fixture
def timings(database: Database) -> TimingRepository:
    return TimingRepository(database)


async def learn(timings: TimingRepository, work: Workload, *, row_s: float, rest_s: float) -> None:
    denoise_s = row_s * work.rows
    await timings.learn(work, denoise_s=denoise_s, total_s=denoise_s + rest_s * work.outputs)


async def test_nobody_knows_before_the_first(timings: TimingRepository) -> None:
    assert await timings.expected_s(WORK) is None
    await learn(timings, WORK, row_s=0.5, rest_s=1.0)
    assert await timings.expected_s(WORK) == pytest.approx(8 * 0.5 + 1.0)
    for change in ({"model_key": "other"}, {"kind": "video"}):
        assert await timings.expected_s(msgspec.structs.replace(WORK, **change)) is None


async def test_rows_and_outputs_are_counted(timings: TimingRepository) -> None:
    await learn(timings, WORK, row_s=0.5, rest_s=1.0)
    asked = msgspec.structs.replace(WORK, rows=18, outputs=3)
    assert await timings.expected_s(asked) == pytest.approx(18 * 0.5 + 3 * 1.0)


async def test_the_nearest_size_is_scaled(timings: TimingRepository) -> None:
    await learn(timings, WORK, row_s=0.5, rest_s=1.0)
    await learn(timings, msgspec.structs.replace(WORK, size=16_384), row_s=1.0, rest_s=9.0)
    asked = msgspec.structs.replace(WORK, size=14_336)
    assert await timings.expected_s(asked) == pytest.approx((8 * 1.0 + 9.0) * 14_336 / 16_384)


async def test_it_follows_what_jobs_take_now(timings: TimingRepository) -> None:
    for row_s in (1.0, 3.0):
        await learn(timings, WORK, row_s=row_s, rest_s=0.0)
    assert await timings.expected_s(WORK) == pytest.approx(8 * 2.0)
    for _ in range(40):
        await learn(timings, WORK, row_s=5.0, rest_s=0.0)
    assert await timings.expected_s(WORK) == pytest.approx(8 * 5.0, rel=0.01)


async def test_starts_and_loadings_are_learnt_apart(timings: TimingRepository) -> None:
    assert await timings.preparation_s("start", "pocket") is None
    await timings.learn_preparation("start", "pocket", 10.0)
    await timings.learn_preparation("start", "pocket", 20.0)
    await timings.learn_preparation("load", "pocket", 3.0)
    assert await timings.preparation_s("start", "pocket") == pytest.approx(15.0)
    assert await timings.preparation_s("load", "pocket") == pytest.approx(3.0)
    assert await timings.preparation_s("load", "other") is None
