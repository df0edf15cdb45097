"""What the doctor says without starting a worker."""

import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cli.doctor import examining
from bot.cli.doctor.examining import examine
from bot.process.health import Health, write_health
from bot.provenance.key import KeyFiles
from bot.store.sqlite.database import Database
from bot.store.sqlite.migrating import migrations, newest_version
from config.areas.hosts import HostSettings
from config.catalogue import Catalogue
from config.settings import ProvenanceSettings, Settings, StorageSettings
from pipeline.backends.base import WorkerState
from provenance.keys import Root, write_key
from tests.made_up_migration import add_migration

Examined = Callable[..., Awaitable[tuple[bool, str]]]


def no_worker(**_: object) -> None:
    raise AssertionError("A worker was started.")


@pytest.fixture
def examined(settings: Settings, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examined:
    """Every line that the doctor says of these settings, beside a running Easel or quick."""
    monkeypatch.setattr(examining, "ProcessBackend", no_worker)
    here = settings.model_copy(update={"storage": StorageSettings(directory=tmp_path)})

    async def examine_(*, is_quick: bool = False, **changes: object) -> tuple[bool, str]:
        said: list[str] = []
        changed = here.model_copy(update=changes)
        is_fine = await examine(changed, catalogue, is_quick=is_quick, say=said.append)
        return is_fine, "\n".join(said)

    return examine_


async def test_beside_a_running_easel_it_reads_what_that_one_says(examined: Examined, tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "easel.db")
    is_fine, said = await examined()
    assert is_fine
    assert "?    worker     not started, since an Easel runs here; it has not said how it goes" in said
    health = Health(
        at=time.time(), version="7.8", away_since=None, worker=WorkerState.READY, detail="", is_dispatching=True
    )
    write_health(tmp_path, health)
    is_fine, said = await examined()
    assert is_fine
    assert "ok   worker     that of the running Easel 7.8 is ready; none was started beside it" in said
    broken = Health(
        at=time.time(),
        version="7.8",
        away_since=None,
        worker=WorkerState.UNUSABLE,
        detail="No GPU.",
        is_dispatching=True,
    )
    write_health(tmp_path, broken)
    is_fine, said = await examined()
    assert not is_fine
    assert "BAD  health     No worker draws (unusable): No GPU." in said
    await database.close()


async def test_no_worker_is_tried_where_other_computers_draw(examined: Examined) -> None:
    is_fine, said = await examined(hosts=HostSettings(server="127.0.0.1:4222", draws_here=False))
    assert is_fine
    assert "ok   worker     other computers draw" in said


async def test_an_older_database_is_looked_at_and_left_as_it_is(
    examined: Examined, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as connection:
        connection.executescript(migrations()[1] + "PRAGMA user_version = 1;")
    add_migration(monkeypatch, tmp_path / "migrations")
    before = (tmp_path / "easel.db").read_bytes()
    is_fine, said = await examined(is_quick=True)
    assert is_fine
    assert f"is sound (version 1); `easel run` will bring it to version {newest_version()} and keep a copy" in said
    assert (tmp_path / "easel.db").read_bytes() == before


async def test_a_folder_that_cannot_serve_is_named(examined: Examined, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "file").touch()
    storage = StorageSettings(directory=tmp_path / "file" / "data")
    prompts = settings.prompts.model_copy(update={"wildcards": tmp_path / "nowhere"})
    is_fine, said = await examined(is_quick=True, storage=storage, prompts=prompts)
    assert not is_fine
    assert f"BAD  folder     {tmp_path}/file (storage.directory) is a file; name a folder" in said
    assert f"BAD  folder     {tmp_path}/nowhere (prompts.wildcards) does not exist" in said
    # Nobody may write there, not even root.
    is_fine, said = await examined(is_quick=True, storage=StorageSettings(directory=Path("/proc/self/nowhere")))
    assert not is_fine
    assert "(storage.directory) cannot be written: " in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


async def test_it_says_once_whether_pictures_are_signed(examined: Examined, tmp_path: Path) -> None:
    is_fine, said = await examined(is_quick=True)
    assert is_fine
    unsigned = "Pictures go out unsigned, since there is no key; `easel provenance init` makes one."
    assert said.count("unsigned") == said.count(f"?    signing    {unsigned}") == 1
    files, now = KeyFiles(key=tmp_path / "k", chain=tmp_path / "c", anchors=tmp_path / "a"), datetime.now(UTC)
    named = ProvenanceSettings(key_file=files.key, chain_file=files.chain)
    is_fine, said = await examined(is_quick=True, provenance=named)
    assert not is_fine
    assert f"BAD  signing    Pictures go out unsigned. The file {files.key} cannot be read" in said
    write_key(Root.make("Ada", now).issue(now), files.key, files.chain)
    is_fine, said = await examined(is_quick=True, provenance=named)
    assert is_fine
    assert "ok   signing    pictures are signed; the certificate holds until" in said


async def test_blocked_pictures_are_counted_or_their_mistake_is_told(
    examined: Examined, tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "blocks.txt"
    path.write_text(f"look:{'00' * 32}\n")
    safety = settings.safety.model_copy(update={"image_blocks": path})
    is_fine, said = await examined(is_quick=True, safety=safety)
    assert is_fine
    assert f"ok   pictures   1 blocked in {path}" in said
    path.write_text("phash:00\n")
    is_fine, said = await examined(is_quick=True, safety=safety)
    assert not is_fine
    assert f"BAD  pictures   In line 1 of {path}, write look:" in said


async def test_the_rules_of_words_are_counted_or_their_mistake_is_told(
    examined: Examined, tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "words.txt"
    path.write_text("dagger\nred dog*\n", encoding="utf-8")
    safety = settings.safety.model_copy(update={"words": path})
    is_fine, said = await examined(is_quick=True, safety=safety)
    assert is_fine
    assert f"ok   words      2 rule(s) in {path}" in said
    path.write_text("dagger\nx\n", encoding="utf-8")
    is_fine, said = await examined(is_quick=True, safety=safety)
    assert not is_fine
    assert f'BAD  words      {path}, line 2: "x" is no rule' in said


async def test_the_owners_programs_and_lists_are_looked_at(
    examined: Examined, tmp_path: Path, settings: Settings
) -> None:
    program = tmp_path / "tell-me"
    safety = settings.safety.model_copy(update={"hard_lists": tmp_path, "on_hard_rule": program})
    hosts = settings.hosts.model_copy(update={"scale_hook": program})
    is_fine, said = await examined(is_quick=True, safety=safety, hosts=hosts)
    assert not is_fine
    assert f"BAD  hosts      {program} of hosts.scale_hook cannot be run." in said
    assert f"BAD  words      {tmp_path} has neither minors.txt nor sexual.txt." in said
    assert f"BAD  words      {program} of safety.on_hard_rule cannot be run." in said
    (tmp_path / "minors.txt").write_text("blorbel\n", encoding="utf-8")
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o700)
    is_fine, said = await examined(is_quick=True, safety=safety, hosts=hosts)
    assert is_fine, said
