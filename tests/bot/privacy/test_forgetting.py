"""Forgetting with files: killed at every step, after a restore, and while a wish comes from the shell."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.database.care import back_up, examine_database, restore
from bot.store.images import ImageStore
from bot.store.privacy.wish_file import WishFile
from bot.store.rows.jobs import NewJob
from bot.store.rows.wishes import AskedBy, Scope, Wish
from bot.store.sqlite.database import Database
from tests.bot.privacy.dying import KILLED, forgetting_in
from tests.bot.store.conftest import Store, with_inputs
from tests.bot.store.privacy.test_forgetting import OTHER, WHO, copies, drawn

Make = Callable[..., NewJob]
ROOT = Path(__file__).parents[3]
SECRET = "a red apple"
"""The prompt of the shared request."""


async def filled(folder: Path, new_job: Make) -> None:
    """A database and files: two pictures and a given one of a member, and those of another."""
    images, inputs = ImageStore(folder / "images"), ImageStore(folder / "inputs")
    database = await Database.open(folder / "easel.db")
    store = Store(database)
    await drawn(store, new_job(1, user=WHO), await images.save(b"first"))
    given = await inputs.save(b"photo")
    await drawn(store, with_inputs(new_job(2, user=WHO), given), await images.save(b"second"))
    await store.accept(new_job(3, user=WHO))
    await database.close()


def files(folder: Path) -> list[str]:
    """The bytes of all kept files."""
    return sorted(path.read_text() for name in ("images", "inputs") for path in folder.glob(f"{name}/??/*.*"))


@pytest.mark.system
@pytest.mark.slow
async def test_whoever_is_killed_while_forgetting_goes_on_at_the_next_start(new_job: Make, tmp_path: Path) -> None:
    await filled(tmp_path / "whole", new_job)
    told: list[bool] = []
    for step in range(100):
        folder = tmp_path / str(step)
        shutil.copytree(tmp_path / "whole", folder)
        command = (sys.executable, "-m", "tests.bot.privacy.dying", str(folder), str(WHO), str(step))
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        code = await process.wait()
        assert code in (0, KILLED)
        is_wished = bool(WishFile(folder / "easel.db").wishes())
        database = await Database.open(folder / "easel.db")
        begun = forgetting_in(folder, database)
        await begun.catch_up(is_start=True)
        await begun.remove_files()
        await database.close()
        assert files(folder) == ([] if is_wished else ["first", "photo", "second"]), step
        assert (copies(folder, SECRET) > 0, copies(folder, WHO) > 0) == (not is_wished, not is_wished), step
        assert await examine_database(folder / "easel.db", say=lambda _: None)
        told.append(is_wished)
        if code == 0:
            break
    assert len(told) > 6
    assert {*told} == {True, False}


async def test_a_restored_backup_forgets_again(new_job: Make, tmp_path: Path) -> None:
    await filled(tmp_path, new_job)
    await back_up(tmp_path / "easel.db", tmp_path / "yesterday.db")
    shutil.copytree(tmp_path / "images", tmp_path / "old images")
    for number in range(2):
        database = await Database.open(tmp_path / "easel.db")
        forgetting = forgetting_in(tmp_path, database)
        if number == 0:
            await forgetting.forget(WHO, Scope.EVERYTHING, AskedBy.OWNER)
        else:
            # Words and pictures came back with the restore, and go at the next start.
            assert copies(tmp_path, SECRET) > 0
            assert await forgetting.catch_up(is_start=True) == 1
            assert await forgetting.catch_up() == 0
        await database.close()
        assert (files(tmp_path), copies(tmp_path, SECRET)) == ([], 0)
        if number == 0:
            await restore(tmp_path / "yesterday.db", tmp_path / "easel.db")
        shutil.copytree(tmp_path / "old images", tmp_path / "images", dirs_exist_ok=True)


async def test_again_removes_files_that_came_back_alone(new_job: Make, tmp_path: Path) -> None:
    await filled(tmp_path, new_job)
    shutil.copytree(tmp_path / "images", tmp_path / "old images")
    database = await Database.open(tmp_path / "easel.db")
    await forgetting_in(tmp_path, database).forget(WHO, Scope.WORDS, AskedBy.OWNER)
    shutil.copytree(tmp_path / "old images", tmp_path / "images", dirs_exist_ok=True)
    assert await forgetting_in(tmp_path, database).again() == 1
    await database.close()
    assert files(tmp_path) == []


async def test_a_file_that_cannot_be_removed_is_tried_again(
    new_job: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(tmp_path, new_job)
    database = await Database.open(tmp_path / "easel.db")
    forgetting = forgetting_in(tmp_path, database)

    async def refuse(_: ImageStore, __: str) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(ImageStore, "remove", refuse)
        await forgetting.forget(WHO, Scope.WORDS, AskedBy.OWNER)
    await forgetting.remove_new_files()  # which happens each second, and not for these
    assert len(files(tmp_path)) == 3
    await forgetting.sweep(datetime.now(UTC))
    assert files(tmp_path) == []
    await database.close()


def wish(number: int, days: int = 0) -> Wish:
    return Wish.new(number, Scope.WORDS, AskedBy.MEMBER, datetime.now(UTC) - timedelta(days=days))


def test_the_file_keeps_wishes_for_ninety_days_and_nobody_else_reads_it(tmp_path: Path) -> None:
    file = WishFile(tmp_path / "easel.db")
    assert file.wishes() == []
    old, new = wish(1, days=91), wish(2, days=89)
    for each in (old, new):
        file.add(each)
    assert file.wishes() == [old, new]
    file.drop_old(datetime.now(UTC))
    assert file.wishes() == [new]
    assert (tmp_path / "forgotten.jsonl").stat().st_mode & 0o077 == 0


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    file = WishFile(tmp_path / "easel.db")
    first, second = wish(1), wish(OTHER)
    file.add(first)
    with (tmp_path / "forgotten.jsonl").open("ab") as torn:
        torn.write(b'{"wish": "ab')
    file.add(second)
    assert file.wishes() == [first, second]
