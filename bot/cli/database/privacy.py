"""`easel db forget` and `easel db export`: the data of one person, from the shell."""

import sqlite3
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from bot.cli.database.care import CareFailed, refuse_existing
from bot.privacy.exporting import Exporting, write_entry
from bot.privacy.forgetting import Forgetting
from bot.store.images import ImageStore
from bot.store.privacy.forgetting import ForgettingRepository, Forgotten
from bot.store.privacy.own_data import OwnDataRepository
from bot.store.privacy.wish_file import WishFile
from bot.store.rows.wishes import AskedBy, Scope, Wish
from bot.store.sqlite.copying import NotCopied, published
from bot.store.sqlite.database import Database, DatabaseUnusable, is_in_use
from bot.store.sqlite.migrating import newest_version
from config.settings import Settings


async def forget(settings: Settings, user_id: int | None, *, is_everything: bool = False) -> str:
    """Forget a person, or again all that were forgotten; returns a sentence about it.

    A running Easel gets the wish, and carries it out within seconds.

    Args:
        settings: the settings, which name the database and the folders.
        user_id: the person; None for all of `forgotten.jsonl`.
        is_everything: whether ids become pseudonyms too.

    Raises:
        CareFailed: the database or a file cannot be written, or Easel runs and all were meant.
    """
    wishes = WishFile(settings.storage.database)
    scope = Scope.EVERYTHING if is_everything else Scope.WORDS
    is_running = is_in_use(settings.storage.database)
    try:
        if is_running and user_id is not None:
            wishes.add(Wish.new(user_id, scope, AskedBy.OWNER, datetime.now(UTC)))
            return f"Easel runs, and was told to forget {user_id}; it does so within a minute."
        if not settings.storage.database.exists():
            raise CareFailed(f"There is no database {settings.storage.database}, so nobody is known.")
        database = await Database.open(settings.storage.database)
        try:
            forgetting = _forgetting(settings, database, wishes)
            if user_id is None:
                return f"{await forgetting.again()} wish(es) of forgotten.jsonl were carried out again."
            return _sentence(user_id, scope, await forgetting.forget(user_id, scope, AskedBy.OWNER))
        finally:
            await database.close()
    except (OSError, sqlite3.Error, DatabaseUnusable) as error:
        raise CareFailed(
            f"Not everything was deleted: {error} Run the command again, or start Easel, which goes on with it."
        ) from error


async def export(settings: Settings, user_id: int, target: Path) -> int:
    """Write all that is kept about a person into one ZIP archive; returns the number of files. Easel may run.

    Raises:
        CareFailed: there is no database, or the archive exists or cannot be written.
    """
    refuse_existing(target)
    try:
        database = await Database.open_to_read(settings.storage.database)
        try:
            if await database.version() != newest_version():
                raise CareFailed("The database is of an earlier Easel; start this one once, then export.")
            with published(target) as partial:
                return await _write(settings, database, user_id, partial)
        finally:
            await database.close()
    except (OSError, sqlite3.Error, DatabaseUnusable, NotCopied) as error:
        raise CareFailed(f"Nothing was exported: {error}") from error


async def _write(settings: Settings, database: Database, user_id: int, path: Path) -> int:
    images, inputs = ImageStore(settings.storage.images), ImageStore(settings.storage.inputs)
    exporting = Exporting(data=OwnDataRepository(database), images=images, inputs=inputs)
    count = 0
    with zipfile.ZipFile(path, "w") as archive:
        async for entry in exporting.entries(user_id):
            write_entry(archive, entry)
            count += 1
    return count


def _forgetting(settings: Settings, database: Database, wishes: WishFile) -> Forgetting:
    images, inputs = ImageStore(settings.storage.images), ImageStore(settings.storage.inputs)
    repository = ForgettingRepository(database, settings.quotas.time_zone)
    return Forgetting(wishes=wishes, repository=repository, folders={"images": images, "inputs": inputs})


def _sentence(user_id: int, scope: Scope, forgotten: Forgotten) -> str:
    gone = "Words and pictures" if scope is Scope.WORDS else "Words, pictures and the id"
    return (
        f"{gone} of {user_id} are deleted, in {forgotten.jobs} job(s); {len(forgotten.cancelled)} open job(s) were "
        "cancelled and given back."
    )
