"""The steps of a job's life, each one transaction."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus, NewJob
from bot.store.rows.outputs import NewOutput
from tests.bot.store.conftest import NOW, Store

IMAGES = 4

Make = Callable[..., NewJob]
Step = Callable[[], Awaitable[object]]


async def accept(store: Store, make: Make, interaction_id: int) -> Job:
    """Accept a job that nobody has seen yet."""
    request = msgspec.structs.replace(make(0).request, num_images=IMAGES)
    new = make(interaction_id, user=interaction_id % 3 + 1, price=IMAGES, request=request, expected_ms=2_000)
    return await store.accept(new, is_seen=False, amount=1_000_000)


async def accept_together(store: Store, make: Make, first_id: int) -> None:
    """Accept three jobs by one commit: they come while another write, which changes nothing, is under way."""
    nothing = store.database.change("UPDATE lanes SET round = round WHERE false")
    await asyncio.gather(nothing, *(accept(store, make, first_id + number) for number in range(3)))


async def record_message(store: Store, job_id: int) -> None:
    await store.jobs.record_message(job_id, 1_000 + job_id)


async def claim(store: Store) -> None:
    assert await store.queue.claim_next(running_per_user=0, now=NOW) is not None


async def store_outputs(store: Store, job_id: int) -> None:
    outputs = [
        NewOutput(
            output_index=k,
            kind="image",
            sha256="ab" * 32,
            media_type="image/png",
            width=64,
            height=64,
            size_bytes=9,
            seed=k,
        )
        for k in range(IMAGES)
    ]
    await store.jobs.store_outputs(job_id, outputs=outputs, notices=(), denoise_s=1.0, total_s=1.5)


async def deliver(store: Store, job_id: int, images: int) -> None:
    assert await store.jobs.deliver(job_id, outputs_delivered=images, now=NOW)


async def fail(store: Store, job_id: int) -> None:
    assert (
        await store.jobs.end(job_id, status=JobStatus.FAILED, failure=JobFailure.DELIVERY, error_id=None, now=NOW)
        is not None
    )
