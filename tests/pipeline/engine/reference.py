"""What diffusers' own, unmodified pipelines draw."""

import inspect
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from diffusers.schedulers.scheduling_flow_match_heun_discrete import FlowMatchHeunDiscreteScheduler
from diffusers.schedulers.scheduling_tcd import TCDScheduler

from pipeline.engine.sampling.schedulers import OWN_SPACING, FlowSpacing, build_scheduler
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.table import SAMPLERS

TOLERANCE = 1e-8
DIFFUSION_SAMPLERS = sorted(name for name, sampler in SAMPLERS.items() if sampler.kind == "diffusion")

NOISY_IN_DIFFUSERS = frozenset({"LMS", "LMS Karras", "PLMS"})
"""Samplers that leave noise in diffusers where they begin late; Easel's do not, so they are compared from noise."""

_FROM_ZERO = ("ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline")
"""Pipelines whose guidance scale is A1111's less 1. They also round to float32 between network and sampler."""


class _Timed(FlowMatchHeunDiscreteScheduler):
    """Heun's sampler with its timesteps set, for pipelines that give sigmas, which it does not take."""

    def set_timesteps(self, sigmas: Any, **options: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - see above
        del options
        assert len(sigmas) == self.num_inference_steps


class _Double(torch.Tensor):
    """Numbers in float64 that stay so."""

    def float(self, *_: Any) -> torch.Tensor:
        return self.as_subclass(torch.Tensor)


class _InDouble:
    """torch, with float64 where a pipeline says float32."""

    float32 = torch.float64

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


@contextmanager
def unrounded(reference: Any) -> Generator[None]:
    """Context in which a pipeline in float64 keeps float64, although its code names float32."""
    if type(reference).__name__ not in _FROM_ZERO:
        yield
        return

    def keep(*given: Any) -> Any:
        return ([drawn.as_subclass(_Double) for drawn in given[-1][0]],)

    handle = reference.transformer.register_forward_hook(keep)
    try:
        with mock.patch.object(sys.modules[type(reference).__module__], "torch", _InDouble()):
            yield
    finally:
        handle.remove()


def scale_of(reference: Any, request: GenerationRequest) -> float:
    """The request's guidance scale as the pipeline counts it."""
    return request.guidance_scale - (type(reference).__name__ in _FROM_ZERO)


def timed(scheduler: Any, reference: Any) -> Any:
    """The scheduler, for a pipeline that sets its timesteps by sigmas or by a number of steps."""
    takes_sigmas = "sigmas" in inspect.signature(type(reference).__call__).parameters
    if takes_sigmas and isinstance(scheduler, FlowMatchHeunDiscreteScheduler):
        scheduler.__class__ = _Timed
    return scheduler


def networks(reference: Any, latents: torch.Tensor, request: GenerationRequest) -> torch.Tensor:
    """The latents that a pipeline hands out, as its network sees them: [n, c, h, w]."""
    name = type(reference).__name__
    if name == "Flux2Pipeline":
        # Of dev it hands out the tokens.
        return latents.transpose(1, 2).unflatten(2, (request.height // 8, request.width // 8))
    if name.startswith(("FluxP", "FluxI", "Chroma")):
        return reference._unpack_latents(latents, request.height, request.width, reference.vae_scale_factor)
    if name.startswith("Flux2"):
        norm = reference.vae.bn
        mean, variance = norm.running_mean.view(1, -1, 1, 1), norm.running_var.view(1, -1, 1, 1)
        patches = reference._patchify_latents(latents)
        return (patches - mean) / torch.sqrt(variance + reference.vae.config.batch_norm_eps)
    return latents


def final_latents(
    reference: Any, request: GenerationRequest, spacing: FlowSpacing = OWN_SPACING, **options: Any
) -> torch.Tensor:
    """[images, c, h, w]; `reference` is a pipeline that remembers the scheduler it came with."""
    sampler = SAMPLERS[request.scheduler_name]
    generators = [torch.Generator().manual_seed(request.seed + index) for index in range(request.num_images)]
    steps, config = request.num_inference_steps, reference.own_scheduler_config
    scheduler = build_scheduler(sampler, config, steps, generators, spacing=spacing)
    reference.scheduler = timed(scheduler, reference) if spacing.sigmas else scheduler
    timesteps = {"timesteps": scheduler.timesteps.tolist()} if sampler.timesteps else {}
    if sampler.scheduler_class == "TCDScheduler":
        options["eta"] = inspect.signature(TCDScheduler.step).parameters["eta"].default  # the pipeline's own is 0
    parameters = inspect.signature(type(reference).__call__).parameters
    given: dict[str, Any] = {"height": request.height, "width": request.width}
    given["negative_prompt"] = request.negative_prompt or None
    options |= {name: value for name, value in given.items() if name in parameters}
    usual: dict[str, Any] = {
        "prompt": request.prompt,
        "num_inference_steps": steps,
        "guidance_scale": scale_of(reference, request),
        "num_images_per_prompt": request.num_images,
        "generator": generators,
        "output_type": "latent",
    }
    if request.negative_prompt and "negative_prompt" not in parameters and "negative_prompt_embeds" in parameters:
        options["negative_prompt_embeds"] = reference.encode_prompt(request.negative_prompt)[0]
    with unrounded(reference):
        return networks(reference, reference(**{**usual, **timesteps, **options}).images, request)
