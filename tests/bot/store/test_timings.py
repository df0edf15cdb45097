"""How long a job will take, from what jobs took."""

import msgspec
import pytest

from bot.quotas.pricing import rows
from bot.store.sqlite.database import Database
from bot.store.timings import TimingRepository
from pipeline.protocol.requests import GenerationRequest


@pytest.fixture
def timings(database: Database) -> TimingRepository:
    return TimingRepository(database)


async def learn(timings: TimingRepository, request: GenerationRequest, *, row_s: float, rest_s: float) -> None:
    denoise_s = row_s * rows(request)
    await timings.learn(request, denoise_s=denoise_s, total_s=denoise_s + rest_s * request.num_images)


async def test_nobody_knows_before_the_first(timings: TimingRepository, request_: GenerationRequest) -> None:
    assert await timings.expected_s(request_) is None
    await learn(timings, request_, row_s=0.5, rest_s=1.0)
    assert await timings.expected_s(msgspec.structs.replace(request_, model_key="other")) is None


async def test_steps_and_images_are_counted(timings: TimingRepository, request_: GenerationRequest) -> None:
    await learn(timings, request_, row_s=0.5, rest_s=1.0)
    asked = msgspec.structs.replace(request_, num_inference_steps=9, num_images=3)
    assert await timings.expected_s(asked) == pytest.approx(rows(asked) * 0.5 + 3 * 1.0)


async def test_the_nearest_size_is_scaled_by_its_pixels(timings: TimingRepository, request_: GenerationRequest) -> None:
    large = msgspec.structs.replace(request_, width=128, height=128)
    await learn(timings, request_, row_s=0.5, rest_s=1.0)
    await learn(timings, large, row_s=1.0, rest_s=9.0)
    asked = msgspec.structs.replace(request_, width=128, height=112)
    assert await timings.expected_s(asked) == pytest.approx((rows(asked) * 1.0 + 9.0) * 112 / 128)


async def test_it_follows_what_jobs_take_now(timings: TimingRepository, request_: GenerationRequest) -> None:
    for row_s in (1.0, 3.0):
        await learn(timings, request_, row_s=row_s, rest_s=0.0)
    assert await timings.expected_s(request_) == pytest.approx(rows(request_) * 2.0)
    for _ in range(40):
        await learn(timings, request_, row_s=5.0, rest_s=0.0)
    assert await timings.expected_s(request_) == pytest.approx(rows(request_) * 5.0, rel=0.01)


async def test_starts_and_loadings_are_learnt_apart(timings: TimingRepository) -> None:
    assert await timings.preparation_s("start", "pocket") is None
    await timings.learn_preparation("start", "pocket", 10.0)
    await timings.learn_preparation("start", "pocket", 20.0)
    await timings.learn_preparation("load", "pocket", 3.0)
    assert await timings.preparation_s("start", "pocket") == pytest.approx(15.0)
    assert await timings.preparation_s("load", "pocket") == pytest.approx(3.0)
    assert await timings.preparation_s("load", "other") is None
