"""The verdict about a picture's file: a pure function of what the file says and what the register knows."""

from enum import StrEnum

import msgspec

from provenance.messages import Credentials, Reading, Trust


class Verdict(StrEnum):
    """Where a file comes from, as far as can be said. The text `verify-…` says each to members."""

    INTACT = "intact"
    """Made here, and unchanged since."""
    KEY_RETIRED = "key-retired"
    """Made here, and signed with a key that is no longer in use."""
    KEY_STOLEN = "key-stolen"
    """Signed with a key of ours that others may have, and the register does not know the file."""
    SAVED_ANEW = "saved-anew"
    """Made here; the bytes are others, and the pixels the same."""
    CHANGED = "changed"
    """Our signature, and another content."""
    ALIKE = "alike"
    """No signature; it looks like what was made here."""
    FOREIGN = "foreign"
    """Somebody else's signature, which fits the picture."""
    BROKEN = "broken"
    """Content Credentials that do not fit the picture."""
    CLAIMED = "claimed"
    """No signature; it says of itself that a model made it."""
    NOTHING = "nothing"
    """Nothing was found."""


EXIT_CODES = {
    Verdict.INTACT: 0,
    Verdict.KEY_RETIRED: 0,
    Verdict.KEY_STOLEN: 1,
    Verdict.SAVED_ANEW: 1,
    Verdict.CHANGED: 1,
    Verdict.FOREIGN: 2,
    Verdict.BROKEN: 2,
    Verdict.ALIKE: 3,
    Verdict.CLAIMED: 3,
    Verdict.NOTHING: 3,
}
"""Exit codes of `easel verify`: 0 ours and intact, 1 ours and changed, 2 somebody else's, 3 nothing that proves it."""


class KeyState(StrEnum):
    """What became of a key of ours."""

    IN_USE = "in-use"
    RETIRED = "retired"
    STOLEN = "stolen"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the register knows about a file.

    Attributes:
        has_file: whether exactly these bytes were made here.
        has_pixels: whether a picture with these pixels was made here.
        has_alike: whether a picture made here looks like it.
        key: state of the key whose serial number the signature names; None if it is none of ours.
    """

    has_file: bool = False
    has_pixels: bool = False
    has_alike: bool = False
    key: KeyState | None = None


def judge(reading: Reading, known: Known) -> Verdict:
    """Judge a file. The first rule that fits decides.

    A certificate is ours only with a serial number of ours and with a way to our root. Its names prove nothing. Once
    it has run out, no reader says where it leads; then the register must know the file too.
    """
    found = reading.credentials
    if known.has_file:
        return Verdict.KEY_RETIRED if _is_over(found, known) else Verdict.INTACT
    if found is not None and _is_ours(found, known):
        return _about_ours(found, known, was_cut=reading.was_cut)
    if known.has_pixels:
        return Verdict.SAVED_ANEW
    if found is not None:
        return Verdict.FOREIGN if found.is_signature_valid and found.is_whole else Verdict.BROKEN
    return Verdict.BROKEN if reading.has_broken_credentials else _about_unsigned(reading, known)


def _about_ours(found: Credentials, known: Known, *, was_cut: bool) -> Verdict:
    if not found.is_whole:
        return Verdict.SAVED_ANEW if known.has_pixels else Verdict.CHANGED
    if known.key is KeyState.STOLEN and not known.has_pixels:
        return Verdict.KEY_STOLEN
    if was_cut:
        return Verdict.SAVED_ANEW
    return Verdict.KEY_RETIRED if _is_over(found, known) else Verdict.INTACT


def _is_ours(found: Credentials, known: Known) -> bool:
    if known.key is None or not found.is_signature_valid:
        return False
    return found.trust is Trust.TRUSTED or (found.trust is Trust.EXPIRED and known.has_pixels)


def _is_over(found: Credentials | None, known: Known) -> bool:
    """Whether the key of a signature is no longer in use. A file without one was delivered unsigned."""
    if found is None:
        return False
    return found.trust is Trust.EXPIRED or known.key in (KeyState.RETIRED, KeyState.STOLEN)


def _about_unsigned(reading: Reading, known: Known) -> Verdict:
    if known.has_alike:
        return Verdict.ALIKE
    return Verdict.CLAIMED if reading.says_ai else Verdict.NOTHING
