"""The 36 cells of a grid in one running batch, against the same 36 jobs one after the other.

The cells have one prompt and one seed, and differ by CFG and steps. Both sides use the same engine and weights, decode
and encode the pictures, and enlarge none. A bot lets a member run as many at once as `quotas.running_per_user` says.
"""

import statistics
from typing import Final

from benchmarks.bench import Bench, request
from benchmarks.report import Report

GOAL: Final = 1.8
SIDE: Final = 64
CFG: Final = (1.0, 2.0, 4.0, 7.0, 12.0, 20.0)
STEPS: Final = (4, 6, 8, 10, 12, 16)
PAIRS: Final = 3
RUNNING: Final = 16


def run() -> Report:
    """Measure pairs in turn."""
    together, alone = Bench(max_running=RUNNING), Bench(max_running=1)
    ratios: list[float] = []
    seconds: list[float] = []
    for pair in range(PAIRS + 1):
        cells = [
            request(num_inference_steps=steps, guidance_scale=cfg, width=SIDE, height=SIDE, seed=pair)
            for steps in STEPS
            for cfg in CFG
        ]
        together_s, _ = together.draw(cells)
        alone_s, _ = alone.draw(cells)
        if pair > 0:  # the first pair warms up the engine and calibrates shapes
            ratios.append(alone_s / together_s)
            seconds.append(together_s)
    median = statistics.median(ratios)
    return Report(
        name="grid",
        goal=f">= {GOAL}x for {len(CFG) * len(STEPS)} cells at {SIDE} px",
        value=median,
        holds=median >= GOAL,
        median=median,
        minimum=min(ratios),
        pairs=PAIRS,
        detail={"together_s": statistics.median(seconds)},
    )
