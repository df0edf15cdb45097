"""The drill: a backup, more jobs, a restore, a start. Nobody pays for another's picture, and nothing is drawn twice."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.cli.database.care import back_up, examine_database, restore
from bot.presenting.jobs.output_files import output_file_name
from bot.store.rows.jobs import JobStatus
from bot.store.sqlite.timelines import UNSEEN
from pipeline.protocol.wire.messages import Finished
from pipeline.protocol.wire.outputs import ImageFile
from tests.bot.jobs.conftest import House

OpenHouse = Callable[..., Awaitable[House]]
SUCCEEDED, FAILED, CANCELLED, QUEUED = JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.QUEUED


async def test_a_restored_copy_settles_what_was_delivered_and_uses_no_number_again(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    house = await open_house(quotas={"running_per_user": 0})
    early = await house.ask("drawn before")
    house.work()
    await house.until(early, SUCCEEDED)
    house.backend.is_open.clear()
    delivered, cancelled, waiting = [await house.ask(word, price=2) for word in ("delivered", "cancelled", "waiting")]
    await back_up(tmp_path / "easel.db", tmp_path / "copy.db")

    # What the copy does not know: the end of two jobs, and a job of another member.
    assert await house.services.dispatcher.cancel(cancelled, 1)
    house.backend.is_open.set()
    lost = await house.ask("of the lost timeline", user=2)
    for job in (delivered, waiting, lost):
        await house.until(job, SUCCEEDED)
    await house.until(cancelled, CANCELLED)
    # The third was never shown: as if the bot had been killed before its delivery.
    house.world.change(waiting.message_id or 0, {"components": [], "attachments": []}, {})
    edits = {job.job_id: json.dumps(house.world.messages[job.message_id or 0]) for job in (early, delivered, lost)}
    await house.close()

    aside = await restore(tmp_path / "copy.db", tmp_path / "easel.db")
    assert aside is not None
    assert await examine_database(aside, say=print)

    house = await open_house(quotas={"running_per_user": 0})
    await house.services.dispatcher.recover()
    assert [(await house.job(job)).status for job in (delivered, cancelled)] == [SUCCEEDED, CANCELLED]
    house.work()
    await house.until(waiting, SUCCEEDED)
    fresh = await house.ask("after the restore", user=3)
    await house.until(fresh, SUCCEEDED)
    assert fresh.job_id == lost.job_id + UNSEEN + 1
    assert fresh.timeline != early.timeline
    # Nothing that Discord showed was touched, and each message shows the pictures of its own job.
    for job in (early, delivered, lost):
        assert json.dumps(house.world.messages[job.message_id or 0]) == edits[job.job_id]
    for job in (delivered, lost, waiting, fresh):
        names = [file["filename"] for file in house.world.messages[job.message_id or 0]["attachments"]]
        assert names == [output_file_name(job, 0, "png")]
    assert await house.spent() == 1 + 2 + 2 + 1
    assert await house.broken() == []


async def test_a_picture_of_the_same_number_in_a_lost_timeline_is_not_believed(open_house: OpenHouse) -> None:
    house = await open_house()
    job = await house.ask("mine")
    claimed = await house.services.queue.claim_next(running_per_user=0, now=datetime.now(UTC))
    assert claimed is not None
    drawn = ImageFile(index=0, data=b"mine", media_type="image/png", width=64, height=64, seed=1)
    finished = Finished(
        job_id=job.job_id, attempt=1, outputs=(drawn,), notices=(), denoise_s=0.1, total_s=0.2, recipe=None
    )
    await house.services.storing.keep(claimed, finished, lambda: None)
    # Another bot with this token, or a database that was lost without a copy, drew a job of the same number here.
    house.world.create("6", {}, {f"easel-{job.job_id}-1-abc.png": b"theirs", f"easel-{job.job_id}-1.png": b"theirs"})
    await house.services.dispatcher.recover()
    house.work()
    await house.until(job, SUCCEEDED)
    shown = house.world.messages[job.message_id or 0]["attachments"]
    assert [file["filename"] for file in shown] == [output_file_name(job, 0, "png")]
