"""OpenVINO against torch on a CPU: forward passes of the shipped model with the same weights.

Both sides use the engine's own code. A forward pass has eight rows of 64 pixels, as for four jobs in one batch. The
report also has the figure for two rows, as for one job.
"""

import statistics
import time
from typing import Final

from benchmarks.bench import THREADS
from benchmarks.report import Report

# After `bench`, which sets the waiting of torch's threads before torch is imported.
import torch  # isort: skip

from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from pipeline.engine.device.acceleration import AcceleratorUnavailable, check_acceleration
from pipeline.engine.device.placement import choose_placement, use_threads
from pipeline.engine.families.base import StepAdapter
from pipeline.engine.models.loading import load_model, quiet_libraries
from pipeline.engine.steps.jobs.rows import Row, predict_rows
from pipeline.protocol.wire.settings import Acceleration

GOAL: Final = 1.3
MOST_DIFFERENCE: Final = 1e-4
PAIRS: Final = 21
_GOAL_TEXT: Final = f"torch / OpenVINO >= {GOAL}, and predictions within {MOST_DIFFERENCE}"
_TEXT: Final = (1, 77, 192)


def run() -> Report:
    """Measure the pairs. Without OpenVINO there is nothing to measure, and the goal does not hold."""
    quiet_libraries()
    use_threads(THREADS)
    try:
        check_acceleration(choose_placement("cpu", "float32", Acceleration(accelerator="openvino")), has_loras=False)
    except AcceleratorUnavailable as error:
        return Report(
            name="cpu",
            goal=_GOAL_TEXT,
            value=0.0,
            holds=False,
            median=0.0,
            minimum=0.0,
            pairs=0,
            detail={"missing": str(error)},
        )
    plain, quick = _adapter(Acceleration()), _adapter(Acceleration(accelerator="openvino"))
    alone = _ratios(plain, quick, _rows(2))
    ratios = _ratios(plain, quick, _rows(8))
    difference = max(_difference(plain, quick, _rows(count)) for count in (2, 8))
    value = statistics.median(ratios)
    return Report(
        name="cpu",
        goal=_GOAL_TEXT,
        value=value,
        holds=value >= GOAL and difference <= MOST_DIFFERENCE,
        median=value,
        minimum=min(ratios),
        pairs=PAIRS,
        detail={
            "rows": 8,
            "two_rows_median": statistics.median(alone),
            "two_rows_min": min(alone),
            "max_difference": f"{difference:.1e}",
            "threads": THREADS,
        },
    )


def _adapter(acceleration: Acceleration) -> StepAdapter:
    spec = load_catalogue(PipelineSettings().catalogue, "pocket").default
    return load_model(spec, choose_placement("cpu", "float32", acceleration), None, lambda: None).adapter


def _rows(count: int) -> list[Row]:
    generator = torch.Generator().manual_seed(0)
    return [
        Row(
            latents=torch.randn(1, 4, 8, 8, generator=generator),
            timestep=torch.tensor(50.0 + 37 * number),
            conditioning={"prompt_embeds": torch.randn(_TEXT, generator=generator)},
        )
        for number in range(count)
    ]


def _ratios(plain: StepAdapter, quick: StepAdapter, rows: list[Row]) -> list[float]:
    """Ratios of CPU seconds, which other programs do not prolong."""
    pairs = [(_seconds(plain, rows), _seconds(quick, rows)) for _ in range(PAIRS + 2)]
    # The first two pairs warm up the caches and compile.
    return [torch_s / ours_s for torch_s, ours_s in pairs[2:]]


def _seconds(adapter: StepAdapter, rows: list[Row]) -> float:
    started = time.process_time()
    for _ in range(5):
        predict_rows(adapter, rows, len(rows))
    return time.process_time() - started


def _difference(plain: StepAdapter, quick: StepAdapter, rows: list[Row]) -> float:
    predictions = [torch.cat(predict_rows(adapter, rows, len(rows))) for adapter in (plain, quick)]
    return (predictions[0] - predictions[1]).abs().max().item()
