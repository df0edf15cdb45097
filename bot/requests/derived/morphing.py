"""Requests for a morph, from those of its two ends."""

from typing import Any

import msgspec

from bot.errors import Refused
from bot.requests.resolving import Resolved
from pipeline.prompts.concepts import read_concepts
from pipeline.prompts.tags import read_tags
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest, MorphRequest
from pipeline.protocol.samplers.table import SAMPLERS


def check_morphs(spec: ModelSpec, known: str) -> None:
    """Check that a model draws between two prompts.

    Raises:
        Refused: it cannot; the sentence names those that can.
    """
    if spec.has_morphs and not spec.edits:
        return
    raise Refused("refused-morph-model", model=spec.title, known=known)


def morph(start: Resolved, end: Resolved, *, frames: int, is_returning: bool) -> Resolved:
    """The request for a morph between two resolved requests of one model, with the settings of the first.

    Raises:
        Refused: an end has several concepts, the ends have different styles or negative prompts, or the sampler would
            make the frames jump.
    """
    first, last = start.request, end.request
    if any(len(read_concepts(each.prompt)) > 1 for each in (first, last)):
        raise Refused("refused-morph-concepts")
    if sorted(read_tags(first.prompt).tags) != sorted(read_tags(last.prompt).tags):
        raise Refused("refused-morph-styles")
    if first.negative_prompt != last.negative_prompt:
        raise Refused("refused-morph-negative")
    if first.inputs or first.inpaint is not None or first.tiles is not None:
        raise Refused("refused-morph-picture")
    if SAMPLERS[first.scheduler_name].is_stochastic and first.seed != last.seed:
        raise Refused("refused-morph-sampler", sampler=first.scheduler_name)
    request = MorphRequest(
        **as_fields(msgspec.structs.replace(first, num_images=1, upscale=None)),
        end_prompt=last.prompt,
        end_seed=last.seed,
        frames=frames,
        is_returning=is_returning,
    )
    notices = (*start.notices, *(notice for notice in end.notices if notice not in start.notices))
    return msgspec.structs.replace(start, request=request, notices=notices)


def as_fields(request: GenerationRequest) -> dict[str, Any]:
    """The fields of a request for a picture, for a request of a kind that has them too."""
    return {name: getattr(request, name) for name in GenerationRequest.__struct_fields__}
