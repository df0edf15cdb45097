"""Messages between the bot and the process that parses pictures' Content Credentials, `python -m provenance.child`.

The bot sends one `Sign` or `Read` at a time. The child answers a `Sign` with `Seal`, which the bot's `Sealed` answers,
and then with `Signed`; a `Read` with `Reading`; either with `Refusal` if nothing came of it. The frames are those of
`pipeline.protocol.wire.codec`.
"""

from enum import StrEnum
from typing import Final, Literal, TypeAlias

import msgspec

from pipeline.protocol.provenance.fingerprints import Fingerprint
from pipeline.protocol.reading import PictureFault

SEALED_BYTES: Final = 64
"""Bytes of a signature: the two numbers r and s of ECDSA over P-256."""
MAX_SEAL_BYTES: Final = 16_384
"""Most bytes that are signed; the structure of a claim has about a thousand, whatever the picture's size."""


class Ingredient(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that went into another one. `parentOf` is a picture that was changed, `inputTo` any other."""

    data: bytes
    media_type: str
    relationship: Literal["parentOf", "inputTo"]
    title: str


class Sign(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Sign a picture.

    Attributes:
        data: the file.
        media_type: its media type.
        manifest: definition of the manifest in c2pa's JSON, from `provenance.manifests`.
        ingredients: pictures that went into it.
        chain: certificates in PEM, the signer's first.
        timestamp_url: address of an authority (RFC 3161) that confirms the time; empty for none.
    """

    data: bytes
    media_type: str
    manifest: str
    ingredients: tuple[Ingredient, ...]
    chain: str
    timestamp_url: str = ""


class Sealed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The signature of the bytes of a `Seal`; empty if they are not signed."""

    signature: bytes


class Read(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Read a stranger's file; `anchors` are the root certificates in PEM that are trusted."""

    data: bytes
    anchors: str


class Seal(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Bytes that the key must sign."""

    data: bytes


class Signed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The signed file, and the name of its manifest, `urn:c2pa:…`.

    `stamp_fault` says for the log why it has no time stamp although one was wanted.
    """

    data: bytes
    manifest: str
    stamp_fault: str = ""


class Trust(StrEnum):
    """What a reader of Content Credentials says of a signature's certificate."""

    TRUSTED = "trusted"
    """It leads to an anchor."""
    EXPIRED = "expired"
    """Its time is over, so that nothing is said about where it leads."""
    UNKNOWN = "unknown"
    """It leads to no anchor. Its names are whatever its maker wanted."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """The newest manifest of a file. All texts are the file's own, so a stranger may have chosen them.

    Attributes:
        manifest: its name, `urn:c2pa:…`.
        trust: what is known about the certificate.
        is_signature_valid: whether the certificate's key signed the claim.
        is_whole: whether the file is what was signed, apart from the question who did it.
        serial: serial number of the certificate, in decimal digits.
        signer: the name in the certificate.
        tool: the program that made the claim.
        is_ai: whether an action says that a model made or changed the picture.
        ingredients: number of pictures that went in.
    """

    manifest: str
    trust: Trust
    is_signature_valid: bool
    is_whole: bool
    serial: str
    signer: str
    tool: str
    is_ai: bool
    ingredients: int


class Reading(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a file says about its origin.

    Attributes:
        credentials: its Content Credentials; None if it has none.
        has_broken_credentials: whether there are some that cannot be read at all.
        was_cut: whether they fit only without the bytes behind the picture's end.
        fingerprint: fingerprint of its picture; None if the picture cannot be decoded.
        says_ai: whether its XMP or its generation parameters say that a model made it.
        tool: the program that they name; may be empty.
    """

    credentials: Credentials | None
    has_broken_credentials: bool = False
    was_cut: bool = False
    fingerprint: Fingerprint | None
    says_ai: bool = False
    tool: str = ""


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nothing was signed, or the file cannot be read; `detail` is for the log."""

    detail: str
    fault: PictureFault = PictureFault.UNREADABLE


ToChild: TypeAlias = Sign | Read | Sealed
FromChild: TypeAlias = Seal | Signed | Reading | Refusal
