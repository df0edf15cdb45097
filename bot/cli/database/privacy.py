"""`easel db forget`: a person is forgotten from the shell."""

import sqlite3
from datetime import UTC, datetime

from bot.cli.database.care import CareFailed
from bot.privacy.forgetting import Forgetting
from bot.store.images import ImageStore
from bot.store.privacy.forgetting import ForgettingRepository, Forgotten
from bot.store.privacy.wish_file import WishFile
from bot.store.rows.wishes import AskedBy, Scope, Wish
from bot.store.sqlite.database import Database, DatabaseUnusable, is_in_use
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
