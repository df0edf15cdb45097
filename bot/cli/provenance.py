"""`easel provenance`: keys and certificates of the signature."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.cli.entry import EXIT_UNAVAILABLE
from bot.provenance.key import KeyFiles, NoKey, load_key, missing_library
from bot.store.register import STOLEN, RegisteredKey, RegisterRepository
from bot.store.sqlite.database import Database, DatabaseUnusable
from config.settings import Settings


class ProvenanceFailed(Exception):
    """The command failed; the text is one sentence, and `code` the exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def init(settings: Settings, root_file: Path, passphrase: str) -> str:
    """Make a root and a signing key; returns what was done.

    Raises:
        ProvenanceFailed: there is a key already, or a file cannot be written, or Easel runs.
    """
    need_libraries()
    from provenance.keys import KeyUnusable, Root, write_key, write_secret  # noqa: PLC0415 - it may be missing

    files, now = KeyFiles.of(settings), datetime.now(UTC)
    for file in (files.key, root_file):
        if file.exists():
            raise ProvenanceFailed(f"{file} exists already, and nothing was changed; a new key comes from `rotate`.")
    try:
        root = Root.make(settings.provenance.organisation or "Easel", now)
        key = root.issue(now)
        _note(settings, key.serial, None, None)
        write_secret(root_file, root.as_pem(passphrase))
        write_key(key, files.key, files.chain)
    except (KeyUnusable, OSError) as error:
        raise ProvenanceFailed(f"No key was made: {error}") from error
    return (
        f"{files.key} signs pictures from the next start on, as {settings.provenance.organisation or 'Easel'}. "
        f"Move {root_file} off this machine and keep its passphrase: `easel provenance rotate` needs both."
    )


def rotate(settings: Settings, root_file: Path, passphrase: str, *, is_stolen: bool) -> str:
    """Replace the signing key by a new one of the same root; returns what was done.

    Raises:
        ProvenanceFailed: the root key or the present key cannot be used, or Easel runs.
    """
    need_libraries()
    from provenance.keys import KeyUnusable, Root, serial_in, write_key  # noqa: PLC0415 - it may be missing

    files, now = KeyFiles.of(settings), datetime.now(UTC)
    try:
        root = Root.read(root_file, passphrase)
        old = serial_in(files.chain, root)
        key = root.issue(now)
        _note(settings, key.serial, old, STOLEN if is_stolen else None)
        write_key(key, files.key, files.chain)
    except (KeyUnusable, OSError) as error:
        raise ProvenanceFailed(f"The key was not replaced: {error}") from error
    fate = "is marked as compromised" if is_stolen else "is retired; what it signed stays ours"
    return f"{files.key} is new, and signs from the next start on. The key {old} {fate}."


def show(settings: Settings, say: Callable[[str], None]) -> None:
    """Print the key in use and those before it.

    Raises:
        ProvenanceFailed: the database cannot be read.
    """
    try:
        key = load_key(settings)
    except NoKey as error:
        say(str(error))
    else:
        from provenance.keys import organization_of  # noqa: PLC0415 - it may be missing

        ends = key.certificate.not_valid_after_utc
        say(f"{key.serial}  signs until {ends:%Y-%m-%d}, as {organization_of(key.certificate)}")
    for serial, old in asyncio.run(_keys(settings)).items():
        if old.retired_at is not None:
            retired = datetime.fromtimestamp(old.retired_at / 1_000, UTC)
            say(f"{serial}  retired {retired:%Y-%m-%d}{', compromised' if old.reason == STOLEN else ''}")
    for file in sorted(KeyFiles.of(settings).anchors.glob("*.pem")):
        say(f"{file}  is trusted for pictures of others")


def trust(settings: Settings, file: Path) -> str:
    """Trust the certificates of a file for pictures of others; returns what was done.

    Raises:
        ProvenanceFailed: the file has none, or the copy cannot be written.
    """
    need_libraries()
    from provenance.keys import KeyUnusable, read_anchors, write_secret  # noqa: PLC0415 - it may be missing

    target = KeyFiles.of(settings).anchors / f"{file.stem}.pem"
    try:
        write_secret(target, read_anchors(file).encode())
    except (KeyUnusable, OSError) as error:
        raise ProvenanceFailed(f"Nothing was changed: {error}") from error
    return f"{target}: who has a certificate that leads there is vouched for. Remove the file to end that."


async def opened(settings: Settings) -> Database | None:
    """The database as it is; None where there is none yet, or it is older than the register.

    Raises:
        ProvenanceFailed: it cannot be read.
    """
    if not settings.storage.database.exists():
        return None
    try:
        database = await Database.open_to_read(settings.storage.database)
    except DatabaseUnusable as error:
        raise ProvenanceFailed(str(error), EXIT_UNAVAILABLE) from error
    row = await database.fetch_one("SELECT 1 FROM sqlite_schema WHERE name = 'fingerprints'")
    if row is not None:
        return database
    await database.close()
    return None


async def _keys(settings: Settings) -> dict[str, RegisteredKey]:
    database = await opened(settings)
    if database is None:
        return {}
    try:
        return await RegisterRepository(database).keys()
    finally:
        await database.close()


def _note(settings: Settings, serial: str, old: str | None, reason: str | None) -> None:
    """Write the new key, and the fate of the old one, into the register.

    Raises:
        ProvenanceFailed: Easel runs, or the database cannot be written.
    """

    async def write() -> None:
        database = await Database.open(settings.storage.database)
        try:
            register, now = RegisterRepository(database), datetime.now(UTC)
            if old is not None:
                await register.retire_key(old, reason, now)
            await register.use_key(serial, now)
        finally:
            await database.close()

    try:
        asyncio.run(write())
    except DatabaseUnusable as error:
        raise ProvenanceFailed(f"Nothing was changed: {error}", EXIT_UNAVAILABLE) from error


def need_libraries() -> None:
    """Go on only with the libraries that sign and read.

    Raises:
        ProvenanceFailed: one is missing.
    """
    missing = missing_library()
    if missing:
        raise ProvenanceFailed(f"{missing} is not installed, for it has no package here.", EXIT_UNAVAILABLE)
