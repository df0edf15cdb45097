"""Forgets a person and dies at a step: `python -m tests.bot.privacy.dying FOLDER USER STEP`.

The steps are all writes to disk, in their order. It ends with 0 if there are fewer.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

from bot.privacy.forgetting import Forgetting
from bot.store.images import ImageStore
from bot.store.privacy.forgetting import ForgettingRepository
from bot.store.privacy.wish_file import WishFile
from bot.store.rows.wishes import AskedBy, Scope
from bot.store.sqlite.database import Database

KILLED: Final = 9
STEPS: Final = (
    (WishFile, "add"),
    (Database, "write"),
    (Database, "read"),
    (ImageStore, "remove"),
)


def forgetting_in(folder: Path, database: Database) -> Forgetting:
    """The service, on the files of a folder."""
    return Forgetting(
        wishes=WishFile(folder / "easel.db"),
        repository=ForgettingRepository(database, "UTC"),
        folders={name: ImageStore(folder / name) for name in ("images", "inputs")},
    )


def _count(kind: type, name: str, step: Callable[[], None]) -> None:
    whole = getattr(kind, name)

    @wraps(whole)
    def counted(*args: Any, **kwargs: Any) -> Any:
        step()
        return whole(*args, **kwargs)

    setattr(kind, name, counted)


async def _main(folder: Path, user: int, last: int) -> None:
    database = await Database.open(folder / "easel.db")
    left = last

    def step() -> None:
        nonlocal left
        if left == 0:
            os._exit(KILLED)
        left -= 1

    for kind, name in STEPS:
        _count(kind, name, step)
    await forgetting_in(folder, database).forget(user, Scope.EVERYTHING, AskedBy.OWNER)
    await database.close()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
