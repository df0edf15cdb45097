"""A member's finished pictures, shown to them alone: pages, and the message of one job with all of its buttons."""

import asyncio
import contextlib
from collections.abc import Sequence

from discord import ui

from bot.calls.answers import Interaction
from bot.calls.channels import is_age_restricted
from bot.calls.repeating import Files
from bot.errors import Refused
from bot.interactions.find_job import check_not_held, check_not_removed, is_kept_by
from bot.interactions.services import Services
from bot.jobs.delivering.fitting import fit
from bot.jobs.kinds import kind_of
from bot.presenting.custom_ids import Action
from bot.presenting.history.message import Frame, Shown, is_drawn_and_small, page
from bot.presenting.jobs.job_message import Allowance
from bot.presenting.jobs.output_files import ShownOutput, output_file_name
from bot.privacy.history import Page
from bot.provenance.signing import SigningFailed
from bot.store.images import StorageFailed, extension_of
from bot.store.rows.history import Past, Sought, mark_of
from bot.store.rows.jobs import Job, JobStatus
from bot.store.rows.outputs import Output
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.wire.outputs import Rating


def is_among_adults(interaction: Interaction) -> bool:
    """Whether a member may see here what they asked for among adults: in such a channel, or outside servers."""
    return interaction.guild_id is None or is_age_restricted(interaction.channel)


async def page_of(
    services: Services, interaction: Interaction, sought: Sought, found: Page
) -> tuple[ui.LayoutView, Files]:
    """The layout of a page, and its files.

    Raises:
        Refused: a picture must be signed anew, and cannot be.
    """
    pictures = [(past.job, past.output) for past in found.pictures]
    files = await _files(services, pictures, interaction.filesize_limit)
    shown = [
        Shown(
            past=past,
            file_name=files[number][0],
            model_title=_title(services, past.job.request.model_key),
            actions=_actions(services, past),
        )
        for number, past in enumerate(found.pictures)
        if number in files
    ]
    frame = Frame(
        sought=sought,
        model_title=await _sought_title(services, sought),
        has_newer=found.has_newer,
        has_older=found.has_older,
        hides_some=await services.history.hides_some(sought),
    )
    return page(shown, frame), [*files.values()]


async def message_of(services: Services, interaction: Interaction, job_id: int) -> tuple[ui.LayoutView, Files]:
    """The message of a job as it was, for its member or one who starred it, and its files.

    Raises:
        Refused: it is neither theirs nor starred, nothing of it is kept, or it may not be shown here.
    """
    job = await services.jobs.get(job_id)
    if job is None or job.status is not JobStatus.SUCCEEDED or not await is_kept_by(services, job, interaction.user.id):
        raise Refused("refused-unknown-job")
    check_not_removed(job)
    check_not_held(job)
    if job.origin.is_age_restricted and not is_among_adults(interaction):
        raise Refused("refused-history-adults")
    return await whole_of(services, interaction, job)


async def whole_of(services: Services, interaction: Interaction, job: Job) -> tuple[ui.LayoutView, Files]:
    """The message of a finished job, with all of its pictures that are kept.

    Raises:
        Refused: none is kept, or one must be signed anew and cannot be.
    """
    outputs = await services.jobs.outputs(job.job_id)
    files = await _files(services, [(job, output) for output in outputs], interaction.filesize_limit)
    if not files:
        raise Refused("refused-image-gone")
    shown = tuple(
        ShownOutput(
            index=output.output_index,
            file_name=files[number][0],
            data=files[number][1],
            sides=output.sides,
            is_veiled=output.rating is not Rating.HARMLESS,
        )
        for number, output in enumerate(outputs)
        if number in files
    )
    spec = services.catalogue.entries.get(job.request.model_key)
    view = kind_of(job.request).done(job, outputs=shown, spec=spec, allowance=Allowance(left=None))
    return view, [*files.values()]


async def _files(
    services: Services, pictures: Sequence[tuple[Job, Output]], limit: int
) -> dict[int, tuple[str, bytes]]:
    """Files of pictures as Discord takes them, by their numbers in the list, without those that went meanwhile.

    Raises:
        Refused: one must be signed anew, and cannot be.
    """
    originals: dict[int, tuple[str, bytes]] = {}
    for number, (job, output) in enumerate(pictures):
        name = output_file_name(job, output.output_index, extension_of(output.media_type))
        with contextlib.suppress(StorageFailed):
            originals[number] = name, await services.keeping.read(output.sha256)
    fitted = await asyncio.to_thread(fit, [*originals.values()], limit, services.signing.reserve_bytes)
    files: dict[int, tuple[str, bytes]] = {}
    for (number, original), smaller in zip(originals.items(), fitted, strict=True):
        job, output = pictures[number]
        try:
            (files[number],) = await services.signing.copies(job, [output.output_index], [original], [smaller])
        except SigningFailed as error:
            raise Refused("refused-unsigned") from error
    return files


def _title(services: Services, model_key: str) -> str:
    """A model's title, or its key if the owner no longer offers it."""
    entry = services.catalogue.entries.get(model_key)
    return model_key if entry is None else entry.title


async def _sought_title(services: Services, sought: Sought) -> str:
    """The title of the model that a search is about; empty for any model."""
    if not sought.model_mark:
        return ""
    keys = [*services.catalogue.entries, *await services.history.models(sought.user_id)]
    return next((_title(services, key) for key in keys if mark_of(key) == sought.model_mark), "?")


def _actions(services: Services, past: Past) -> frozenset[Action]:
    """What a page offers for a picture. The picture's own message, which a button opens, offers the rest."""
    spec = services.catalogue.models.get(past.job.request.model_key)
    found = {Action.STAR}
    if spec is not None and is_drawn_and_small(past):
        found.add(Action.UPSCALE)
    if spec is not None and spec.can(Capability.VARIATIONS):
        found.add(Action.VARY_STRONG)
    return frozenset(found)
