"""The download of one file: it goes on where an earlier one ended, and counts only with the right hash."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from huggingface_hub.file_download import http_get

from bot.cli.models.failing import ModelsFailed

GIB: Final = 1 << 30
_SPARE_BYTES: Final = GIB
"""Free space that a download leaves to everything else."""
PART: Final = ".easel-part"
"""Ending of a file that is not whole yet."""

FILES: Final = "files"
"""Folder of single files below that of the models: each lies in a folder of its own there."""

Note = Callable[[int], None]
"""Is told how many more bytes are here; a negative number takes some back."""


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that can be downloaded.

    Attributes:
        name: its name in messages.
        url: its address.
        size: its size in bytes.
        sha256: its hash, as hexadecimal digits.
    """

    name: str
    url: str
    size: int
    sha256: str


def check_space(directory: Path, needed_bytes: int, what: str) -> None:
    """Check that a download fits onto the disk and leaves a GiB.

    Raises:
        ModelsFailed: it does not fit.
    """
    free = shutil.disk_usage(directory).free
    if needed_bytes + _SPARE_BYTES > free:
        raise ModelsFailed(
            f"{what} needs {needed_bytes / GIB:.1f} GiB more and a spare one, and {directory} has {free / GIB:.1f} GiB "
            "free; make room, or set pipeline.cache_directory to a larger disk. Nothing was downloaded."
        )


def bytes_here(target: Path) -> int:
    """Bytes of a file that are here, whole or in part."""
    part = part_of(target)
    return next((path.stat().st_size for path in (target, part) if path.is_file()), 0)


def part_of(target: Path) -> Path:
    """The path of a file while it is not whole."""
    return target.with_name(target.name + PART)


def download(file: RemoteFile, target: Path, headers: Mapping[str, str], note: Note) -> None:
    """Download a file, or the rest of it. Whatever arrives is kept for the next try, until its hash is wrong.

    Raises:
        ModelsFailed: the whole file has another hash; it was removed.
        Exception: any exception of the hub's library about the connection or the server.
    """
    if target.is_file():
        if sha256_of(target) == file.sha256:
            return
        target.unlink()
        note(-file.size)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(target)
    if part.is_file() and part.stat().st_size > file.size:
        part.unlink()
    with part.open("ab") as content:
        resumed = content.tell()
        http_get(
            file.url,
            content,
            resume_size=resumed,
            headers=dict(headers),
            expected_size=file.size,
            displayed_filename=file.name,
            tqdm_class=_counter(note),
        )
        content.flush()
        os.fsync(content.fileno())
    if sha256_of(part) != file.sha256:
        part.unlink()
        note(-file.size)
        raise ModelsFailed(
            f"The file {file.name} arrived with another hash than it should have, and was removed; run the same again."
        )
    part.replace(target)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def git_hash_of(path: Path) -> str:
    """Git's hash of a file, by which the hub names small files: SHA-1 of a short header and the bytes."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _counter(note: Note) -> Any:
    """A class in the place of tqdm's, which hands the number of bytes on and prints nothing."""

    class Counter:
        def __init__(self, *_: object, **__: object) -> None: ...
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...
        def update(self, count: float | None = 1) -> None:
            note(int(count or 0))

        def close(self) -> None: ...

    return Counter
