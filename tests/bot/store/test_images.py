"""Images on disk."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store.images import ImageStore, StorageFailed


async def test_bytes_come_back_under_their_hash_and_are_kept_once(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    first, second = await store.save(b"picture"), await store.save(b"picture")
    assert first == second
    assert await store.read(first) == b"picture"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{first}.png"]


@pytest.mark.parametrize(
    ("media_type", "extension"),
    [
        ("image/png", "png"),
        ("image/webp", "webp"),
        ("image/jpeg", "jpeg"),
        ("text/plain", "txt"),
        ("video/mp4", "mp4"),
        ("application/x-weights", "bin"),
    ],
)
async def test_a_file_of_every_format_is_found_and_removed(tmp_path: Path, media_type: str, extension: str) -> None:
    store = ImageStore(tmp_path)
    first, second = await store.save(b"first", media_type), await store.save(b"second", media_type)
    names = sorted(f"{name}.{extension}" for name in (first, second))
    assert sorted(path.name for path in tmp_path.glob("??/*")) == names
    assert await store.read(first) == b"first"
    await store.remove(first)
    with pytest.raises(StorageFailed):
        await store.read(first)
    assert await store.remove_older_than(-1, datetime.now(UTC), keep=frozenset({second})) == 0
    assert await store.remove_older_than(-1, datetime.now(UTC)) == 1
    assert list(tmp_path.glob("??/*")) == []


async def test_a_missing_image_and_a_full_disk_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="cannot be read"):
        await ImageStore(tmp_path).read("0" * 64)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="cannot be written"):
        await ImageStore(tmp_path / "file").save(b"picture")


async def test_only_old_images_are_removed(tmp_path: Path) -> None:
    store, now = ImageStore(tmp_path), datetime.now(UTC)
    old, young = await store.save(b"old"), await store.save(b"young")
    then = (now - timedelta(days=31)).timestamp()
    os.utime(tmp_path / old[:2] / f"{old}.png", (then, then))
    assert await store.remove_older_than(30, now) == 1
    assert await store.read(young) == b"young"
    with pytest.raises(StorageFailed):
        await store.read(old)


async def test_the_oldest_go_first_until_the_rest_fits(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    names = [await store.save(bytes([number]) * 100) for number in range(4)]
    for age, name in enumerate(reversed(names)):
        os.utime(next(tmp_path.glob(f"??/{name}.*")), (1_000 - age, 1_000 - age))
    assert await store.remove_beyond(400) == 0
    assert await store.remove_beyond(250, keep=frozenset({names[0]})) == 2
    assert sorted(path.stem for path in tmp_path.glob("??/*")) == sorted([names[0], names[3]])
