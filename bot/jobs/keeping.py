"""Delivered pictures: read them again, keep them for ever, or remove them."""

from datetime import UTC, datetime

from bot.store.images import ImageStore
from bot.store.rows import Job
from bot.store.stars import StarRepository


class Keeping:
    """The files of finished pictures, and the stars of members who keep them."""

    def __init__(self, *, images: ImageStore, stars: StarRepository) -> None:
        self._images = images
        self._stars = stars

    async def read(self, sha256: str) -> bytes:
        """The bytes of an original file.

        Raises:
            StorageFailed: the file is no longer kept.
        """
        return await self._images.read(sha256)

    async def toggle_star(self, job: Job, user_id: int) -> bool:
        """Star or unstar a job's pictures for a member; returns whether they are kept for ever now."""
        return await self._stars.toggle(job.job_id, user_id, datetime.now(UTC))

    async def remove(self, job: Job) -> None:
        """Remove the files of a deleted job, except those that somebody keeps."""
        for sha256 in await self._stars.own(job.job_id):
            await self._images.remove(sha256)

    async def remove_older_than(self, days: int) -> int:
        """Remove files that were last saved more than `days` days ago and have no star; returns their number."""
        return await self._images.remove_older_than(days, datetime.now(UTC), keep=await self._stars.kept())
