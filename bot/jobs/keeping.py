"""What becomes of pictures after their delivery: read again, kept for ever, or removed."""

from datetime import UTC, datetime

from bot.store.images import ImageStore
from bot.store.rows import Job
from bot.store.stars import StarRepository


class Keeping:
    """The files of finished pictures, and who wants to keep them."""

    def __init__(self, *, images: ImageStore, stars: StarRepository) -> None:
        self._images = images
        self._stars = stars

    async def read(self, sha256: str) -> bytes:
        """A file as it was drawn.

        Raises:
            StorageFailed: it is not kept any more.
        """
        return await self._images.read(sha256)

    async def toggle_star(self, job: Job, user_id: int) -> bool:
        """Keep a job's pictures for ever, or as long as all others; whether they are kept now."""
        return await self._stars.toggle(job.job_id, user_id, datetime.now(UTC))

    async def remove(self, job: Job) -> None:
        """Remove the files of a job that was deleted, but for those that somebody keeps."""
        for sha256 in await self._stars.own(job.job_id):
            await self._images.remove(sha256)

    async def remove_older_than(self, days: int) -> int:
        """Remove files that were last saved more than so many days ago and that nobody keeps; returns how many."""
        return await self._images.remove_older_than(days, datetime.now(UTC), keep=await self._stars.kept())
