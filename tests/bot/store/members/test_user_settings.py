"""What people chose, and what they keep."""

import os
from collections.abc import Callable
from pathlib import Path

from bot.jobs.keeping import Keeping
from bot.pictures.inputs import InputPictures
from bot.store.images import ImageStore
from bot.store.inputs import InputRepository
from bot.store.members.user_settings import UserSettings, UserSettingsRepository
from bot.store.rows.jobs import NewJob
from bot.store.rows.outputs import NewOutput
from bot.store.rows.preferences import Preferences
from bot.store.stars import StarRepository
from tests.bot.store.conftest import Store

Make = Callable[..., NewJob]


async def test_settings_are_remembered_by_person_and_forgotten_with_them(store: Store) -> None:
    settings = UserSettingsRepository(store.database)
    assert await settings.get(1) == UserSettings()
    mine = UserSettings(defaults=Preferences(size="wide", num_images=2), notifies_when_done=False)
    await settings.set(1, UserSettings())
    await settings.set(1, mine)
    assert (await settings.get(1), await settings.get(2)) == (mine, UserSettings())
    await store.forget(1)
    assert await settings.get(1) == UserSettings()


def test_what_is_set_comes_before_defaults() -> None:
    channel, own = Preferences(size="wide"), Preferences(size="tall", num_images=2)
    assert channel.or_else(own) == Preferences(size="wide", num_images=2)


async def keep(store: Store, images: ImageStore, job_id: int, data: bytes) -> str:
    sha256 = await images.save(data)
    result = NewOutput(output_index=0, kind="text", sha256=sha256, media_type="text/plain", size_bytes=1)
    await store.jobs.store_outputs(job_id, outputs=[result], notices=(), denoise_s=1.0, total_s=1.0)
    return sha256


async def test_a_star_keeps_files_whatever_happens_to_the_rest(store: Store, new_job: Make, tmp_path: Path) -> None:
    images, stars = ImageStore(tmp_path / "images"), StarRepository(store.database)
    inputs = InputPictures(files=ImageStore(tmp_path / "inputs"), inputs=InputRepository(store.database))
    keeping = Keeping(images=images, inputs=inputs, stars=stars)
    jobs = [await store.accept(new_job(number)) for number in range(1, 5)]
    files = [
        await keep(store, images, job.job_id, data) for job, data in zip(jobs, (b"a", b"b", b"c", b"c"), strict=True)
    ]
    assert await keeping.toggle_star(jobs[0], 7)
    assert not await keeping.toggle_star(jobs[0], 7)
    assert await keeping.toggle_star(jobs[0], 8)
    # Kept by somebody; free; shown by two jobs.
    for job in jobs[:3]:
        await keeping.remove(job)
    there = {path.stem for path in tmp_path.glob("images/??/*.png")}
    assert there == {files[0], files[2]}
    assert await keeping.remove_old(-1) == 1
    assert {path.stem for path in tmp_path.glob("images/??/*.png")} == {files[0]}


async def test_a_picture_without_a_job_goes_after_a_month(store: Store, new_job: Make, tmp_path: Path) -> None:
    images = ImageStore(tmp_path / "images")
    inputs = InputPictures(files=ImageStore(tmp_path / "inputs"), inputs=InputRepository(store.database))
    keeping = Keeping(images=images, inputs=inputs, stars=StarRepository(store.database))
    named = await keep(store, images, (await store.accept(new_job(1))).job_id, b"named")
    lost = await images.save(b"lost")
    assert await keeping.remove_old(0) == 0
    for path in tmp_path.glob("images/??/*.*"):
        month_ago = path.stat().st_mtime - 31 * 86_400
        os.utime(path, (month_ago, month_ago))
    assert await keeping.remove_old(0) == 1
    assert [path.stem for path in tmp_path.glob("images/??/*.*")] == [named]
    assert named != lost
