"""Eight different jobs in one running batch, against the same jobs one after the other.

Both sides use the same engine and weights. One after the other, a job still has its conditional and unconditional row
in one forward pass, as in all other programs. Both sides decode and encode the pictures; neither enlarges them.

The shipped model draws at several sizes, at the smallest with OpenVINO too, and a tiny model of each family of flow
transformers at the smallest.
"""

import importlib.util
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks.bench import Bench, mixed
from benchmarks.families.flows import saved
from benchmarks.report import Report
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.wire.settings import Acceleration

FLOW_GOALS: Final[Mapping[Family, float]] = MappingProxyType({"z-image": 1.5, "flux": 1.5, "flux2": 1.5})
GOALS: Final = {64: 2.3, 128: 1.6, 256: 0.97}
OPENVINO_GOAL: Final = 1.5
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
    flows = {family: _flow_ratio(family) for family in FLOW_GOALS}
    openvino = _openvino_ratio()
    return Report(
        name="batching",
        goal=", ".join(
            [f">= {goal}x at {side} px" for side, goal in GOALS.items()]
            + [f">= {goal}x for a tiny {family}" for family, goal in FLOW_GOALS.items()]
            + [f">= {OPENVINO_GOAL}x with OpenVINO at 64 px"]
        ),
        value=medians[64],
        holds=all(medians[side] >= goal for side, goal in GOALS.items())
        and all(flows[family] >= goal for family, goal in FLOW_GOALS.items())
        and openvino >= OPENVINO_GOAL,
        median=medians[64],
        minimum=min(ratios[64]),
        pairs=PAIRS,
        detail={
            **{f"median_{side}_px": medians[side] for side in GOALS},
            **{f"min_{side}_px": min(ratios[side]) for side in GOALS},
            **{f"together_{side}_px_s": statistics.median(seconds[side]) for side in GOALS},
            **{f"median_{family}_64_px": ratio for family, ratio in flows.items()},
            "median_openvino_64_px": openvino,
        },
    )


def _flow_ratio(family: Family) -> float:
    """Median ratio of a tiny model of this family, at the smallest size."""
    with tempfile.TemporaryDirectory() as folder:
        spec = saved(family, Path(folder))
        return _ratio(Bench(max_running=8, spec=spec), Bench(max_running=1, spec=spec), spec)


def _openvino_ratio() -> float:
    """Median ratio of the shipped model with OpenVINO, at the smallest size; 0 where it is not installed."""
    if importlib.util.find_spec("openvino") is None:
        return 0.0
    chosen = Acceleration(accelerator="openvino")
    return _ratio(Bench(max_running=8, acceleration=chosen), Bench(max_running=1, acceleration=chosen))


def _ratio(together: Bench, alone: Bench, spec: ModelSpec | None = None) -> float:
    """Median ratio of the seconds of both for the same jobs, at the smallest size."""
    ratios: list[float] = []
    for pair in range(PAIRS + 1):
        jobs = mixed(JOBS[64], 64, STEPS[64], seed=pair, spec=spec)
        together_s, _ = together.draw(jobs)
        alone_s, _ = alone.draw(jobs)
        ratios.append(alone_s / together_s)
    return statistics.median(ratios[1:])
