"""A disk that loses power or says no, as a file system below SQLite.

Real files hold what SQLite reads back. Beside them a log keeps each change and each sync, so that one run tells
what a power loss at any of its moments would have left.
"""

import random
import sqlite3
from pathlib import Path
from typing import cast

import apsw
import msgspec

from tests.bot.store.power_loss.like_sqlite3 import LikeConnection

_SECTOR = 512
_DROPPED, _TORN = 0.50, 0.65
"""Of the changes that were not synced, half are lost and 15 % are torn; the rest happens to be there."""


class Write(msgspec.Struct, frozen=True):
    file: str
    offset: int
    data: bytes


class Truncate(msgspec.Struct, frozen=True):
    file: str
    size: int


class Sync(msgspec.Struct, frozen=True):
    file: str


class Delete(msgspec.Struct, frozen=True):
    file: str


class Acknowledged(msgspec.Struct, frozen=True):
    """From here on somebody counts on what was done before."""


Event = Write | Truncate | Sync | Delete | Acknowledged


class Fault(msgspec.Struct, kw_only=True):
    """The disk says no to the `at`-th call of a kind, and to all later ones if it `lasts`."""

    kind: type[Write | Sync]
    at: int
    error: type[apsw.Error]
    lasts: bool
    calls: int = 0

    @property
    def has_struck(self) -> bool:
        return self.calls >= self.at

    def meet(self, kind: type[Write | Sync]) -> None:
        if kind is not self.kind:
            return
        self.calls += 1
        if self.calls == self.at or (self.lasts and self.calls > self.at):
            raise self.error("the disk says no")


class Disk(apsw.VFS):
    """The folder of one database, from power on to power off."""

    def __init__(self, folder: Path, *, checkpoint_pages: int) -> None:
        self._name = f"disk-{id(self)}"
        super().__init__(self._name, "")
        self._checkpoint_pages = checkpoint_pages
        self.folder = folder
        self._before = files_of(folder)
        self.events: list[Event] = []
        self.fault: Fault | None = None

    def connect(self, address: str) -> sqlite3.Connection:
        """Stands in for `bot.store.sqlite.database.connect`."""
        return cast("sqlite3.Connection", LikeConnection(address, self._name, self._checkpoint_pages))

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's
        return apsw.VFSFile("", name, flags) if name is None else _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's
        super().xDelete(filename, syncdir)
        self.events.append(Delete(Path(filename).name))

    def moments(self) -> int:
        """Power may be lost before each event and after the last."""
        return len(self.events) + 1

    def acknowledged_at(self, moment: int) -> int:
        return sum(isinstance(event, Acknowledged) for event in self.events[:moment])

    def left_at(self, moment: int, chance: random.Random) -> dict[str, bytes]:
        """The files that are found after a power loss at a moment: what was synced, and chance's share of the rest."""
        files = {name: bytearray(data) for name, data in self._before.items()}
        pending: dict[str, list[Write | Truncate]] = {}
        for event in self.events[:moment]:
            match event:
                case Write() | Truncate():
                    files.setdefault(event.file, bytearray())
                    pending.setdefault(event.file, []).append(event)
                case Sync():
                    for change in pending.pop(event.file, ()):
                        _apply(files[event.file], change)
                case Delete():
                    files.pop(event.file, None)
                    pending.pop(event.file, None)
                case Acknowledged():
                    pass
        for name, changes in pending.items():
            for change in changes:
                _apply_perhaps(files[name], change, chance)
        return {name: bytes(data) for name, data in files.items()}


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name).name

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's
        if self._disk.fault:
            self._disk.fault.meet(Write)
        super().xWrite(data, offset)
        self._disk.events.append(Write(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's
        super().xTruncate(newsize)
        self._disk.events.append(Truncate(self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802 - SQLite's; the log is the disk, so nothing waits
        if self._disk.fault:
            self._disk.fault.meet(Sync)
        self._disk.events.append(Sync(self._name))


def files_of(folder: Path) -> dict[str, bytes]:
    """The database and its WAL or journal, as they lie there now."""
    return {path.name: path.read_bytes() for path in folder.glob("easel.db*") if path.suffix != ".lock"}


def put(files: dict[str, bytes], folder: Path) -> None:
    """Make a folder hold exactly these files."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _apply(file: bytearray, change: Write | Truncate) -> None:
    end = change.size if isinstance(change, Truncate) else change.offset
    if isinstance(change, Truncate):
        del file[end:]
    file.extend(bytes(max(0, end - len(file))))
    if isinstance(change, Write):
        file[change.offset : change.offset + len(change.data)] = change.data


def _apply_perhaps(file: bytearray, change: Write | Truncate, chance: random.Random) -> None:
    dice = chance.random()
    if dice >= _TORN:
        _apply(file, change)
    elif dice >= _DROPPED and isinstance(change, Write):
        for start in range(0, len(change.data), _SECTOR):
            if chance.random() < 0.5:
                _apply(file, Write(change.file, change.offset + start, change.data[start : start + _SECTOR]))
