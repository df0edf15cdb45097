"""`🔍` and `↔️`: what lies around a picture is drawn, on all sides or on one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.find_job import check_there, find_job, find_job_of_any
from bot.interactions.patience import in_time
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.interactions.start_job import ask, asker_of, origin_of
from bot.interactions.start_jobs import ask_each
from bot.presenting.custom_ids import Action, Press
from bot.presenting.images import region_form, region_message
from bot.presenting.images.remix_form import PROMPT
from bot.requests.derived import deriving, inpainting
from bot.requests.options.takes import GivenPicture
from bot.store.rows.jobs import Job, JobOrder
from bot.store.rows.origin import StartedBy
from bot.views.fields import Fields
from bot.views.inpainting.redrawing import adopt, masking_model_of, redrawn
from bot.views.starting import job_for, lineage_of
from pipeline.protocol.requests import GenerationRequest, narrowed

_SIDES: Final[Mapping[Action, str]] = MappingProxyType(
    {Action.PAN_LEFT: "left", Action.PAN_RIGHT: "right", Action.PAN_UP: "top", Action.PAN_DOWN: "bottom"}
)
"""The margins that the buttons of a pan name."""


async def open_zoom_form(services: Services, interaction: Interaction, press: Press) -> None:
    """Show a form with two factors, the price and the prompt.

    Raises:
        Refused: the member may not start such a job now.
    """
    job = await find_job(services, interaction, press)
    spec = masking_model_of(services, job)
    request = narrowed(job.request, GenerationRequest).single(press.index or 0)
    priced = inpainting.around(request, spec, services.settings.limits)
    outlook = await services.accepting.outlook(asker_of(interaction), [priced])
    form = region_form.zoom_form(job, press.index or 0, price=region_message.price_line(outlook))
    await services.calls.open_form(interaction, form)


async def answer_zoom(services: Services, interaction: Interaction, press: Press, fields: Fields) -> None:
    """Start the job of a zoom out."""
    job = await find_job(services, interaction, press)
    masking_model_of(services, job)
    factor = inpainting.ZOOMS.get(fields.text(region_form.ZOOM))
    if factor is None:
        raise Refused("refused-unknown-job")
    index = press.index or 0
    sha256 = await in_time(services, interaction, adopt(services, job, index))
    resolved = await redrawn(
        services,
        interaction,
        job,
        prompt=fields.text(PROMPT),
        picture=GivenPicture(sha256=sha256, strength=inpainting.OUTPAINT_STRENGTH),
        inpaint=inpainting.zoomed_out(factor),
    )
    lineage = lineage_of(job, index)
    await ask_each(services, interaction, started_by=StartedBy.ZOOM_OUT, resolved=resolved, lineage=lineage)


async def open_pan_choice(services: Services, interaction: Interaction, press: Press) -> None:
    """Show four directions and the price in private.

    Raises:
        Refused: the member may not start such a job now, or the picture can be made longer on no side.
    """
    job = await find_job(services, interaction, press)
    requests = await _pans(services, job, press.index or 0, "")
    if not requests:
        raise Refused("refused-pan-long", model=masking_model_of(services, job).title)
    dearest = max(requests.values(), key=services.accepting.price)
    outlook = await services.accepting.outlook(asker_of(interaction), [dearest])
    view = region_message.pan_choice(job, press.index or 0, tuple(requests), outlook)
    await answer_privately(interaction, view=view)


async def pan(services: Services, interaction: Interaction, press: Press) -> None:
    """Start the job of a direction. The choice is a private message of its own, and stays.

    Raises:
        Refused: the press is not one of a private choice, or the picture cannot be made longer there.
    """
    job = await find_job_of_any(services, interaction, press)
    if interaction.message is None or not interaction.message.flags.ephemeral:
        raise Refused("refused-unknown-job")
    index = press.index or 0
    await check_there(services, job, index)
    if press.action not in await _pans(services, job, index, ""):
        raise Refused("refused-pan-long", model=masking_model_of(services, job).title)
    sha256 = await in_time(services, interaction, adopt(services, job, index))
    request = (await _pans(services, job, index, sha256))[press.action]
    order = JobOrder(
        origin=origin_of(interaction, StartedBy.PAN, lineage_of(job, index)),
        request=request,
        defaults=deriving.still_default(job_for(job, interaction), request),
        notices=(),
    )
    await ask(services, interaction, order)


async def _pans(services: Services, job: Job, index: int, sha256: str) -> dict[Action, GenerationRequest]:
    """The request of each direction in which the picture can be made longer.

    Raises:
        Refused: the picture is not kept any more.
    """
    spec, request = masking_model_of(services, job), narrowed(job.request, GenerationRequest)
    outputs = await services.jobs.outputs(job.job_id)
    sides = next((output.sides for output in outputs if output.output_index == index), None)
    if sides is None:
        raise Refused("refused-no-pictures")
    limits = services.settings.limits
    found = {
        action: inpainting.panned(request, index, sides, side, sha256=sha256, spec=spec, limits=limits)
        for action, side in _SIDES.items()
    }
    return {action: panned for action, panned in found.items() if panned is not None}
