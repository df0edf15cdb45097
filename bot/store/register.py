"""The register: by what a finished picture is found again, and the keys that signed pictures."""

import sqlite3
from datetime import datetime
from typing import Final

import msgspec
import numpy as np

from bot.store.rows.outputs import NewFingerprint
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import fetch_all, fetch_one, to_ms
from pipeline.protocol.provenance.fingerprints import ALIKE_BITS, LOOK_BYTES, Fingerprint

STOLEN: Final = "compromised"
"""Reason of a key that others may have."""
MOST_ALIKE: Final = 3
_BY_FILE: Final = """
SELECT job_id, output_index AS image_index FROM outputs WHERE sha256 = :sha256
UNION SELECT job_id, image_index FROM copies WHERE sha256 = :sha256 ORDER BY job_id DESC LIMIT 1
"""
_BY_MANIFEST: Final = "SELECT job_id, image_index FROM fingerprints WHERE manifest = ? ORDER BY job_id DESC LIMIT 1"
_BY_PIXELS: Final = "SELECT job_id, image_index FROM fingerprints WHERE pixels = ? ORDER BY job_id DESC LIMIT 1"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A finished picture: its job, and its index there."""

    job_id: int
    image_index: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the register knows about a file.

    Attributes:
        file: the newest picture with exactly these bytes; None if there is none.
        pixels: the newest picture with these pixels.
        manifest: the picture that was signed by the manifest which the file names. Anybody can copy that name.
        alike: pictures that look like it, the nearest first; not searched where file or pixels are there.
    """

    file: Place | None = None
    pixels: Place | None = None
    manifest: Place | None = None
    alike: tuple[Place, ...] = ()


class RegisteredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key by the serial number of its certificate; `reason` says why it was retired."""

    serial: str
    retired_at: int | None
    reason: str | None


class RegisterRepository:
    """Fingerprints, copies and signing keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_copy(self, place: Place, sha256: str) -> None:
        """Note the hash of a copy with other bytes."""
        await self._database.change(
            "INSERT INTO copies VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (place.job_id, place.image_index, sha256)
        )

    async def find(self, sha256: str, fingerprint: Fingerprint | None, manifest: str | None = None) -> Found:
        """Find a file by its bytes, its pixels, its manifest and its look.

        Args:
            sha256: hash of the file.
            fingerprint: fingerprint of its picture; None if it cannot be decoded.
            manifest: name of its newest manifest; None if it has none.
        """
        return await self._database.read(_find, sha256, fingerprint, manifest)

    async def look_of(self, place: Place) -> bytes | None:
        """The look of a finished picture; None if it is not known."""
        row = await self._database.fetch_one(
            "SELECT look FROM fingerprints WHERE job_id = ? AND image_index = ?", (place.job_id, place.image_index)
        )
        return None if row is None else bytes(row["look"])

    async def use_key(self, serial: str, now: datetime) -> None:
        """Note the key that signs from now on. Another one that was in use is retired; a compromised one stays so."""
        await self._database.write(_use_key, serial, now)

    async def retire_key(self, serial: str, reason: str | None, now: datetime) -> None:
        """Retire a key; the reason `STOLEN` tells that its signatures prove nothing by themselves."""
        await self._database.write(_retire_key, serial, reason, now)

    async def keys(self) -> dict[str, RegisteredKey]:
        """All keys by their serial numbers."""
        rows = await self._database.fetch_all(
            "SELECT serial, retired_at, reason FROM signing_keys ORDER BY first_used_at"
        )
        return {str(row["serial"]): RegisteredKey(**dict(row)) for row in rows}


def insert_fingerprints(connection: sqlite3.Connection, job_id: int, found: tuple[NewFingerprint, ...]) -> None:
    """Insert the fingerprints of a job's outputs. A second attempt replaces none of them."""
    connection.executemany(
        "INSERT INTO fingerprints (job_id, image_index, pixels, look, manifest) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [(job_id, each.image_index, each.pixels, each.look, each.manifest) for each in found],
    )


def _find(connection: sqlite3.Connection, sha256: str, fingerprint: Fingerprint | None, manifest: str | None) -> Found:
    file = _place(fetch_one(connection, _BY_FILE, {"sha256": sha256}))
    # One scan, as for looks; a file that is known by its bytes needs none.
    signed = None if file or manifest is None else _place(fetch_one(connection, _BY_MANIFEST, (manifest,)))
    if fingerprint is None:
        return Found(file=file, manifest=signed)
    pixels = _place(fetch_one(connection, _BY_PIXELS, (fingerprint.pixels,)))
    alike = () if file or pixels else _alike(connection, fingerprint.look)
    return Found(file=file, pixels=pixels, manifest=signed, alike=alike)


def _alike(connection: sqlite3.Connection, look: bytes) -> tuple[Place, ...]:
    """The pictures with the nearest looks. One scan over all: 100,000 take less than half a second."""
    rows = fetch_all(connection, "SELECT job_id, image_index, look FROM fingerprints")
    rows = [row for row in rows if len(row["look"]) == LOOK_BYTES]
    if not rows:
        return ()
    looks = np.frombuffer(b"".join(row["look"] for row in rows), np.uint64).reshape(len(rows), -1)
    bits = np.bitwise_count(looks ^ np.frombuffer(look, np.uint64)).sum(axis=1)
    nearest = [at for at in np.argsort(bits, kind="stable")[:MOST_ALIKE] if bits[at] <= ALIKE_BITS]
    return tuple(Place(job_id=rows[at]["job_id"], image_index=rows[at]["image_index"]) for at in nearest)


def _use_key(connection: sqlite3.Connection, serial: str, now: datetime) -> None:
    connection.execute(
        "UPDATE signing_keys SET retired_at = ? WHERE serial <> ? AND retired_at IS NULL", (to_ms(now), serial)
    )
    connection.execute(
        "INSERT INTO signing_keys (serial, first_used_at) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET retired_at = NULL WHERE reason IS NULL",
        (serial, to_ms(now)),
    )


def _retire_key(connection: sqlite3.Connection, serial: str, reason: str | None, now: datetime) -> None:
    connection.execute(
        "INSERT INTO signing_keys (serial, first_used_at, retired_at, reason) VALUES (:serial, :now, :now, :reason)"
        " ON CONFLICT DO UPDATE SET retired_at = ifnull(retired_at, :now), reason = ifnull(:reason, reason)",
        {"serial": serial, "now": to_ms(now), "reason": reason},
    )


def _place(row: sqlite3.Row | None) -> Place | None:
    return None if row is None else Place(job_id=row["job_id"], image_index=row["image_index"])
