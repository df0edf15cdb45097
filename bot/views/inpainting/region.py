"""`🖌️`: a part of a picture is marked, shown in private with its price, made larger or smaller, and then drawn anew."""

from collections.abc import Callable

import msgspec

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.find_job import find_job
from bot.interactions.services import Services
from bot.interactions.start_job import asker_of
from bot.interactions.start_jobs import ask_about_part
from bot.presenting.custom_ids import Press
from bot.presenting.images import region_form, region_message
from bot.presenting.images.reference_form import COPY
from bot.presenting.images.remix_form import PROMPT
from bot.requests.derived import inpainting
from bot.requests.options.takes import GivenPicture
from bot.requests.uses import STRENGTHS
from bot.store.expansions import Expansion
from bot.store.rows.jobs import WantedJob
from bot.store.rows.origin import StartedBy
from bot.views.expanding import find_open
from bot.views.fields import Fields
from bot.views.inpainting.finding import can_find_parts, find_part
from bot.views.inpainting.redrawing import adopt, masking_model_of, redrawn
from bot.views.starting import lineage_of
from pipeline.protocol.inputs import Inpaint
from pipeline.protocol.limits import GRID_CELLS
from pipeline.protocol.requests import GenerationRequest, narrowed
from pipeline.protocol.wire.outputs import Notice


async def open_form(services: Services, interaction: Interaction, press: Press) -> None:
    """Show the form to the member who presses."""
    job = await find_job(services, interaction, press)
    masking_model_of(services, job)
    form = region_form.region_form(job, press.index or 0, has_words=can_find_parts(services))
    await services.calls.open_form(interaction, form)


async def answer(services: Services, interaction: Interaction, press: Press, fields: Fields) -> None:
    """Show the marked part in private, with its price. Nothing is charged before the next press."""
    job = await find_job(services, interaction, press)
    masking_model_of(services, job)
    cells = [int(cell) for cell in fields.values.get(region_form.WHERE, ()) if cell in map(str, range(GRID_CELLS))]
    copy, named = fields.file(COPY), fields.text(region_form.WORDS).strip()
    if not cells and not named and copy is None:
        raise Refused("refused-region-empty")
    await services.calls.defer(interaction, is_private=True)
    sha256 = await adopt(services, job, press.index or 0)
    mask = None
    if copy is not None:
        mask = await services.receiving.marks(copy, sha256)
    elif named:
        mask = await find_part(services, sha256, named)
    inpaint, masks = inpainting.part(cells, mask)
    resolved = await redrawn(
        services,
        interaction,
        job,
        prompt=fields.text(PROMPT),
        picture=GivenPicture(sha256=sha256, strength=STRENGTHS.get(fields.text(region_form.STRENGTH))),
        inpaint=inpaint,
        inputs=masks,
    )
    if unused := _unused(cells=bool(cells), named=bool(named), is_painted=copy is not None):
        resolved = [msgspec.structs.replace(each, notices=(*unused, *each.notices)) for each in resolved]
    lineage = lineage_of(job, press.index or 0)
    await ask_about_part(services, interaction, resolved, started_by=StartedBy.REGION, lineage=lineage)


def _unused(*, cells: bool, named: bool, is_painted: bool) -> tuple[Notice, ...]:
    """Notices about a part that was given in several ways: a painted copy comes first, then words."""
    keys = {"notice-words-unused": named and is_painted, "notice-cells-unused": cells and is_painted}
    keys["notice-cells-unnamed"] = cells and named and not is_painted
    return tuple(Notice(key=key) for key, is_true in keys.items() if is_true)


async def larger(services: Services, interaction: Interaction, press: Press) -> None:
    """Show the part again, wider on every side."""
    await _change(services, interaction, press, inpainting.larger)


async def smaller(services: Services, interaction: Interaction, press: Press) -> None:
    """Show the part again, narrower on every side."""
    await _change(services, interaction, press, inpainting.smaller)


async def invert(services: Services, interaction: Interaction, press: Press) -> None:
    """Show everything but the part as the part."""
    await _change(services, interaction, press, inpainting.inverted)


async def _change(
    services: Services, interaction: Interaction, press: Press, change: Callable[[Inpaint], Inpaint]
) -> None:
    expansion = await find_open(services, interaction, press)
    await services.calls.defer(interaction)
    changed = msgspec.structs.replace(expansion, jobs=_changed(expansion, change))
    # A part of which nothing is left is refused here, and the question stays as it is.
    look = await services.receiving.look(narrowed(changed.requests[0], GenerationRequest))
    outlook = await services.accepting.outlook(asker_of(interaction), changed.requests)
    if not await services.expansions.change(expansion.expansion_id, changed.jobs):
        raise Refused("refused-expansion-started")
    view = region_message.question(changed, outlook)
    await services.calls.edit_answer(interaction, view, [(region_message.LOOK_NAME, look)])


def _changed(expansion: Expansion, change: Callable[[Inpaint], Inpaint]) -> tuple[WantedJob, ...]:
    """The jobs of a question with another part.

    Raises:
        Refused: the question is about something else, so its id is forged.
    """
    jobs: list[WantedJob] = []
    for job in expansion.jobs:
        request = narrowed(job.request, GenerationRequest)
        if request.inpaint is None:
            raise Refused("refused-expansion-over")
        changed = msgspec.structs.replace(request, inpaint=change(request.inpaint))
        jobs.append(msgspec.structs.replace(job, request=changed))
    return tuple(jobs)
