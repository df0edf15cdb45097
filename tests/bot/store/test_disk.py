"""Free space of the disk: below the owner's bound it is a trouble, until there is room again."""

import shutil
from pathlib import Path

import pytest

from bot.store.disk import GB, DiskSpace


async def test_too_little_space_is_a_trouble_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(shutil.disk_usage(tmp_path))
    free = 2 * GB
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(total=9 * GB, used=7 * GB, free=free))
    disk = DiskSpace(tmp_path, 1.0)
    await disk.measure()
    assert disk.trouble is None
    free = GB - 1
    await disk.measure()
    assert disk.trouble is not None
    assert "has 1.0 GB left, less than storage.min_free_gb (1)" in disk.trouble.sentence
    since = disk.trouble.since
    free = GB // 2
    await disk.measure()
    assert disk.trouble is not None
    assert ("0.5 GB" in disk.trouble.sentence, disk.trouble.since) == (True, since)
    free = GB
    await disk.measure()
    assert disk.trouble is None


async def test_a_disk_that_does_not_answer_is_no_trouble_of_space(tmp_path: Path) -> None:
    disk = DiskSpace(tmp_path / "none", 1_000_000.0)
    await disk.measure()
    assert (disk.free_bytes, disk.trouble) == (None, None)


async def test_any_space_may_do(tmp_path: Path) -> None:
    disk = DiskSpace(tmp_path, 0.0)
    await disk.measure()
    assert disk.trouble is None
