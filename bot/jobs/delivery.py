"""From finished images to a message that shows them, and the price that is settled with it.

The images are on disk and in the database before Discord hears of them, so a crash in between costs nothing:
the next start delivers them again, by the same edit.
"""

import aiohttp
import discord
import structlog

from bot.errors import new_error_id
from bot.jobs.accepting import Accepting
from bot.jobs.conversation import JobMessage
from bot.jobs.discord_calls import MessageLost
from bot.presenting import job_message
from bot.presenting.job_message import Allowance, ShownImage, image_file_name
from bot.store.images import ImageStore
from bot.store.jobs import JobRepository
from bot.store.rows import Job, JobStatus, NewResult, Result
from config.catalogue import Catalogue
from pipeline.protocol.messages import Finished


class Delivery:
    """Ends jobs: with their pictures, or with a sentence and a refund."""

    def __init__(self, *, jobs: JobRepository, images: ImageStore, catalogue: Catalogue, accepting: Accepting) -> None:
        self._jobs = jobs
        self._images = images
        self._catalogue = catalogue
        self._accepting = accepting
        self._log = structlog.get_logger(__name__)

    async def keep(self, job: Job, finished: Finished) -> Job:
        """Write the images and what is known about them.

        Raises:
            StorageFailed: the disk would not take them.
        """
        results = [
            NewResult(
                sha256=await self._images.save(image.data),
                media_type=image.media_type,
                width=image.width,
                height=image.height,
                size_bytes=len(image.data),
                seed=image.seed,
            )
            for image in finished.images
        ]
        return await self._jobs.store_results(
            job.job_id,
            results=results,
            notices=(*job.notices, *finished.notices),
            denoise_s=finished.denoise_s,
            total_s=finished.total_s,
        )

    async def deliver(self, job: Job, message: JobMessage) -> None:
        """Show kept images and settle; where Discord refuses them for good, refund."""
        results = await self._jobs.results(job.job_id)
        try:
            files = [(_name(job, result), await self._images.read(result.sha256)) for result in results]
            await message.finish(await self._done(job, results), files)
        except (
            MessageLost,
            discord.HTTPException,
            aiohttp.ClientError,
            ConnectionError,
            TimeoutError,
        ) as error:
            await self._end_undelivered(job, error)
            return
        await self._jobs.deliver(job.job_id, images_delivered=len(results))
        self._log.info("job delivered", action="delivered", edits=message.edits, **job.log_context())

    async def fail(self, job: Job, message: JobMessage, failure: str, detail: str) -> None:
        """Refund and say what happened."""
        error_id = new_error_id()
        ended = await self._jobs.end(job.job_id, status=JobStatus.FAILED, failure=failure, error_id=error_id)
        self._log.warning(
            "job failed",
            action="failed",
            failure=failure,
            error_id=error_id,
            detail=detail,
            **job.log_context(),
        )
        if ended is not None:
            await self.say(message, ended, job_message.failed(ended))

    async def cancel(self, job: Job, message: JobMessage) -> None:
        """Refund and say so."""
        ended = await self._jobs.end(job.job_id, status=JobStatus.CANCELLED, failure=None, error_id=None)
        if ended is not None:
            self._log.info("job cancelled", action="cancelled", **job.log_context())
            await self.say(message, ended, job_message.cancelled(ended))

    async def say(self, message: JobMessage, job: Job, view: discord.ui.LayoutView) -> None:
        """The last word of an attempt without pictures; where nobody can hear it, the log keeps it."""
        try:
            await message.finish(view, [])
        except (
            MessageLost,
            discord.HTTPException,
            aiohttp.ClientError,
            ConnectionError,
            TimeoutError,
        ) as error:
            self._log.warning("last word lost", action="unsaid", error=repr(error), **job.log_context())

    async def _done(self, job: Job, results: list[Result]) -> discord.ui.LayoutView:
        state = await self._accepting.quota_state(job.guild_id, job.requester_id)
        return job_message.done(
            job,
            images=tuple(
                ShownImage(file_name=_name(job, result), width=result.width, height=result.height) for result in results
            ),
            spec=self._catalogue.models.get(job.request.model_key),
            allowance=Allowance(left=state.left),
        )

    async def _end_undelivered(self, job: Job, error: Exception) -> None:
        error_id = new_error_id()
        await self._jobs.end(job.job_id, status=JobStatus.FAILED, failure="delivery", error_id=error_id)
        self._log.warning(
            "job undelivered", action="undelivered", error_id=error_id, error=repr(error), **job.log_context()
        )


def _name(job: Job, result: Result) -> str:
    return image_file_name(job.job_id, result.image_index, result.media_type.removeprefix("image/"))
