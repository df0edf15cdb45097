"""Delivered pictures, and those that their jobs were given: read them again, keep them for ever, or remove them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from bot.pictures.inputs import InputPictures
from bot.store.images import ImageStore
from bot.store.rows.jobs import Job
from bot.store.stars import StarRepository

_UNNAMED_DAYS: Final = 30
"""Days that a finished picture stays without a job: a crash came before its row, or an older database was restored."""


class Keeping:
    """The files of finished pictures and of inputs, and the stars of members who keep them."""

    def __init__(self, *, images: ImageStore, inputs: InputPictures, stars: StarRepository) -> None:
        self._images = images
        self._inputs = inputs
        self._stars = stars

    async def gave_input(self, user_id: int, sha256: str) -> bool:
        """Whether a member gave this picture to a job themselves."""
        return await self._inputs.gave(user_id, sha256)

    async def read_input(self, sha256: str) -> bytes:
        """The bytes of a picture that a job was given.

        Raises:
            StorageFailed: the file is missing or not readable.
        """
        return await self._inputs.read(sha256)

    async def read(self, sha256: str) -> bytes:
        """The bytes of an original file.

        Raises:
            StorageFailed: the file is no longer kept.
        """
        return await self._images.read(sha256)

    async def toggle_star(self, job: Job, user_id: int) -> bool:
        """Star or unstar a job's pictures for a member; returns whether they are kept for ever now."""
        return await self._stars.toggle(job.job_id, user_id, datetime.now(UTC))

    async def has_star(self, job: Job, user_id: int) -> bool:
        """Whether a member starred a job's pictures."""
        return await self._stars.has(job.job_id, user_id)

    async def remove(self, job: Job) -> None:
        """Remove the files of a deleted job, except those that somebody keeps."""
        await self.remove_outputs(job)
        await self.let_go(job)

    async def let_go(self, job: Job) -> None:
        """Remove the files that a job was given, except those that another job names."""
        await self._inputs.release(job.job_id)

    async def remove_outputs(self, job: Job) -> None:
        """Remove the files of a job's outputs, except those that somebody keeps."""
        for sha256 in await self._stars.own(job.job_id):
            await self._images.remove(sha256)

    async def erase(self, job: Job, copies: Iterable[str]) -> None:
        """Remove the files of a job that moderators removed, whoever keeps them.

        Args:
            job: the job.
            copies: hashes of its outputs as pictures that other jobs were given.
        """
        for sha256 in await self._stars.all_of(job.job_id):
            await self._images.remove(sha256)
        await self._inputs.remove(copies)
        await self.let_go(job)

    async def remove_old(self, keep_days: int) -> int:
        """Remove files without a star that are older than `keep_days` days, and files without a job.

        A crash may have left files of a job that moderators removed. They go too.

        Returns the number of removed files. With `keep_days` 0, only files without a job are removed.
        """
        now = datetime.now(UTC)
        for sha256 in await self._stars.removed():
            await self._images.remove(sha256)
        count = await self._inputs.remove_unneeded(keep_days)
        count += await self._images.remove_older_than(_UNNAMED_DAYS, now, keep=await self._stars.named())
        if keep_days:
            count += await self._images.remove_older_than(keep_days, now, keep=await self._stars.kept())
        return count

    async def remove_beyond(self, most_bytes: int) -> int:
        """Remove the oldest finished pictures without a star until all of them take at most `most_bytes`.

        Returns the number of removed files. With `most_bytes` 0, nothing is removed.
        """
        if not most_bytes:
            return 0
        return await self._images.remove_beyond(most_bytes, keep=await self._stars.kept())
