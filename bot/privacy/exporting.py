"""What is kept about a person, as files: JSON for each table, and the pictures."""

import io
import zipfile
import zlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from bot.errors import Refused
from bot.store.images import ImageStore, StorageFailed, extension_of
from bot.store.privacy.own_data import OwnCounts, OwnData, OwnDataRepository

EVERY: Final = timedelta(days=1)
"""Time between two exports of a member."""
_ROWS: Final = 2_000
"""Most rows of a JSON file, so that one fits into a part."""
ENTRY_BYTES: Final = 400
"""Most bytes that an entry adds to an archive beside its content."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an export."""

    name: str
    data: bytes

    @property
    def size(self) -> int:
        """Bytes in an archive. Pictures are compressed already."""
        content = len(zlib.compress(self.data)) if self.is_text else len(self.data)
        return content + ENTRY_BYTES

    @property
    def is_text(self) -> bool:
        """Whether compression helps."""
        return self.name.endswith(".json")


class Exporting:
    """Exports of members. Each gets one a day; a restart forgets when."""

    def __init__(self, *, data: OwnDataRepository, images: ImageStore, inputs: ImageStore) -> None:
        self._data = data
        self._images = images
        self._inputs = inputs
        self._exported: dict[int, datetime] = {}

    async def counts(self, user_id: int) -> OwnCounts:
        """How much is kept about a person."""
        return await self._data.counts(user_id)

    def begin(self, user_id: int, now: datetime) -> None:
        """Note an export.

        Raises:
            Refused: the member had one today.
        """
        self._exported = {user: at for user, at in self._exported.items() if now - at < EVERY}
        at = self._exported.get(user_id)
        if at is not None:
            raise Refused("refused-export-often", again=f"<t:{int((at + EVERY).timestamp())}:R>")
        self._exported[user_id] = now

    def give_back(self, user_id: int) -> None:
        """Let a member export again, since the last one failed."""
        self._exported.pop(user_id, None)

    async def entries(self, user_id: int) -> AsyncIterator[Entry]:
        """The files, first the tables. Pictures that are no longer kept are left out."""
        data = await self._data.all(user_id)
        for entry in _tables(data):
            yield entry
        for row in data.tables["pictures"]:
            name = f"pictures/{row['job_id']}-{row['output_index'] + 1}.{extension_of(str(row['media_type']))}"
            if (found := await _read(self._images, str(row["sha256"]))) is not None:
                yield Entry(name=name, data=found)
        for sha256 in data.given:
            if (found := await _read(self._inputs, sha256)) is not None:
                yield Entry(name=f"given/{sha256[:16]}.png", data=found)

    async def parts(self, user_id: int, limit: int, left_out: list[str]) -> AsyncIterator[bytes]:
        """ZIP archives of at most `limit` bytes each. Names of files that fit into none are added to `left_out`."""
        waiting, size = list[Entry](), 0
        async for entry in self.entries(user_id):
            if entry.size + ENTRY_BYTES > limit:
                left_out.append(entry.name)
                continue
            if size + entry.size + ENTRY_BYTES > limit:
                yield archive_of(waiting)
                waiting, size = [], 0
            waiting.append(entry)
            size += entry.size
        yield archive_of(waiting)


def write_entry(archive: zipfile.ZipFile, entry: Entry) -> None:
    """Add a file to an archive."""
    archive.writestr(entry.name, entry.data, zipfile.ZIP_DEFLATED if entry.is_text else zipfile.ZIP_STORED)


def archive_of(entries: list[Entry]) -> bytes:
    """A ZIP archive of these files. This blocks: call it in a thread if they are large."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for entry in entries:
            write_entry(archive, entry)
    return file.getvalue()


def _tables(data: OwnData) -> list[Entry]:
    """A file for each table, or several for a long one; times are milliseconds since 1970."""
    found: list[Entry] = []
    for name, rows in data.tables.items():
        for number, first in enumerate(range(0, max(1, len(rows)), _ROWS), 1):
            part = "" if len(rows) <= _ROWS else f"-{number}"
            content = msgspec.json.format(msgspec.json.encode(rows[first : first + _ROWS]), indent=2)
            found.append(Entry(name=f"{name}{part}.json", data=content))
    return found


async def _read(store: ImageStore, sha256: str) -> bytes | None:
    try:
        return await store.read(sha256)
    except StorageFailed:
        return None
