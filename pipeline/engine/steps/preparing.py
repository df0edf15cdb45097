"""Turns a submitted attempt into a job that is ready for its first step."""

import time
from typing import Any, TypeVar

import msgspec
import torch

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import InvalidRequest
from pipeline.engine.families.base import StepAdapter
from pipeline.engine.models.controls import control_in
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.pixels.previews import PreviewTurn
from pipeline.engine.sampling.latents import first_noise, generators_for
from pipeline.engine.sampling.schedulers import first_latents, sampler_named
from pipeline.engine.sampling.tiling import tiling_of
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.engine.steps.jobs.morph_jobs import MorphEnd, MorphJob, padded
from pipeline.engine.steps.jobs.validation import check_capabilities, check_multiple, check_request
from pipeline.prompts.tags import read_tags
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.passes import passes_of
from pipeline.protocol.requests import GenerationRequest, MorphRequest, narrowed
from pipeline.protocol.usual import usual_request
from pipeline.protocol.wire.messages import Submit

J = TypeVar("J", bound=DenoisingJob)


def begin_job(submit: Submit, model: LoadedModel, placement: Placement, started_at: float) -> DenoisingJob:
    """Begin a job that draws pictures; see `begin_job_as`."""
    return begin_job_as(DenoisingJob, submit, model, placement, started_at)


def begin_job_as(make: type[J], submit: Submit, model: LoadedModel, placement: Placement, started_at: float) -> J:
    """Check the request, encode its texts, draw the initial noise and set up the scheduler.

    A job with an init image draws nothing yet, because its picture is encoded first; see `begin_from_picture`.

    Args:
        make: class of the job.
        submit: the attempt.
        model: its model.
        placement: the device.
        started_at: start of the attempt, in monotonic seconds.

    Raises:
        InvalidRequest: the engine or the model cannot run this request.
    """
    request, adapter = narrowed(submit.request, GenerationRequest), model.adapter
    check_request(request)
    check_capabilities(request, model.spec.facts)
    check_multiple(request, adapter.size_multiple)
    sampler = sampler_named(request.scheduler_name)
    text = adapter.encode_text(_as_seen(request))
    generators = generators_for(request)
    passes = passes_of(request, model.spec.facts)
    first = passes[0]
    scheduler = adapter.build_scheduler(sampler, first, generators)
    height, width = first.height // adapter.scale_factor, first.width // adapter.scale_factor
    shape = (request.num_images, adapter.latent_channels, height, width)
    if first.is_from_picture:
        latents = torch.zeros(shape, device=placement.device, dtype=placement.latents_dtype)
    else:
        noise = first_noise(request, shape, generators, placement.device, placement.latents_dtype)
        latents = first_latents(scheduler, noise)
    now = time.monotonic()
    job = make(
        name=(submit.job_id, submit.attempt),
        request=request,
        checking=submit.checking,
        model=model,
        sampler=sampler,
        scheduler=scheduler,
        generators=generators,
        text=text,
        latents=latents,
        started_at=started_at,
        denoise_started_at=now,
        preview=PreviewTurn(now),
        passes=passes,
        tiling=tiling_of(first, adapter.scale_factor, latents),
        image_guidance=request.image_guidance if adapter.is_editing else None,
        extra=_no_extra(adapter, latents),
        keeps_apart=placement.acceleration.accelerator != "none",
    )
    job.evaluation = job.first_evaluation
    return job


def begin_morph(submit: Submit, model: LoadedModel, placement: Placement, started_at: float) -> MorphJob:
    """Begin a morph with its first round.

    Raises:
        InvalidRequest: the engine or the model cannot run this request, or its ends have different styles or several
            concepts.
    """
    request, adapter = narrowed(submit.request, MorphRequest), model.adapter
    if request.inputs or request.upscale is not None or adapter.extra_channels:
        raise InvalidRequest("A morph is drawn from words alone, and not upscaled.")
    job = begin_job_as(MorphJob, submit, model, placement, started_at)
    last = msgspec.structs.replace(request, prompt=request.end_prompt, seed=request.end_seed, variations=())
    texts = job.text, adapter.encode_text(last)
    if any(len(text.concepts) > 1 for text in texts):
        raise InvalidRequest("A morph has a single prompt at each end.")
    if texts[0].lora_digests != texts[1].lora_digests:
        raise InvalidRequest("Both ends of a morph need the same LoRAs.")
    # Tags stay, because LoRAs may change what the text encoder makes of an empty text too.
    tags = " ".join(read_tags(request.prompt).tags)
    nothing = adapter.encode_text(msgspec.structs.replace(request, prompt=tags, negative_prompt="")).positive.at(1)
    tokens = max(text.positive.at(1)["prompt_embeds"].shape[1] for text in texts)
    ends = [
        MorphEnd(request=each, text=text, padded=padded(text, tokens, nothing))
        for each, text in zip((request, last), texts, strict=True)
    ]
    job.begin((ends[0], ends[1]))
    return job


def _as_seen(request: GenerationRequest) -> GenerationRequest:
    """The request with the size of a row: the text of some families says how large the picture is."""
    if request.tiles is None:
        return request
    return msgspec.structs.replace(request, width=request.tiles.width, height=request.tiles.height)


def check_controls_fit(job: DenoisingJob) -> None:
    """Check that the control nets of a job were trained for its model.

    Raises:
        InvalidRequest: a net was trained for another model of the family, as for Stable Diffusion 2 instead of 1.
    """
    network: Any = job.model.adapter.network
    for given in job.request.controls:
        control_in(job.networks, given).check_fits(network.config, job.model.spec.title)


def _no_extra(adapter: StepAdapter, latents: torch.Tensor) -> torch.Tensor | None:
    """Extra channels of a model that takes a picture, before it is encoded; None for other models."""
    if not adapter.extra_channels:
        return None
    return latents.new_zeros((len(latents), adapter.extra_channels, *latents.shape[2:]))


def usual_job(spec: ModelSpec) -> Submit:
    """Request with the model's defaults and a short prompt, as the most common one."""
    return Submit(job_id=0, attempt=0, request=usual_request(spec))
