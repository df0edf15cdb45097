"""`ℹ️` and *Easel: details*: the private answer with the facts of a job, and the pictures that it was given."""  # noqa: RUF002 - the sign for information

import asyncio

from bot.calls.answers import Interaction
from bot.calls.repeating import as_files
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.jobs.delivering.fitting import thumbnail
from bot.jobs.kinds import kind_of
from bot.presenting.details import GivenFile, add_given
from bot.store.images import StorageFailed
from bot.store.rows.jobs import Job
from pipeline.protocol.inputs import Input


async def explain(services: Services, interaction: Interaction, job: Job) -> None:
    """Show all values that repeat the job's outputs, and to their giver the given pictures small."""
    spec = services.catalogue.entries.get(job.request.model_key)
    view, files = kind_of(job.request).details(job, spec, await services.jobs.outputs(job.job_id))
    given = [
        await _given(services, interaction.user.id, each, f"given-{number}.webp")
        for number, each in enumerate(job.request.inputs, 1)
    ]
    add_given(view, given)
    shown = [(each.name, each.data) for each in given if each.data is not None]
    await answer_privately(interaction, view=view, files=as_files([*files, *shown]))


async def _given(services: Services, user_id: int, picture: Input, name: str) -> GivenFile:
    if not await services.keeping.gave_input(user_id, picture.sha256):
        return GivenFile(picture=picture, name=name, data=None, is_own=False)
    return GivenFile(picture=picture, name=name, data=await _small(services, picture.sha256))


async def _small(services: Services, sha256: str) -> bytes | None:
    """A given picture in small; None if it is not kept any more."""
    try:
        data = await services.keeping.read_input(sha256)
    except StorageFailed:
        return None
    return await asyncio.to_thread(thumbnail, data)
