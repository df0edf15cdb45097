"""Looks a file up: what it says about its origin, what the register knows, and the verdict."""

import hashlib
from typing import Final

import msgspec

from bot.provenance.key import KeyFiles, missing_library
from bot.store.register import STOLEN, Found, Place, RegisteredKey, RegisterRepository
from config.settings import Settings
from provenance.messages import Reading, Refusal, Trust
from provenance.process import read_once
from provenance.verdict import KeyState, Known, Verdict, judge

_OURS: Final = frozenset({Verdict.INTACT, Verdict.KEY_RETIRED, Verdict.SAVED_ANEW, Verdict.CHANGED})
"""Verdicts about files with a signature of ours, or about pictures that the register knows."""


class Anchors(msgspec.Struct, frozen=True, kw_only=True):
    """Certificates in PEM: our own root, and those of others whom the owner trusts. Both may be empty."""

    own: str = ""
    others: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "Anchors":
        """Those of the files that the settings name; a file that cannot be read gives none."""
        if missing_library():
            return cls()
        from provenance.keys import KeyUnusable, read_anchors  # noqa: PLC0415 - the library may be missing

        files = KeyFiles.of(settings)
        found: list[str] = []
        for file in (files.chain, *sorted(files.anchors.glob("*.pem"))):
            try:
                found.append(read_anchors(file))
            except KeyUnusable:
                found.append("")
        return cls(own=_last(found[0]), others="".join(found[1:]))


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a file.

    Attributes:
        verdict: where it comes from.
        reading: what it says of itself.
        place: the picture made here that it is; None if it is none, or the register does not know it.
        alike: pictures made here that it looks like, the nearest first.
        is_vouched: whether its certificate leads to one of others whom the owner trusts.
    """

    verdict: Verdict
    reading: Reading
    place: Place | None = None
    alike: tuple[Place, ...] = ()
    is_vouched: bool = False


async def look_up(data: bytes | bytearray, anchors: Anchors, register: RegisterRepository | None) -> Judged | Refusal:
    """Judge a file. A stranger's file is parsed in a process of its own.

    Args:
        data: the file.
        anchors: trusted certificates.
        register: the register; None where there is none yet.
    """
    reading = await read_once(data, anchors.own)
    if isinstance(reading, Refusal):
        return reading
    found, keys = Found(), dict[str, RegisteredKey]()
    if register is not None:
        manifest = None if reading.credentials is None else reading.credentials.manifest
        found = await register.find(hashlib.sha256(data).hexdigest(), reading.fingerprint, manifest)
        keys = await register.keys()
    verdict = judge(reading, _known(reading, found, keys))
    return Judged(
        verdict=verdict,
        reading=reading,
        # A manifest's name proves nothing; here the verdict says that the signature is ours.
        place=found.file or found.pixels or (found.manifest if verdict in _OURS else None),
        alike=found.alike if verdict is Verdict.ALIKE else (),
        is_vouched=verdict is Verdict.FOREIGN and await _is_vouched(data, anchors),
    )


async def _is_vouched(data: bytes | bytearray, anchors: Anchors) -> bool:
    """Whether a file that is not ours leads to an anchor of others. This is asked apart, so that it is never ours."""
    if not anchors.others:
        return False
    again = await read_once(data, anchors.others)
    return isinstance(again, Reading) and again.credentials is not None and again.credentials.trust is Trust.TRUSTED


def _known(reading: Reading, found: Found, keys: dict[str, RegisteredKey]) -> Known:
    key = None if reading.credentials is None else keys.get(reading.credentials.serial)
    return Known(
        has_file=found.file is not None,
        has_pixels=found.pixels is not None,
        has_alike=bool(found.alike),
        key=None if key is None else _state(key),
    )


def _state(key: RegisteredKey) -> KeyState:
    if key.reason == STOLEN:
        return KeyState.STOLEN
    return KeyState.IN_USE if key.retired_at is None else KeyState.RETIRED


def _last(chain: str) -> str:
    """The last certificate of a chain in PEM: the root."""
    _, begin, end = chain.rpartition("-----BEGIN CERTIFICATE-----")
    return begin + end
