"""Bytes that blocks bring to the device for a picture, of a job alone and in a running batch.

A network with `offload = "blocks"` waits in RAM and comes once in each forward pass, whoever shares that pass. The
bytes are counted in the hooks of diffusers, so a processor stands in for a GPU. The models are tiny; the ratio is that
of large ones whose forward passes have as many rows.
"""

import itertools
import tempfile
from pathlib import Path
from typing import Final

import msgspec
import pytest

from benchmarks.bench import Bench, mixed
from benchmarks.families.flows import FLOWS, saved
from benchmarks.report import Report
from pipeline.protocol.catalogue.networks import Family
from tests.pipeline.engine.away import Away

JOBS: Final = (1, 2, 4, 8)
STEPS: Final = (4, 8)
GOAL: Final = 3.0


def run() -> Report:
    """Draw more and more of the same mixed jobs at a time, and compare the bytes for each picture."""
    found = {family: _bytes_a_picture(family) for family in FLOWS}
    ratios = {family: counts[1] / counts[max(JOBS)] for family, counts in found.items()}
    falls = all(counts[fewer] > counts[more] for counts in found.values() for fewer, more in itertools.pairwise(JOBS))
    value = min(ratios.values())
    return Report(
        name="offload",
        goal=f">= {GOAL}x fewer bytes a picture with {max(JOBS)} mixed jobs than alone, and fewer with each more",
        value=value,
        holds=falls and value >= GOAL,
        median=value,
        minimum=value,
        pairs=len(found),
        detail={f"{family}_{jobs}_jobs_mb": counts[jobs] / 1e6 for family, counts in found.items() for jobs in JOBS},
    )


def _bytes_a_picture(family: Family) -> dict[int, float]:
    """Bytes for each picture of a tiny model, by the number of jobs at a time."""
    counts: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        away = Away(patch)
        spec = msgspec.structs.replace(saved(family, Path(folder)), offload="blocks")
        jobs = mixed(max(JOBS), 64, STEPS, seed=1, spec=spec)
        for at_once in JOBS:
            bench = Bench(max_running=at_once, spec=spec)
            bench.draw(jobs)  # learns the row counts of each length of text
            before = away.transferred
            bench.draw(jobs)
            counts[at_once] = (away.transferred - before) / len(jobs)
    return counts
