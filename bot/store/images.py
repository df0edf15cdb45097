"""Finished images on disk, each under the hash of its bytes.

A file is either whole or not there: it is written beside its place, synced, and renamed.
"""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, get_args

from pipeline.protocol.messages import ImageFormat

_EXTENSIONS: Final[tuple[str, ...]] = get_args(ImageFormat)


class StorageFailed(Exception):
    """The disk would not take or give an image; the text says why, for the log."""


def extension_of(media_type: str) -> str:
    """What the name of an image's file ends with, without the dot."""
    return media_type.removeprefix("image/")


class ImageStore:
    """A folder of images. Methods run in a thread, so that a slow disk keeps nobody waiting."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def save(self, data: bytes, media_type: str = "image/png") -> str:
        """Keep these bytes and return their SHA-256. Saving the same bytes again only makes them young.

        Args:
            data: a whole file.
            media_type: what it is; the name on the disk ends with it, for those who look at the folder.

        Raises:
            StorageFailed: disk full, or no right to write.
        """
        return await asyncio.to_thread(self._save, data, extension_of(media_type))

    async def read(self, sha256: str) -> bytes:
        """The bytes under this hash.

        Raises:
            StorageFailed: not there, or not readable.
        """
        try:
            return await asyncio.to_thread(self._read, sha256)
        except OSError as error:
            raise StorageFailed(f"The image {sha256} cannot be read: {error.strerror}.") from error

    async def remove(self, sha256: str) -> None:
        """Remove one image, if it is there."""
        await asyncio.to_thread(self._remove, sha256)

    async def remove_older_than(self, days: int, now: datetime, keep: frozenset[str] = frozenset()) -> int:
        """Remove what was last saved more than so many days ago, but for these hashes; returns how many."""
        return await asyncio.to_thread(self._remove_before, (now - timedelta(days=days)).timestamp(), keep)

    def _path(self, sha256: str, extension: str) -> Path:
        return self._directory / sha256[:2] / f"{sha256}.{extension}"

    def _paths(self, sha256: str) -> list[Path]:
        """Where it may be: files of before the owner chose another format stay as they are."""
        return [self._path(sha256, extension) for extension in _EXTENSIONS]

    def _read(self, sha256: str) -> bytes:
        paths = self._paths(sha256)
        return next((path for path in paths if path.exists()), paths[0]).read_bytes()

    def _remove(self, sha256: str) -> None:
        for path in self._paths(sha256):
            path.unlink(missing_ok=True)

    def _save(self, data: bytes, extension: str) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256, extension)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                path.touch()
                return sha256
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
                try:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                    Path(file.name).replace(path)
                except OSError:
                    Path(file.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise StorageFailed(f"An image cannot be written to {path.parent}: {error.strerror}.") from error
        return sha256

    def _remove_before(self, timestamp: float, keep: frozenset[str]) -> int:
        removed = 0
        for path in (path for kind in _EXTENSIONS for path in self._directory.glob(f"??/*.{kind}")):
            # Another run of this job may have been faster.
            with contextlib.suppress(FileNotFoundError):
                if path.stem not in keep and path.stat().st_mtime < timestamp:
                    path.unlink()
                    removed += 1
        return removed
