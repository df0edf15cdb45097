"""A morph of 24 frames, against 24 single jobs of the same settings one after the other.

Both sides use the same engine and weights. Both decode their pictures, and neither enlarges them. The single jobs write
a PNG file each, the morph its animation and its still.
"""

import statistics
from typing import Any

import msgspec

from benchmarks.bench import Bench, mixed
from benchmarks.report import Report
from pipeline.protocol.requests import GenerationRequest, MorphRequest

GOAL = 2.0
FRAMES = 24
STEPS = 10
PAIRS = 5


def run() -> Report:
    """Measure pairs of a morph and its frames as single jobs."""
    together, alone = Bench(max_running=8), Bench(max_running=1)
    ratios: list[float] = []
    seconds: list[float] = []
    for pair in range(PAIRS + 1):
        (like,) = mixed(1, 64, (STEPS, STEPS), seed=pair)
        plain = msgspec.structs.replace(like, prompt="a house by day", scheduler_name="Euler", num_images=1)
        own: dict[str, Any] = {"end_prompt": "a house at night", "end_seed": pair + 100, "frames": FRAMES}
        fields = {name: getattr(plain, name) for name in GenerationRequest.__struct_fields__}
        morph_s, _ = together.draw([MorphRequest(**fields, **own)])
        singles_s, _ = alone.draw([msgspec.structs.replace(plain, seed=seed) for seed in range(FRAMES)])
        if pair > 0:  # the first pair warms up the engine and calibrates shapes
            ratios.append(singles_s / morph_s)
            seconds.append(morph_s)
    median = statistics.median(ratios)
    return Report(
        name="morph",
        goal=f">= {GOAL}x at 64 px",
        value=median,
        holds=median >= GOAL,
        median=median,
        minimum=min(ratios),
        pairs=PAIRS,
        detail={"morph_s": statistics.median(seconds)},
    )
