"""What diffusers' own, unmodified pipelines draw."""

from typing import Any

import torch

from pipeline.engine.schedulers import build_scheduler
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import SAMPLERS

TOLERANCE = 1e-8


def final_latents(reference: Any, request: GenerationRequest) -> torch.Tensor:
    """[images, c, h, w]; `reference` is a pipeline that remembers the scheduler it came with."""
    sampler = SAMPLERS[request.scheduler_name]
    generators = [torch.Generator().manual_seed(request.seed + index) for index in range(request.num_images)]
    scheduler = build_scheduler(sampler, reference.own_scheduler_config, request.num_inference_steps, generators)
    reference.scheduler = scheduler
    timesteps = {"timesteps": scheduler.timesteps.tolist()} if sampler.explicit_timesteps else {}
    answer = reference(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt or None,
        num_inference_steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        height=request.height,
        width=request.width,
        num_images_per_prompt=request.num_images,
        generator=generators,
        output_type="latent",
        **timesteps,
    )
    return answer.images
