"""The disk takes a part of an image and no more: nothing is there under its hash."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.store.images import ImageStore

IMAGE = bytes(100_000)

_SAVER = """
import asyncio, resource, signal, sys
from pathlib import Path
from bot.store.images import ImageStore, StorageFailed

folder, image_bytes, size, is_deadly = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "True"
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
if is_deadly:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
try:
    print(asyncio.run(ImageStore(folder).save(bytes(image_bytes))))
except StorageFailed as error:
    print(error)
"""


def save_with(folder: Path, size: int, *, is_deadly: bool = False) -> tuple[int, str]:
    """Save the image in a process that may write files of some size; past it a write fails, or is its death.

    Returns how the process ended and what it said.
    """
    command = [sys.executable, "-c", _SAVER, str(folder), str(len(IMAGE)), str(size), str(is_deadly)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stdout.strip()


@pytest.mark.parametrize("size", [0, 1, 4_096, len(IMAGE) - 1])
async def test_a_part_of_an_image_is_nothing_and_the_next_one_is_kept(tmp_path: Path, size: int) -> None:
    code, said = save_with(tmp_path, size)
    assert code == 0
    assert said.startswith("A file cannot be written to")
    assert said.endswith("File too large.")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert await ImageStore(tmp_path).read(await ImageStore(tmp_path).save(IMAGE)) == IMAGE


async def test_who_dies_while_writing_leaves_nothing_under_the_hash(tmp_path: Path) -> None:
    code, _ = save_with(tmp_path, 4_096, is_deadly=True)
    assert code == -signal.SIGXFSZ
    assert list(tmp_path.rglob("*.png")) == []
    assert await ImageStore(tmp_path).read(await ImageStore(tmp_path).save(IMAGE)) == IMAGE


async def test_an_image_that_just_fits_is_kept(tmp_path: Path) -> None:
    _, sha256 = save_with(tmp_path, len(IMAGE))
    assert await ImageStore(tmp_path).read(sha256) == IMAGE
