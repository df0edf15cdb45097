"""`easel db forget` from the shell, with Easel stopped and running."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli.database.care import CareFailed
from bot.cli.database.privacy import export, forget
from bot.store.privacy.wish_file import WishFile
from bot.store.rows.jobs import NewJob
from bot.store.rows.wishes import Scope
from bot.store.sqlite.database import Database
from config.settings import Settings
from tests.bot.privacy.dying import forgetting_in
from tests.bot.privacy.test_forgetting import SECRET, files, filled
from tests.bot.store.conftest import ADMIN, Store
from tests.bot.store.privacy.test_forgetting import OTHER, WHO, copies, whole_life

Make = Callable[..., NewJob]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"storage": {"directory": tmp_path}})


async def test_words_and_pictures_go_from_a_stopped_easel(settings: Settings, new_job: Make, tmp_path: Path) -> None:
    await filled(tmp_path, new_job)
    said = await forget(settings, WHO)
    assert said == (
        f"Words and pictures of {WHO} are deleted, in 3 job(s); 1 open job(s) were cancelled and given back."
    )
    assert (files(tmp_path), copies(tmp_path, SECRET)) == ([], 0)
    assert copies(tmp_path, WHO) > 0
    assert (await forget(settings, WHO)).endswith("in 3 job(s); 0 open job(s) were cancelled and given back.")
    assert "the id of" in await forget(settings, WHO, is_everything=True)
    assert copies(tmp_path, WHO) == 0
    assert (await forget(settings, WHO, is_everything=True)).split(";")[0].endswith("in 0 job(s)")
    assert await forget(settings, None) == "4 wish(es) of forgotten.jsonl were carried out again."


async def test_a_running_easel_is_told(settings: Settings, new_job: Make, tmp_path: Path) -> None:
    await filled(tmp_path, new_job)
    database = await Database.open(tmp_path / "easel.db")
    running = forgetting_in(tmp_path, database)
    assert await running.catch_up() == 0
    assert "it does so within a minute" in await forget(settings, WHO, is_everything=True)
    assert [each.scope for each in WishFile(tmp_path / "easel.db").wishes()] == [Scope.EVERYTHING]
    assert len(files(tmp_path)) == 3
    assert await running.catch_up() == 1
    assert files(tmp_path) == []
    with pytest.raises(CareFailed, match="in use by another Easel"):
        await forget(settings, None)
    await database.close()


async def test_without_a_database_nobody_is_known(settings: Settings) -> None:
    with pytest.raises(CareFailed, match="so nobody is known"):
        await forget(settings, WHO)


async def test_an_export_holds_everything_and_nobody_elses_id(
    settings: Settings, new_job: Make, tmp_path: Path
) -> None:
    await filled(tmp_path, new_job)
    database = await Database.open(tmp_path / "easel.db")
    await whole_life(Store(database), new_job, first=10)
    count = await export(settings, WHO, tmp_path / "mine.zip")
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        jobs = json.loads(archive.read("jobs.json"))
        content = b"".join(archive.read(name) for name in names)
    await database.close()
    assert count == len(names)
    assert [job["request"]["prompt"] for job in jobs] == [SECRET] * 4
    assert {name.partition("/")[0] for name in names if "/" in name} == {"pictures", "given"}
    assert [each for each in (b"first", b"second", b"photo") if each not in content] == []
    for decided in (b"Wilma spams", b"for the nice drawing of Wilma", b"Wilma dislikes it"):
        assert decided in content
    for nobodys in (str(OTHER).encode(), str(ADMIN).encode() + b",", b"odd"):
        assert nobodys not in content
    with pytest.raises(CareFailed, match="exists; name one that does not"):
        await export(settings, WHO, tmp_path / "mine.zip")
