"""The pictures that jobs are given stay while a job names them, and are removed after that."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from bot.pictures.inputs import InputPictures
from bot.store.expansions import ExpansionRepository, NewExpansion, WantedJob
from bot.store.images import ImageStore
from bot.store.inputs import InputRepository
from bot.store.rows.jobs import Job, JobStatus, NewJob
from bot.store.rows.origin import Lineage, StartedBy
from bot.store.stars import StarRepository
from tests.bot.store.conftest import GUILD, NOW, Store, inputs_of, with_inputs

Make = Callable[..., NewJob]


@pytest.fixture
def pictures(store: Store, tmp_path: Path) -> InputPictures:
    return InputPictures(files=ImageStore(tmp_path / "inputs"), inputs=InputRepository(store.database))


def kept(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("inputs/??/*.png")}


def age(folder: Path, *, days: int) -> None:
    """Let every file be last saved so many days ago."""
    for path in folder.glob("inputs/??/*.png"):
        then = path.stat().st_mtime - days * 86_400
        os.utime(path, (then, then))


def expansion_with(new: NewJob, user: int) -> NewExpansion:
    wanted = WantedJob(request=new.request, notices=())
    return NewExpansion(
        guild_id=GUILD,
        channel_id=6,
        user_id=user,
        started_by=StartedBy.IMAGINE,
        lineage=None,
        jobs=(wanted, wanted),
        price=2,
    )


async def test_a_job_is_stored_with_its_inputs(store: Store, new_job: Make, pictures: InputPictures) -> None:
    sha256 = await pictures.keep(b"png")
    job = await store.accept(with_inputs(new_job(1), sha256))
    assert job.request.inputs == inputs_of(sha256)
    assert await pictures.of(job.request) == {sha256: b"png"}
    rows = await store.database.fetch_all("SELECT * FROM inputs")
    assert [tuple(row) for row in rows] == [(job.job_id, 0, "init-image", sha256)]


async def test_a_picture_is_its_givers_whatever_is_begun_from_it(
    store: Store, new_job: Make, pictures: InputPictures
) -> None:
    sha256, own = await pictures.keep(b"png"), await pictures.keep(b"own")
    first = await store.accept(with_inputs(new_job(1, user=1), sha256))
    theirs = await store.accept(with_inputs(new_job(2, user=2, lineage=begun_from(first)), sha256, own))
    await store.accept(with_inputs(new_job(3, user=2, lineage=begun_from(theirs)), sha256))
    await store.accept(with_inputs(new_job(4, user=1, lineage=begun_from(theirs)), sha256))
    assert await pictures.gave(1, sha256)
    assert not await pictures.gave(2, sha256)
    assert await pictures.gave(2, own)
    assert not await pictures.gave(3, sha256)
    # What its giver deletes, or whom the bot forgets, does not make it another member's.
    await pictures.release(first.job_id)
    assert not await pictures.gave(2, sha256)
    await store.forget(1)
    assert not await pictures.gave(2, sha256)


def begun_from(job: Job) -> Lineage:
    return Lineage(parent_job_id=job.job_id, parent_message_id=None)


async def test_the_last_deleted_job_removes_its_input(
    store: Store, new_job: Make, pictures: InputPictures, tmp_path: Path
) -> None:
    sha256 = await pictures.keep(b"png")
    first, second = [await store.accept(with_inputs(new_job(number), sha256, sha256)) for number in (1, 2)]
    await pictures.release(first.job_id)
    assert kept(tmp_path) == {sha256}
    await pictures.release(second.job_id)
    assert kept(tmp_path) == set()


async def test_what_no_job_names_goes_after_a_day(
    store: Store, new_job: Make, pictures: InputPictures, tmp_path: Path
) -> None:
    lost, named, wanted = [await pictures.keep(data) for data in (b"lost", b"named", b"wanted")]
    await store.accept(with_inputs(new_job(1), named))
    await ExpansionRepository(store.database).add(expansion_with(with_inputs(new_job(2), wanted), user=1), NOW)
    assert await pictures.remove_unneeded(0) == 0
    assert kept(tmp_path) == {lost, named, wanted}
    age(tmp_path, days=2)
    assert await pictures.remove_unneeded(0) == 1
    assert kept(tmp_path) == {named, wanted}


async def test_a_question_keeps_its_pictures_until_it_is_answered(
    store: Store, new_job: Make, pictures: InputPictures, tmp_path: Path
) -> None:
    sha256, questions = await pictures.keep(b"png"), ExpansionRepository(store.database)
    question = await questions.add(expansion_with(with_inputs(new_job(9), sha256), user=1), NOW)
    await pictures.release((await store.accept(with_inputs(new_job(1), sha256))).job_id)
    assert kept(tmp_path) == {sha256}
    assert await questions.claim(question.expansion_id, NOW)
    await pictures.release((await store.accept(with_inputs(new_job(2), sha256))).job_id)
    assert kept(tmp_path) == set()


async def test_a_question_does_not_keep_a_picture_that_the_image_check_refuses(
    store: Store, new_job: Make, pictures: InputPictures, tmp_path: Path
) -> None:
    named, asked = await pictures.keep(b"named"), await pictures.keep(b"asked")
    await store.accept(with_inputs(new_job(1), named))
    await ExpansionRepository(store.database).add(expansion_with(with_inputs(new_job(2), asked), user=1), NOW)
    await pictures.remove_unnamed([named, asked])
    assert kept(tmp_path) == {named}


async def test_inputs_of_open_and_starred_jobs_stay_and_those_of_old_ones_go(
    store: Store, new_job: Make, pictures: InputPictures, tmp_path: Path
) -> None:
    hashes = [await pictures.keep(data) for data in (b"open", b"starred", b"old", b"again")]
    old, starred, again = [new_job(number, user=number) for number in (1, 2, 3)]
    await store.accept(with_inputs(new_job(4), hashes[0]))
    jobs = [
        await store.accept(with_inputs(new, sha256))
        for new, sha256 in zip((starred, old, again), hashes[1:], strict=True)
    ]
    for job in jobs:
        await store.jobs.end(job.job_id, status=JobStatus.CANCELLED, failure=None, error_id=None, now=NOW)
    await StarRepository(store.database).toggle(jobs[0].job_id, 8, NOW)
    later = await store.accept(with_inputs(new_job(5), hashes[3]), now=NOW + timedelta(days=10_000))
    await store.jobs.end(later.job_id, status=JobStatus.CANCELLED, failure=None, error_id=None)
    age(tmp_path, days=40)
    assert await pictures.remove_unneeded(30) == 1
    assert kept(tmp_path) == set(hashes) - {hashes[2]}


async def test_the_inputs_of_the_forgotten_are_released_unless_somebody_else_needs_them(
    store: Store, new_job: Make
) -> None:
    done = await store.accept(with_inputs(new_job(1), "alone", "shared", "wanted"))
    await store.jobs.deliver(done.job_id, outputs_delivered=1)
    await store.accept(with_inputs(new_job(2, user=2), "shared"))
    expansions = ExpansionRepository(store.database)
    await expansions.add(expansion_with(with_inputs(new_job(3), "asked"), user=1), NOW)
    await expansions.add(expansion_with(with_inputs(new_job(4), "wanted"), user=2), NOW)
    await store.forget(1)
    assert await store.removals("inputs") == {"alone", "asked"}
    blanked = await store.jobs.get(done.job_id)
    assert blanked is not None
    assert blanked.request == msgspec.structs.replace(done.request, prompt="", negative_prompt="", inputs=())
    await store.forget(1)
    assert await store.removals("inputs") == {"alone", "asked"}
    assert await store.broken() == []
