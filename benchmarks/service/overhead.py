"""Seconds from a command to the finished message, against a bare loop with the same work.

The bare loop uses diffusers' components and nothing else: it encodes the prompt, denoises, decodes, enlarges and writes
PNG. Both sides run in turn with the same model, threads, steps and images.

A second figure compares the engine alone with diffusers' own pipeline. Both encode, denoise, decode and write PNG. A
third one does the same with the model as a whole pipeline, which the engine steps through.
"""

import asyncio
import io
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.report import Report
from benchmarks.running_bot import running_bot

GOAL: Final = 1.03
PIPELINE_GOAL: Final = 1.0
WHOLE_GOAL: Final = 1.02
PAIRS: Final = 7
STEPS: Final = 40
IMAGES: Final = 2
THREADS: Final = 2
GUIDANCE_SCALE: Final = 5.0
MODELS: Final = Path(__file__).parents[2] / "models"


def run() -> Report:
    """Measure the pairs."""
    return asyncio.run(_run())


async def _run() -> Report:
    ours_s, bare_s = await _service_and_bare()
    # The first pair warms up the caches.
    ratios = [ours / plain for ours, plain in zip(ours_s[1:], bare_s[1:], strict=True)]
    value = statistics.median(ratios)
    own = await asyncio.to_thread(_against_pipeline)
    whole = await asyncio.to_thread(_against_pipeline, is_whole=True)
    return Report(
        name="overhead",
        goal=(
            f"service / bare loop <= {GOAL}, engine / diffusers' pipeline <= {PIPELINE_GOAL:g}, "
            f"whole pipeline / its own call <= {WHOLE_GOAL}"
        ),
        value=value,
        holds=(value <= GOAL and statistics.median(own) <= PIPELINE_GOAL and statistics.median(whole) <= WHOLE_GOAL),
        median=value,
        minimum=min(ratios),
        pairs=PAIRS,
        detail={
            "service_s": statistics.median(ours_s[1:]),
            "bare_s": statistics.median(bare_s[1:]),
            "max_ratio": max(ratios),
            "engine_to_pipeline": statistics.median(own),
            "engine_to_pipeline_min": min(own),
            "whole_to_its_call": statistics.median(whole),
            "whole_to_its_call_min": min(whole),
            "steps": STEPS,
            "images": IMAGES,
        },
    )


async def _service_and_bare() -> tuple[list[float], list[float]]:
    """Seconds of the service and of the bare loop, measured in turn."""
    bare = _bare_loop()
    ours_s: list[float] = []
    bare_s: list[float] = []
    async with running_bot(THREADS) as running:
        local = running.local
        for seed in range(1, PAIRS + 2):
            began = time.monotonic()
            await local.member.slash(
                local.channel, "imagine", prompt="a red apple", steps=STEPS, images=IMAGES, seed=seed, sampler="Euler"
            )
            await local.wait_for_message(
                lambda message, seed=seed: f"seed {seed} " in json.dumps(message["components"])
            )
            ours_s.append(time.monotonic() - began)
            began = time.monotonic()
            await asyncio.to_thread(bare, seed)
            bare_s.append(time.monotonic() - began)
    return ours_s, bare_s


def _bare_loop() -> Callable[[int], None]:
    """Load the model and return a function that draws one job."""
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    import torch  # noqa: PLC0415 - after OMP_WAIT_POLICY is set, as the worker does
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (  # noqa: PLC0415 - as above
        StableDiffusionPipeline,
    )
    from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler  # noqa: PLC0415 - as above
    from PIL import Image  # noqa: PLC0415 - as above
    from spandrel import ModelLoader  # noqa: PLC0415 - as above

    torch.set_num_threads(THREADS)
    pipeline: Any = StableDiffusionPipeline.from_pretrained(str(MODELS / "pocket"), dtype=torch.float32)
    enlarger: Any = ModelLoader().load_from_file(str(MODELS / "upscaler" / "realesr-animevideov3-x4.safetensors"))
    enlarger.model.float()
    config = pipeline.scheduler.config

    @torch.inference_mode()
    def draw(seed: int) -> None:
        scheduler: Any = EulerDiscreteScheduler.from_config(config, timestep_spacing="linspace")
        scheduler.set_timesteps(STEPS)
        positive, negative = pipeline.encode_prompt("a red apple", "cpu", IMAGES, True)
        text = torch.cat([negative, positive])
        generators = [torch.Generator().manual_seed(seed + index) for index in range(IMAGES)]
        noise = torch.cat([torch.randn(1, 4, 16, 16, generator=generator) for generator in generators])
        latents = noise * scheduler.init_noise_sigma
        for timestep in scheduler.timesteps:
            rows = scheduler.scale_model_input(torch.cat([latents, latents]), timestep)
            empty, asked = pipeline.unet(rows, timestep, encoder_hidden_states=text, return_dict=False)[0].chunk(2)
            latents = scheduler.step(empty + GUIDANCE_SCALE * (asked - empty), timestep, latents).prev_sample
        pixels = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample / 2 + 0.5
        for large in enlarger(pixels.clamp(0, 1)):
            array = (large.clamp(0, 1).permute(1, 2, 0) * 255).round().byte().numpy()
            Image.fromarray(array).save(io.BytesIO(), "PNG")

    return draw


def _against_pipeline(*, is_whole: bool = False) -> list[float]:
    """Ratios of the engine's seconds to the seconds of diffusers' pipeline, measured in turn.

    Args:
        is_whole: whether the engine has the model as a whole pipeline, not as a family whose steps it runs itself.
    """
    from benchmarks.bench import Bench, as_whole, bare_pipeline, request  # noqa: PLC0415 - torch comes after OMP_WAIT_POLICY

    bench, pipeline = Bench(max_running=1, spec=as_whole() if is_whole else None), bare_pipeline()

    def draw_whole() -> None:
        pictures = pipeline(
            "a red apple",
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE_SCALE,
            num_images_per_prompt=IMAGES,
            height=64,
            width=64,
        ).images
        for picture in pictures:
            picture.save(io.BytesIO(), "PNG")

    ratios: list[float] = []
    for seed in range(PAIRS + 1):
        sampler = "Model's own" if is_whole else "Euler"
        job = request(
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE_SCALE,
            num_images=IMAGES,
            seed=seed,
            scheduler_name=sampler,
        )
        ours_s, _ = bench.draw([job])
        began = time.monotonic()
        draw_whole()
        ratios.append(ours_s / (time.monotonic() - began))
    return ratios[1:]
