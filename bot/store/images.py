"""Finished outputs on disk. Each file is named by the hash of its bytes.

A file is whole or absent: it is written under a temporary name, synced, and renamed.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Collection
from datetime import datetime, timedelta
from mimetypes import MimeTypes
from pathlib import Path
from typing import Final

_KNOWN: Final = MimeTypes()
"""Media types by Python's own list, which is the same on every computer."""


class StorageFailed(Exception):
    """A file could not be written or read; the text gives the reason for the log."""


def extension_of(media_type: str) -> str:
    """The file extension of a media type, without the dot: `png` for `image/png`, `txt` for `text/plain`."""
    group, _, name = media_type.partition("/")
    return name if group == "image" else (_KNOWN.guess_extension(media_type) or ".bin").removeprefix(".")


class ImageStore:
    """A folder of finished outputs. Its methods run in a thread, so that a slow disk does not block the event loop."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def save(self, data: bytes | bytearray, media_type: str = "image/png") -> str:
        """Store these bytes and return their SHA-256. If they are already stored, only their age starts again.

        Args:
            data: a whole file.
            media_type: the media type. It sets the file's extension, for people who look into the folder.

        Raises:
            StorageFailed: the disk is full, or the folder is not writable.
        """
        return await asyncio.to_thread(self._save, data, extension_of(media_type))

    async def read(self, sha256: str) -> bytes:
        """The bytes with this hash.

        Raises:
            StorageFailed: the file is missing or not readable.
        """
        try:
            return await asyncio.to_thread(self._read, sha256)
        except OSError as error:
            raise StorageFailed(f"The file {sha256} cannot be read: {error.strerror}.") from error

    async def there(self, hashes: Collection[str]) -> frozenset[str]:
        """Those of these hashes whose files are kept."""
        return await asyncio.to_thread(lambda: frozenset(sha256 for sha256 in hashes if self._paths(sha256)))

    async def remove(self, sha256: str) -> None:
        """Remove a file if it exists."""
        await asyncio.to_thread(self._remove, sha256)

    async def remove_older_than(self, days: int, now: datetime, keep: frozenset[str] = frozenset()) -> int:
        """Remove files that were last saved more than `days` days ago, except those in `keep`; returns their number."""
        return await asyncio.to_thread(self._remove_before, (now - timedelta(days=days)).timestamp(), keep)

    async def remove_beyond(self, most_bytes: int, keep: frozenset[str] = frozenset()) -> int:
        """Remove the oldest files except those in `keep` until all take at most `most_bytes`; returns the count."""
        return await asyncio.to_thread(self._remove_beyond, most_bytes, keep)

    def _path(self, sha256: str, extension: str) -> Path:
        return self._directory / sha256[:2] / f"{sha256}.{extension}"

    def _paths(self, sha256: str) -> list[Path]:
        """The files with this hash, whatever their extension is."""
        return [*self._directory.glob(f"{sha256[:2]}/{sha256}.*")]

    def _read(self, sha256: str) -> bytes:
        paths = self._paths(sha256)
        if not paths:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return paths[0].read_bytes()

    def _remove(self, sha256: str) -> None:
        for path in self._paths(sha256):
            path.unlink(missing_ok=True)

    def _save(self, data: bytes | bytearray, extension: str) -> str:
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
            raise StorageFailed(f"A file cannot be written to {path.parent}: {error.strerror}.") from error
        return sha256

    def _remove_before(self, timestamp: float, keep: frozenset[str]) -> int:
        removed = 0
        for path in self._directory.glob("??/*.*"):
            # Another run of the retention may have removed the file.
            with contextlib.suppress(FileNotFoundError):
                if path.stem not in keep and path.stat().st_mtime < timestamp:
                    path.unlink()
                    removed += 1
        return removed

    def _remove_beyond(self, most_bytes: int, keep: frozenset[str]) -> int:
        found: list[tuple[float, int, Path]] = []
        for path in self._directory.glob("??/*.*"):
            with contextlib.suppress(FileNotFoundError):
                state = path.stat()
                found.append((state.st_mtime, state.st_size, path))
        too_many = sum(size for _, size, _ in found) - most_bytes
        removed = 0
        for _, size, path in sorted(found):
            if too_many <= 0:
                break
            if path.stem not in keep:
                path.unlink(missing_ok=True)
                too_many -= size
                removed += 1
        return removed
