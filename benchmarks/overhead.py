"""From a command's arrival to the finished message, against a bare loop that does the same work.

Then the engine alone against diffusers' own pipeline: both encode, denoise, decode and write PNG.

The bare loop is what one would write with diffusers' components and nothing else: encode, denoise, decode, enlarge,
write PNG. Both sides run alone, turn by turn, with the same model, threads, steps and images.
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

from benchmarks._harness import running_bot
from benchmarks.report import Report

GOAL: Final = 1.03
PIPELINE_GOAL: Final = 1.0
PAIRS: Final = 7
STEPS: Final = 40
IMAGES: Final = 2
THREADS: Final = 2
GUIDANCE_SCALE: Final = 5.0
MODELS: Final = Path(__file__).parents[1] / "models"


def run() -> Report:
    """Take the pairs."""
    return asyncio.run(_run())


async def _run() -> Report:
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
    # The first of each warms caches up.
    ratios = [ours / plain for ours, plain in zip(ours_s[1:], bare_s[1:], strict=True)]
    value = statistics.median(ratios)
    own = await asyncio.to_thread(_against_pipeline)
    return Report(
        name="overhead",
        goal=f"service / bare loop <= {GOAL}, engine / diffusers' pipeline <= {PIPELINE_GOAL:g}",
        value=value,
        holds=value <= GOAL and statistics.median(own) <= PIPELINE_GOAL,
        median=value,
        minimum=min(ratios),
        pairs=PAIRS,
        detail={
            "service_s": statistics.median(ours_s[1:]),
            "bare_s": statistics.median(bare_s[1:]),
            "max_ratio": max(ratios),
            "engine_to_pipeline": statistics.median(own),
            "engine_to_pipeline_min": min(own),
            "steps": STEPS,
            "images": IMAGES,
        },
    )


def _bare_loop() -> Callable[[int], None]:
    """Load the model and return a function that draws one job."""
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    import torch  # noqa: PLC0415 - after OMP_WAIT_POLICY is set, as the worker does
    from benchmarks._engine import Bench, bare_pipeline, request  # noqa: PLC0415 - as above

    bench, pipeline = Bench(max_running=1), bare_pipeline()

    def draw_whole(seed: int) -> None:
        pictures = pipeline(
            "a red apple",
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE_SCALE,
            num_images_per_prompt=IMAGES,
            height=64,
            width=64,
        ).images
        for number, picture in enumerate(pictures):
            picture.save(io.BytesIO(), "PNG", comment=f"{seed} {number}")

    ratios: list[float] = []
    for seed in range(PAIRS + 1):
        job = request(num_inference_steps=STEPS, guidance_scale=GUIDANCE_SCALE, num_images=IMAGES, seed=seed)
        ours_s, _ = bench.draw([job])
        began = time.monotonic()
        draw_whole(seed)
        ratios.append(ours_s / (time.monotonic() - began))
    return ratios[1:]
