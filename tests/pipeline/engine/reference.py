"""What diffusers' own, unmodified pipelines draw."""

import inspect
from typing import Any

import torch
from diffusers.schedulers.scheduling_tcd import TCDScheduler

from pipeline.engine.sampling.schedulers import OWN_SPACING, FlowSpacing, build_scheduler
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.table import SAMPLERS

TOLERANCE = 1e-8
DIFFUSION_SAMPLERS = sorted(name for name, sampler in SAMPLERS.items() if sampler.kind == "diffusion")

NOISY_IN_DIFFUSERS = frozenset({"LMS", "LMS Karras", "PLMS"})
"""Samplers that leave noise in diffusers where they begin late; Easel's do not, so they are compared from noise."""


def final_latents(
    reference: Any, request: GenerationRequest, spacing: FlowSpacing = OWN_SPACING, **options: Any
) -> torch.Tensor:
    """[images, c, h, w]; `reference` is a pipeline that remembers the scheduler it came with."""
    sampler = SAMPLERS[request.scheduler_name]
    generators = [torch.Generator().manual_seed(request.seed + index) for index in range(request.num_images)]
    steps, config = request.num_inference_steps, reference.own_scheduler_config
    scheduler = build_scheduler(sampler, config, steps, generators, spacing=spacing)
    reference.scheduler = scheduler
    timesteps = {"timesteps": scheduler.timesteps.tolist()} if sampler.timesteps else {}
    if sampler.scheduler_class == "TCDScheduler":
        options["eta"] = inspect.signature(TCDScheduler.step).parameters["eta"].default  # the pipeline's own is 0
    parameters = inspect.signature(type(reference).__call__).parameters
    size = {"height": request.height, "width": request.width}
    options |= {name: side for name, side in size.items() if name in parameters}
    usual: dict[str, Any] = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt or None,
        "num_inference_steps": steps,
        "guidance_scale": request.guidance_scale,
        "num_images_per_prompt": request.num_images,
        "generator": generators,
        "output_type": "latent",
    }
    return reference(**{**usual, **timesteps, **options}).images
