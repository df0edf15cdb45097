"""Where the key and its certificates lie, and whether they can be used."""

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from config.settings import Settings

if TYPE_CHECKING:  # the library is missing where c2pa has no wheel
    from provenance.keys import SigningKey

_LIBRARIES: Final = ("c2pa", "cryptography")


class KeyFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Files of the key, of its certificates, and the folder of anchors that the owner trusts too."""

    key: Path
    chain: Path
    anchors: Path

    @classmethod
    def of(cls, settings: Settings) -> "KeyFiles":
        """Those that the settings name, or those below the storage folder."""
        folder, ours = settings.storage.directory / "provenance", settings.provenance
        return cls(
            key=ours.key_file or folder / "key.pem",
            chain=ours.chain_file or folder / "chain.pem",
            anchors=folder / "anchors",
        )


class NoKey(Exception):
    """Nothing can be signed; the text is one sentence. `is_wrong` if the owner has set up signing and it fails."""

    def __init__(self, sentence: str, *, is_wrong: bool) -> None:
        super().__init__(sentence)
        self.is_wrong = is_wrong


def load_key(settings: Settings) -> "SigningKey":
    """The key that signs pictures.

    Raises:
        NoKey: signing is off, a library or the key is missing, or the key cannot be used.
    """
    wanted = settings.provenance
    if wanted.sign == "off":
        raise NoKey("Pictures go out unsigned, since provenance.sign is off.", is_wrong=False)
    is_required = wanted.sign == "required"
    missing = missing_library()
    if missing:
        raise NoKey(f"Pictures go out unsigned, since {missing} has no package for this system.", is_wrong=is_required)
    files = KeyFiles.of(settings)
    is_set_up = is_required or wanted.key_file is not None or files.key.exists()
    if not is_set_up:
        raise NoKey(
            "Pictures go out unsigned, since there is no key; `easel provenance init` makes one.", is_wrong=False
        )
    # Without a key, no start of the bot waits for these libraries.
    from provenance.keys import KeyUnusable, read_key  # noqa: PLC0415 - see above

    try:
        return read_key(files.key, files.chain, datetime.now(UTC))
    except KeyUnusable as error:
        raise NoKey(f"Pictures go out unsigned. {error}", is_wrong=True) from error


def missing_library() -> str:
    """The first library that signing needs and that is not installed; empty if all are there."""
    return next((name for name in _LIBRARIES if find_spec(name) is None), "")
