"""Entries of a message's context menu: details of its picture, a job from it, the picture in larger, and a report."""

import discord
from discord import app_commands, ui

from bot.calls.answers import Interaction
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions import reporting, start_jobs
from bot.interactions.explain import explain
from bot.interactions.find_job import check_not_held, check_not_removed
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.interactions.start_upscale import upscale_attached, upscale_drawn
from bot.interactions.verifying import where_from
from bot.jobs.kinds import kind_of
from bot.presenting.custom_ids import reference_id
from bot.presenting.images import details_message
from bot.presenting.images.reference_form import reference_form
from bot.presenting.images.remix_form import remix_form
from bot.presenting.origin_message import unknown_origin
from bot.presenting.refusal import sentence_of
from bot.presenting.report_form import report_form
from bot.presenting.summaries import use_choices
from bot.provenance.key import missing_library
from bot.store.rows.jobs import Job


def make_menus(services: Services) -> list[app_commands.ContextMenu]:
    """The context menu entries."""

    async def details(interaction: Interaction, message: discord.Message) -> None:
        job = await _job_of(services, interaction, message)
        if job is not None:
            await explain(services, interaction, job)
            return
        picture = _pictures_of(message)[0]
        await services.calls.defer(interaction, is_private=True)
        view = details_message.foreign(await _parameters(services, picture))
        if not missing_library():
            view.add_item(await _where_from(services, interaction, picture))
        await answer_privately(interaction, view=view)

    async def reference(interaction: Interaction, message: discord.Message) -> None:
        job = await _job_of(services, interaction, message)
        if job is None or not kind_of(job.request).is_drawn:
            await _open_reference(services, interaction, message)
            return
        spec = services.catalogue.models.get(job.request.model_key)
        if spec is None:
            raise Refused("refused-model-unavailable", model=job.request.model_key)
        await services.calls.open_form(interaction, remix_form(job, spec, services.settings.limits))

    async def upscale(interaction: Interaction, message: discord.Message) -> None:
        job = await _job_of(services, interaction, message)
        if job is not None:
            await upscale_drawn(services, interaction, job, message)
            return
        pictures = _pictures_of(message)
        await upscale_attached(services, interaction, pictures[0], has_more=len(pictures) > 1)

    menus = [
        app_commands.ContextMenu(name=localized("menu-details"), callback=details),
        app_commands.ContextMenu(name=localized("menu-reference"), callback=reference),
    ]
    if services.catalogue.upscalers:
        menus.append(app_commands.ContextMenu(name=localized("menu-upscale"), callback=upscale))
    return [*menus, _make_report(services)]


def _make_report(services: Services) -> app_commands.ContextMenu:
    async def report(interaction: Interaction, message: discord.Message) -> None:
        job = await reporting.job_to_report(services, interaction, await _job_of(services, interaction, message))
        await services.calls.open_form(interaction, report_form(job.job_id))

    return app_commands.ContextMenu(name=localized("menu-report"), callback=report)


async def _open_reference(services: Services, interaction: Interaction, message: discord.Message) -> None:
    """Open the form for a job that starts from the first picture of a message, and begin to fetch the picture."""
    pictures = _pictures_of(message)
    spec = await start_jobs.model_for_picture(services, interaction)
    key = services.picking.pick(pictures[0], has_more=len(pictures) > 1)
    await services.calls.open_form(
        interaction,
        reference_form(reference_id(key), spec, use_choices(spec, services.catalogue), services.settings.limits),
    )


async def _parameters(services: Services, picture: discord.Attachment) -> str | None:
    """The generation parameters in a file; None if it has none.

    Raises:
        Refused: the file is too large or no picture.
        CallFailed: the file could not be fetched.
    """
    try:
        return await services.receiving.parameters(picture)
    except Refused as error:
        if error.key != "refused-no-parameters":
            raise
        return None


async def _where_from(
    services: Services, interaction: Interaction, picture: discord.Attachment
) -> ui.Container[ui.LayoutView]:
    """Where a file comes from, or why that is not told."""
    try:
        return await where_from(services, interaction, picture)
    except Refused as error:
        return unknown_origin(sentence_of(error))


async def _job_of(services: Services, interaction: Interaction, message: discord.Message) -> Job | None:
    """The job of a message; None if the message is not ours.

    Raises:
        Refused: its pictures were removed.
    """
    if interaction.client.user is None or message.author.id != interaction.client.user.id:
        return None
    job = await services.jobs.shown_in(message.id)
    if job is not None:
        check_not_removed(job)
        check_not_held(job)
    return job


def _pictures_of(message: discord.Message) -> list[discord.Attachment]:
    """The pictures of a message, at least one.

    Raises:
        Refused: there is none.
    """
    pictures = [found for found in message.attachments if (found.content_type or "").startswith("image/")]
    if not pictures:
        raise Refused("refused-no-picture")
    return pictures
