"""Four bugs that this harness must find, or it proves nothing. Each is planted into the real class concerned."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final

import discord
import pytest
from discord import ui

from bot.calls.messages import Calls
from bot.jobs.delivering.conversation import Files, JobMessage
from bot.jobs.delivering.delivery import Delivery
from bot.jobs.dispatcher import Dispatcher
from bot.store.jobs import JobRepository
from bot.store.queue import Place, QueueRepository
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus


def post_anew(patch: pytest.MonkeyPatch) -> None:
    """Deliver by a new message, each time, without a nonce of its own and without looking for the last one."""
    finish = JobMessage.finish

    async def post(self: JobMessage, view: ui.LayoutView, files: Files | None = None) -> int | None:
        if not files:
            return await finish(self, view, files)
        await self.close()
        uploads = [discord.File(BytesIO(data), filename=name) for name, data in files]
        channel = self._calls._client.get_partial_messageable(self._job.channel_id)
        return (await channel.send(view=view, files=uploads)).id

    async def find_nothing(_self: Calls, _job: Job) -> None:
        return None

    patch.setattr(JobMessage, "finish", post)
    patch.setattr(Calls, "find_delivered", find_nothing)


def capture_first(patch: pytest.MonkeyPatch) -> None:
    """Charge, then deliver."""
    deliver = Delivery.deliver

    async def charge(self: Delivery, job: Job, *values: Any, **named: Any) -> None:
        await self._jobs.deliver(job.job_id, outputs_delivered=job.request.output_count)
        await deliver(self, job, *values, **named)

    patch.setattr(Delivery, "deliver", charge)


def queue_in_memory(patch: pytest.MonkeyPatch) -> None:
    """Start only what came in since the bot did: rows of an earlier life are never loaded."""
    accept, claim_next = JobRepository.accept, QueueRepository.claim_next
    known: list[int] = []

    async def remember(self: JobRepository, *values: Any, **named: Any) -> tuple[Job, Place]:
        job, place = await accept(self, *values, **named)
        known.append(job.job_id)
        return job, place

    async def claim_known(self: QueueRepository, *values: Any, **named: Any) -> Job | None:
        return await claim_next(self, *values, **named) if known else None

    patch.setattr(JobRepository, "accept", remember)
    patch.setattr(QueueRepository, "claim_next", claim_known)


def void_blindly(patch: pytest.MonkeyPatch) -> None:
    """At every start, take a job that was not seen to be acknowledged for one that was not."""
    recover = Dispatcher.recover

    async def void(self: Dispatcher) -> None:
        unseen = "SELECT job_id FROM jobs WHERE status = 'queued' AND message_id IS NULL"
        for row in await self._jobs._database.fetch_all(unseen):
            await self._jobs.end(row["job_id"], status=JobStatus.FAILED, failure=JobFailure.DELIVERY, error_id=None)
        await recover(self)

    patch.setattr(Dispatcher, "recover", void)


BUGS: Final[Mapping[str, Callable[[pytest.MonkeyPatch], None]]] = {
    bug.__name__: bug for bug in (post_anew, capture_first, queue_in_memory, void_blindly)
}
