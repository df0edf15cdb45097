"""Buttons of delivered pictures: keep them, send them, and show their details."""

import asyncio

from bot.calls.answers import Interaction
from bot.calls.errors import CallRefused, NotPermitted
from bot.calls.repeating import Files, as_files
from bot.errors import Refused
from bot.interactions.explain import explain
from bot.interactions.find_job import check_not_held, check_not_removed, find_job
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.interactions.start_job import server_of
from bot.jobs.delivering.fitting import DIRECT_MESSAGE_LIMIT, fit, in_messages
from bot.jobs.delivering.veiling import veiled, with_reason
from bot.presenting.custom_ids import Press
from bot.presenting.jobs.output_files import output_file_name
from bot.presenting.links import job_link
from bot.presenting.texts import text
from bot.provenance.signing import SigningFailed
from bot.store.images import StorageFailed, extension_of
from bot.store.rows.jobs import Job
from bot.store.rows.outputs import Output


async def star(services: Services, interaction: Interaction, press: Press) -> None:
    """Keep the pictures for ever; a second press ends that."""
    job = await find_job(services, interaction, press)
    if not await services.jobs.outputs(job.job_id):
        raise Refused("refused-no-pictures")
    is_kept = await services.keeping.toggle_star(job, interaction.user.id)
    key = "star-set" if is_kept else "star-taken"
    await answer_privately(interaction, text(key, job=job_link(job)))
    await services.showcase.note_star(job)


async def copy(services: Services, interaction: Interaction, press: Press) -> None:
    """Send the original files in a direct message."""
    job = await find_job(services, interaction, press)
    outputs, originals = await _files(services, job)
    await services.calls.defer(interaction, is_private=True)
    reserve_bytes = services.signing.reserve_bytes
    messages = await asyncio.to_thread(in_messages, originals, DIRECT_MESSAGE_LIMIT, reserve_bytes)
    fitted = [file for files in messages for file in files]
    is_untouched = fitted == originals
    files_left = iter(veiled(outputs, await _signed(services, job, outputs, originals, fitted)))
    key = "copy-sent" if is_untouched else "copy-sent-smaller"
    sentence: str | None = with_reason(text(key, job=job_link(job)), outputs)
    try:
        for files in messages:
            signed = [next(files_left) for _ in files]
            await services.calls.send_direct_message(interaction.user, sentence, signed)
            sentence = None
    except (NotPermitted, CallRefused) as error:
        raise Refused("refused-no-direct-message") from error
    await answer_privately(interaction, text("copy-done"))


async def collect(services: Services, interaction: Interaction, press: Press) -> None:
    """Show pictures to their requester that could not be shown before. They were not charged."""
    job = await services.jobs.get(press.job_id)
    if job is None or (job.guild_id, job.requester_id) != (server_of(interaction), interaction.user.id):
        raise Refused("refused-unknown-job")
    check_not_removed(job)
    check_not_held(job)
    await services.calls.defer(interaction, is_private=True)
    outputs, originals = await _files(services, job)
    fitted = await asyncio.to_thread(fit, originals, interaction.filesize_limit, services.signing.reserve_bytes)
    files = await _signed(services, job, outputs, originals, fitted)
    sentence = with_reason(text("copy-sent", job=job_link(job)), outputs)
    await answer_privately(interaction, sentence, files=as_files(veiled(outputs, files)))


async def details(services: Services, interaction: Interaction, press: Press) -> None:
    """Show all values that repeat the pictures."""
    job = await find_job(services, interaction, press)
    await explain(services, interaction, job)


async def _signed(
    services: Services, job: Job, outputs: list[Output], originals: Files, fitted: Files
) -> list[tuple[str, bytes]]:
    """The files; those that were made smaller are signed again.

    Raises:
        Refused: they must be signed, and cannot be.
    """
    try:
        return await services.signing.copies(job, [each.output_index for each in outputs], originals, fitted)
    except SigningFailed as error:
        raise Refused("refused-unsigned") from error


async def _files(services: Services, job: Job) -> tuple[list[Output], list[tuple[str, bytes]]]:
    """The job's outputs and their original files.

    Raises:
        Refused: the job has no pictures, or a file is gone.
    """
    outputs = await services.jobs.outputs(job.job_id)
    if not outputs:
        raise Refused("refused-no-pictures")
    try:
        return outputs, [
            (
                output_file_name(job, output.output_index, extension_of(output.media_type)),
                await services.keeping.read(output.sha256),
            )
            for output in outputs
        ]
    except StorageFailed as error:
        raise Refused("refused-image-gone") from error
