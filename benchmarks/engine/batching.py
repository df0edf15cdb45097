"""Eight different jobs in one running batch, against the same jobs one after the other.

Both sides use the same engine and weights. One after the other, a job still has its conditional and unconditional row
in one forward pass, as in all other programs. Both sides decode and encode the pictures; neither enlarges them.
"""

import statistics
from typing import Final

from benchmarks.bench import Bench, mixed
from benchmarks.report import Report

GOALS: Final = {64: 2.0, 128: 1.6, 256: 0.97}
JOBS: Final = {64: 8, 128: 8, 256: 8}
STEPS: Final = {64: (8, 20), 128: (4, 10), 256: (2, 4)}
PAIRS: Final = 7


def run() -> Report:
    """Measure pairs of every size in turn."""
    together, alone = Bench(max_running=8), Bench(max_running=1)
    ratios: dict[int, list[float]] = {side: [] for side in GOALS}
    seconds: dict[int, list[float]] = {side: [] for side in GOALS}
    for pair in range(PAIRS + 1):
        for side in GOALS:
            jobs = mixed(JOBS[side], side, STEPS[side], seed=pair)
            together_s, _ = together.draw(jobs)
            alone_s, _ = alone.draw(jobs)
            if pair > 0:  # the first pair warms up the engine and calibrates shapes
                ratios[side].append(alone_s / together_s)
                seconds[side].append(together_s)
    medians = {side: statistics.median(found) for side, found in ratios.items()}
    return Report(
        name="batching",
        goal=", ".join(f">= {goal}x at {side} px" for side, goal in GOALS.items()),
        value=medians[64],
        holds=all(medians[side] >= goal for side, goal in GOALS.items()),
        median=medians[64],
        minimum=min(ratios[64]),
        pairs=PAIRS,
        detail={
            **{f"median_{side}_px": medians[side] for side in GOALS},
            **{f"min_{side}_px": min(ratios[side]) for side in GOALS},
            **{f"together_{side}_px_s": statistics.median(seconds[side]) for side in GOALS},
        },
    )
