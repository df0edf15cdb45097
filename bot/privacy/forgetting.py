"""Forgets people: words, pictures and, if they wish, every id, while Easel runs or from the shell.

The order survives a crash anywhere. The wish is on disk before anything is done; one transaction does all that the
database holds and names the files that must go; a file's name goes after the file.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import structlog

from bot.store.images import ImageStore
from bot.store.privacy.forgetting import ForgettingRepository, Forgotten
from bot.store.privacy.wish_file import WishFile
from bot.store.rows.wishes import AskedBy, Scope, Wish

_log = structlog.get_logger(__name__)


class Forgetting:
    """Carries out wishes to be forgotten.

    Args:
        wishes: the file of wishes.
        repository: the database.
        folders: the stores of files by the names that the table `removals` uses.
        end_jobs: ends a person's open jobs in their messages; None where no bot runs.
    """

    def __init__(
        self,
        *,
        wishes: WishFile,
        repository: ForgettingRepository,
        folders: Mapping[str, ImageStore],
        end_jobs: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self._wishes = wishes
        self._repository = repository
        self._folders = folders
        self._end_jobs = end_jobs
        self._at_work = asyncio.Lock()
        self._seen: tuple[int, int] | None = None
        self._stuck: set[tuple[str, str]] = set()

    async def forget(self, user_id: int, scope: Scope, by: AskedBy) -> Forgotten:
        """Forget a person now. The wish is kept, so that a restored backup forgets again.

        Raises:
            OSError: the disk refused; what was not done is done later if the wish was written.
            sqlite3.Error: the database refused; the wish is carried out at the next try.
        """
        wish = await self._repository.wish(user_id, scope, by, datetime.now(UTC))
        await asyncio.to_thread(self._wishes.add, wish)
        forgotten = await self._carry_out(wish)
        await self.remove_files()
        await self._repository.empty_log()
        return forgotten

    async def catch_up(self, *, is_start: bool = False) -> int:
        """Carry out each wish that this database does not know, as after a crash or a restore; returns their number.

        At a start nobody runs a job yet, so the database alone ends them.

        Raises:
            OSError: the disk refused.
            sqlite3.Error: the database refused.
        """
        stamp = self._wishes.stamp()
        if stamp == self._seen:
            return 0
        known = await self._repository.carried_out()
        missing = [wish for wish in await asyncio.to_thread(self._wishes.wishes) if wish.wish not in known]
        await self._all(missing, is_start=is_start)
        self._seen = stamp
        return len(missing)

    async def again(self) -> int:
        """Carry out each wish once more, whatever the database knows; returns their number.

        Raises:
            OSError: the disk refused.
            sqlite3.Error: the database refused.
        """
        wishes = await asyncio.to_thread(self._wishes.wishes)
        await self._all(wishes, is_start=True)
        return len(wishes)

    async def sweep(self, now: datetime) -> None:
        """Replace ids that waited, remove files that an earlier try left, and drop old wishes.

        Raises:
            OSError: the disk refused.
            sqlite3.Error: the database refused.
        """
        await self._repository.finish(now)
        await self.remove_files()
        await self._repository.empty_log()
        await asyncio.to_thread(self._wishes.drop_old, now)

    async def remove_new_files(self) -> None:
        """Remove the files that must go, but for those that could not be removed before.

        Raises:
            sqlite3.Error: the database refused.
        """
        if await self._repository.has_removals():
            await self.remove_files(but=frozenset(self._stuck))

    async def remove_files(self, but: frozenset[tuple[str, str]] = frozenset()) -> None:
        """Remove the files that must go. One that cannot be removed stays noted and is tried again.

        Args:
            but: folders and hashes of files that are left for later.

        Raises:
            sqlite3.Error: the database refused.
        """
        for folder, sha256 in await self._repository.removals():
            if (folder, sha256) in but:
                continue
            try:
                await self._folders[folder].remove(sha256)
            except OSError as error:
                self._stuck.add((folder, sha256))
                _log.error("file not removed", action="not_removed", folder=folder, error=repr(error))
            else:
                self._stuck.discard((folder, sha256))
                await self._repository.removed(folder, sha256)

    async def _all(self, wishes: list[Wish], *, is_start: bool) -> None:
        for wish in wishes:
            await self._carry_out(wish, is_start=is_start)
        if wishes:
            await self.remove_files()
            await self._repository.empty_log()

    async def _carry_out(self, wish: Wish, *, is_start: bool = False) -> Forgotten:
        async with self._at_work:
            if self._end_jobs is not None and not is_start:
                await self._end_jobs(wish.user_id)
            forgotten = await self._repository.carry_out(wish, datetime.now(UTC))
        _log.info("a person was forgotten", action="forgotten", scope=wish.scope, by=wish.by, jobs=forgotten.jobs)
        return forgotten
