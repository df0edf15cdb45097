"""The life of jobs in a real SQLite file."""

import asyncio
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot.quotas.standing import Obstacle
from bot.store.admission import INSERT_JOB, AlreadyAccepted, NotAllowed
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus, NewJob
from bot.store.rows.origin import Asker, Lineage, Origin, StartedBy
from bot.store.rows.outputs import NewOutput
from bot.store.rows.preferences import AskerDefaults, Preferences
from pipeline.protocol.wire.outputs import Notice
from tests.bot.store.conftest import NOW, Store, decision

Make = Callable[..., NewJob]


async def test_a_job_reads_back_as_it_was_accepted(store: Store, new_job: Make) -> None:
    job = await store.accept(new_job(1, price=3), amount=10)
    read = await store.jobs.get(job.job_id)
    assert read is not None
    assert read.message_id == 1_000 + job.job_id
    assert (read.status, read.price, read.created_at) == (JobStatus.QUEUED, 3, NOW)
    assert read.request == new_job(1).request
    assert await store.used(amount=10) == 3
    assert await store.broken() == []


async def test_a_job_keeps_every_fact_of_its_order(store: Store, new_job: Make) -> None:
    parent = await store.accept(new_job(1))
    image = Lineage(parent_job_id=parent.job_id, parent_message_id=1_001, parent_image_index=3)
    new = new_job(
        2,
        asker=Asker(guild_id=5, channel_id=66, parent_channel_id=65, user_id=8, role_ids=(71, 72)),
        interaction_token="another",
        token_expires_at=NOW + timedelta(minutes=3),
        started_by=StartedBy.VARY_STRONG,
        lineage=image,
        requester_name="Bo",
        locale="de",
        filesize_limit=7,
        is_age_restricted=True,
        shown_guild_id=9,
        defaults=AskerDefaults(own=Preferences(num_images=2)),
        notices=(Notice(key="notice-alike", values={"count": 2}),),
        price=3,
        expected_ms=900,
    )
    job = await store.accept(new)
    read = await store.jobs.get(job.job_id)
    shared = [name for name in NewJob.__struct_fields__ if name in Job.__struct_fields__]
    assert {name: getattr(read, name) for name in shared} == {name: getattr(new, name) for name in shared}


def test_each_fact_of_a_new_job_has_a_column_of_its_name(new_job: Make) -> None:
    nested = {"origin", "asker", "lineage"}
    elsewhere = {"weight", "is_express", "cost_micros", "budget_micros"}  # tables of members and of spendings
    fields = {*NewJob.__struct_fields__, *Origin.__struct_fields__, *Asker.__struct_fields__}
    fields |= {*Lineage.__struct_fields__}
    stored = fields - nested - elsewhere
    assert {*new_job(1).columns()} == stored - {"user_id"} | {"requester_id", "model_key"}


def test_a_new_job_is_inserted_by_name(new_job: Make) -> None:
    found = re.search(r"\((.*)\) VALUES \((.*)\)\s+RETURNING", INSERT_JOB, re.DOTALL)
    assert found is not None
    columns, values = ([word.strip() for word in part.split(",")] for part in found.groups())
    by_itself = {"status": "'queued'", "timeline": "(SELECT number FROM timeline)"}
    assert dict(zip(columns, values, strict=True)) == {
        **{name: f":{name}" for name in (*new_job(1).columns(), "created_at")},
        **by_itself,
    }


async def test_twenty_clicks_at_once_never_exceed_the_quota(store: Store, new_job: Make) -> None:
    results = await asyncio.gather(
        *(store.accept(new_job(number), amount=3) for number in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, Job) for result in results) == 3
    refused = [result for result in results if isinstance(result, NotAllowed)]
    assert {refusal.standing.obstacle for refusal in refused} == {Obstacle.QUOTA}
    assert len(refused) == 17
    assert await store.used(amount=3) == 3


async def test_the_same_interaction_is_taken_once(store: Store, new_job: Make) -> None:
    first = await store.accept(new_job(1))
    with pytest.raises(AlreadyAccepted) as known:
        await store.accept(new_job(1))
    assert known.value.job.job_id == first.job_id
    assert await store.used() == 1


