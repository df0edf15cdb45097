"""How the engine begins each kind of request.

After that, the loop distinguishes jobs by their class: some share forward passes and some run alone, and pictures that
were drawn are finished otherwise than one that was enlarged.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

import msgspec

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import InvalidRequest
from pipeline.engine.families.any_pipeline import AnyPipeline
from pipeline.engine.models.cutouts import LoadedCutout
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.models.upscalers import LoadedUpscaler
from pipeline.engine.steps.jobs import cutout_jobs, upscale_jobs
from pipeline.engine.steps.jobs.morph_jobs import MorphJob
from pipeline.engine.steps.jobs.pipeline_jobs import DrawingJob, begin_pipeline_job
from pipeline.engine.steps.jobs.traced_jobs import TracedJob
from pipeline.engine.steps.jobs.upscale_jobs import EngineJob
from pipeline.engine.steps.preparing import begin_job, begin_job_as, begin_morph
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.passes import morph_rounds, passes_of, total_steps
from pipeline.protocol.requests import (
    CutoutRequest,
    GenerationRequest,
    MakingOfRequest,
    MorphRequest,
    Request,
    UpscaleRequest,
    kind_name,
)
from pipeline.protocol.wire.messages import Submit

R = TypeVar("R", bound=Request)


class Kind(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """A kind of request.

    Attributes:
        total_steps: number of steps of a request, as members count them. The other argument is the entry of the
            catalogue that its `model_key` names, of the class that the kind needs.
        begin: makes a job of an attempt, that entry loaded, and the time of its start. It raises `InvalidRequest` for a
            request that the engine or the model cannot run.
    """

    total_steps: Callable[[R, Any], int]
    begin: Callable[[Submit, Any, Placement, float], EngineJob]


def _begin_image(submit: Submit, model: LoadedModel, placement: Placement, started_at: float) -> DrawingJob:
    if isinstance(model.drawing, AnyPipeline):
        return begin_pipeline_job(submit, model, started_at)
    return begin_job(submit, model, placement, started_at)


def _image_steps(request: GenerationRequest, spec: ModelSpec) -> int:
    return total_steps(passes_of(request, spec.facts))


def _begin_making_of(submit: Submit, model: LoadedModel, placement: Placement, started_at: float) -> TracedJob:
    if isinstance(model.drawing, AnyPipeline):
        raise InvalidRequest(f"{model.spec.title} runs as a whole, so its steps cannot be shown.")
    return begin_job_as(TracedJob, submit, model, placement, started_at)


def _morph_steps(request: MorphRequest, spec: ModelSpec) -> int:
    return morph_rounds(request.frames) * _image_steps(request, spec)


def _begin_morph(submit: Submit, model: LoadedModel, placement: Placement, started_at: float) -> MorphJob:
    if isinstance(model.drawing, AnyPipeline) or not model.spec.has_morphs:
        raise InvalidRequest(f"{model.spec.title} cannot draw between two prompts.")
    return begin_morph(submit, model, placement, started_at)


def _begin_upscale(submit: Submit, model: LoadedUpscaler, _: Placement, started_at: float) -> EngineJob:
    return upscale_jobs.begin_upscale_job(submit, model, started_at)


def _begin_cutout(submit: Submit, model: LoadedCutout, _: Placement, started_at: float) -> EngineJob:
    return cutout_jobs.begin_cutout_job(submit, model, started_at)


KINDS: Final[Mapping[type[Request], Kind[Any]]] = MappingProxyType(
    {
        GenerationRequest: Kind[GenerationRequest](total_steps=_image_steps, begin=_begin_image),
        MakingOfRequest: Kind[MakingOfRequest](total_steps=_image_steps, begin=_begin_making_of),
        MorphRequest: Kind[MorphRequest](total_steps=_morph_steps, begin=_begin_morph),
        UpscaleRequest: Kind[UpscaleRequest](total_steps=lambda *_: upscale_jobs.STEPS, begin=_begin_upscale),
        CutoutRequest: Kind[CutoutRequest](total_steps=lambda *_: cutout_jobs.STEPS, begin=_begin_cutout),
    }
)
"""A row for each member of the union `Request` that the engine runs."""


def kind_of(request: R) -> Kind[R]:
    """The row of a request.

    Raises:
        InvalidRequest: the engine does not run this kind.
    """
    kind = KINDS.get(type(request))
    if kind is None:
        raise InvalidRequest(f"This worker runs no jobs of the kind {kind_name(request)!r}.")
    return kind
