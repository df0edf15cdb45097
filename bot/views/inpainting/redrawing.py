"""What the buttons have in common that draw a part of a picture anew, or what lies around it."""

from collections.abc import Sequence

import msgspec

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.services import Services
from bot.requests.abilities import refuse_without
from bot.requests.derived import deriving
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture
from bot.requests.resolving import Resolved
from bot.requests.styles import known_styles
from bot.store.images import StorageFailed
from bot.store.rows.jobs import Job
from bot.store.rows.preferences import AskerDefaults
from bot.views.starting import job_for, model_of
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Inpaint, Input
from pipeline.protocol.requests import GenerationRequest, narrowed


def masking_model_of(services: Services, job: Job) -> ModelSpec:
    """The model of a job.

    Raises:
        Refused: the owner no longer offers it, or it cannot draw a part of a picture anew.
    """
    spec = model_of(services, job)
    refuse_without(Capability.MASK, spec, services.catalogue)
    return spec


async def adopt(services: Services, job: Job, index: int) -> str:
    """Keep one of a job's pictures as an input, so that a new job works after the old one is gone; returns its hash.

    Raises:
        Refused: the picture is not kept any more.
    """
    outputs = await services.jobs.outputs(job.job_id)
    sha256 = next((output.sha256 for output in outputs if output.output_index == index), None)
    if sha256 is None:
        raise Refused("refused-no-pictures")
    try:
        return await services.receiving.adopt(await services.keeping.read(sha256))
    except StorageFailed as error:
        raise Refused("refused-picture-gone") from error


async def redrawn(
    services: Services,
    interaction: Interaction,
    job: Job,
    *,
    prompt: str,
    picture: GivenPicture,
    inpaint: Inpaint,
    inputs: Sequence[Input] = (),
) -> list[Resolved]:
    """The requests of a prompt for a part of a job's picture, with the job's values for all other options.

    Args:
        services: the bot's services.
        interaction: the form.
        job: the job of the picture.
        prompt: the prompt, which may have options.
        picture: the kept picture and its strength.
        inpaint: the part.
        inputs: other inputs than the picture.

    Raises:
        Refused: a request is refused, or its model cannot draw a part of a picture anew.
    """
    old = narrowed(job.request, GenerationRequest)
    own = msgspec.structs.replace(deriving.as_it_was(old), num_images=1)
    if old.whole is not None:  # its size is that of its window, so the picture's shape says what is drawn
        picture = msgspec.structs.replace(picture, sides=old.whole)
        own = msgspec.structs.replace(own, size=None)
    resolved = await resolve_each(
        GivenRequest(prompt=prompt, image=picture),
        settings=services.settings,
        catalogue=services.catalogue,
        defaults=AskerDefaults(own=own),
        styles=known_styles(services.backend.status),
    )
    theirs = job_for(job, interaction)
    found: list[Resolved] = []
    for each in resolved:
        refuse_without(Capability.MASK, services.catalogue.models[each.request.model_key], services.catalogue)
        alike = deriving.remix(each, theirs, is_same_noise=False)
        request = msgspec.structs.replace(alike.request, inputs=(*(alike.request.inputs[:1]), *inputs), inpaint=inpaint)
        # All of a picture with margins stays.
        told = tuple(notice for notice in alike.notices if inpaint.outpaint is None or notice.key != "notice-cut")
        found.append(msgspec.structs.replace(alike, request=request, notices=told))
    return found