async def test_delivery_charges_once(store: Store, new_job: Make) -> None:
    job = await store.accept(new_job(1, price=4), amount=10)
    assert await store.jobs.deliver(job.job_id, outputs_delivered=1)
    assert not await store.jobs.deliver(job.job_id, outputs_delivered=1)
    assert await store.jobs.end(job.job_id, status=JobStatus.FAILED, failure=JobFailure.DELIVERY, error_id=None) is None
    ended = await store.jobs.get(job.job_id)
    assert ended is not None
    assert ended.status is JobStatus.SUCCEEDED
    assert ended.origin.interaction_token is None
    assert await store.used(amount=10) == 4
    assert await store.broken() == []


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
async def test_every_other_end_gives_everything_back(store: Store, new_job: Make, status: JobStatus) -> None:
    job = await store.accept(new_job(1, price=4), amount=4)
    assert await store.jobs.end(job.job_id, status=status, failure=JobFailure.TIMEOUT, error_id="ab") is not None
    assert await store.jobs.end(job.job_id, status=status, failure=JobFailure.TIMEOUT, error_id="ab") is None
    assert await store.used(amount=4) == 0
    await store.accept(new_job(2, price=4), amount=4)
    assert await store.broken() == []


async def test_a_part_that_arrived_is_a_part_that_is_charged(store: Store, new_job: Make) -> None:
    request = msgspec.structs.replace(new_job(1).request, num_images=4)
    job = await store.accept(new_job(1, price=4, request=request), amount=10)
    await store.jobs.deliver(job.job_id, outputs_delivered=3)
    (entry, _) = await store.ledger.entries(5, 1, 10)
    assert (entry.kind, entry.captured, entry.released) == ("settle", 3, 1)
    assert await store.used(amount=10) == 3
    assert await store.broken() == []


@pytest.mark.parametrize("table", ["ledger SET reserved = 0", "postings SET held = 0", "audit SET detail = ''"])
async def test_rows_of_the_books_are_never_changed(store: Store, new_job: Make, table: str) -> None:
    await store.accept(new_job(1))
    await store.servers.write_audit(decision(datetime.now(UTC)), "test", "", "x")
    for sql in (f"UPDATE {table}", f"DELETE FROM {table.split(maxsplit=1)[0]}"):  # noqa: S608 - names of ours
        with pytest.raises(sqlite3.IntegrityError, match=r"never (changed|deleted)"):
            await store.database.change(sql)


async def test_a_settle_must_add_up(store: Store, new_job: Make) -> None:
    job = await store.accept(new_job(1, price=3))
    with pytest.raises(sqlite3.IntegrityError, match="must add up"):
        await store.database.change(
            "INSERT INTO ledger (job_id, kind, guild_id, user_id, captured, released, created_at)"
            " VALUES (?, 'settle', 5, 1, 1, 1, 0)",
            (job.job_id,),
        )


async def test_outputs_are_kept_once_and_say_their_kind(store: Store, new_job: Make) -> None:
    job = await store.accept(new_job(1))
    result = NewOutput(
        output_index=0, kind="image", sha256="ab", media_type="image/png", width=1, height=2, size_bytes=3, seed=4
    )
    await store.jobs.store_outputs(job.job_id, outputs=[result], notices=(), denoise_s=1.0, total_s=1.5)
    stored = await store.jobs.store_outputs(job.job_id, outputs=[result], notices=(), denoise_s=1.0, total_s=2.0)
    assert stored.total_s == 2.0
    (read,) = await store.jobs.outputs(job.job_id)
    assert (read.kind, read.sha256, read.output_index, read.seed) == ("image", "ab", 0, 4)
    # Another kind has no size in pixels and no seed; an image without them is refused, and not left out in silence.
    columns = "INSERT INTO outputs (job_id, output_index, kind, sha256, media_type, size_bytes)"
    insert = f"{columns} VALUES (?, ?, ?, 'ab', '', 3)"
    await store.database.change(insert, (job.job_id, 1, "text"))
    assert (read.sides, (await store.jobs.outputs(job.job_id))[1].sides) == ((1, 2), None)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        await store.database.change(insert, (job.job_id, 2, "image"))


async def test_forgetting_a_person_blanks_their_words_and_keeps_the_sums(store: Store, new_job: Make) -> None:
    taken = AskerDefaults(own=Preferences(negative_prompt="what they dislike"))
    done = await store.accept(new_job(1, defaults=taken), amount=5)
    assert done.defaults == taken
    await store.jobs.deliver(done.job_id, outputs_delivered=1)
    waiting = await store.accept(new_job(2), amount=5)
    other = await store.accept(new_job(3, user=2), amount=5)
    cancelled = (await store.forget(1, NOW + timedelta(minutes=1))).cancelled
    assert [job.job_id for job in cancelled] == [waiting.job_id]
    forgotten = await store.jobs.get(done.job_id)
    kept = await store.jobs.get(other.job_id)
    assert forgotten is not None
    assert kept is not None
    assert (forgotten.request.prompt, forgotten.origin.requester_name) == ("", "")
    assert forgotten.defaults == AskerDefaults()
    assert (kept.request.prompt, kept.origin.requester_name) == ("a red apple", "Ada")
    assert await store.used(amount=5) == 1
    assert await store.broken() == []
