"""Whether a job's picture is bit-identical alone and in any batch: of the shipped model, and of tiny families.

One family is also drawn with weights that are kept in float8 or in RAM.
"""

import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
import pytest

from benchmarks.bench import Bench, mixed
from benchmarks.families.flows import FLOWS, saved
from benchmarks.report import Report
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Finished
from tests.pipeline.engine.away import Away

JOBS: Final = 24
SCHEDULES: Final = 4
KEPT_OTHERWISE: Final[Family] = "z-image"
"""The family that is also drawn with weights that are kept otherwise."""
WAYS: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {"float8": {"weights": {"transformer": "float8"}}, "blocks in RAM": {"offload": "blocks"}}
)


def run() -> Report:
    """Draw each job alone, then all jobs with random schedules, and compare the files' bytes."""
    jobs = mixed(JOBS // 2, 64, (2, 12), seed=1) + mixed(JOBS // 2, 96, (2, 8), seed=2)
    shares = {"pocket": _equal_share(Bench(max_running=8), jobs)}
    for family in FLOWS:
        with tempfile.TemporaryDirectory() as folder:
            spec = saved(family, Path(folder))
            jobs = mixed(JOBS // 2, 64, (2, 8), seed=1, spec=spec) + mixed(JOBS // 2, 96, (2, 6), seed=2, spec=spec)
            shares[family] = _equal_share(Bench(max_running=8, spec=spec), jobs)
            if family == KEPT_OTHERWISE:
                shares |= {name: _otherwise(msgspec.structs.replace(spec, **way), jobs) for name, way in WAYS.items()}
    value = min(shares.values())
    return Report(
        name="exactness",
        goal="every job's file is the same alone and in any batch",
        value=value,
        holds=value == 1.0,
        median=value,
        minimum=value,
        pairs=JOBS * SCHEDULES * len(shares),
        detail={"jobs": JOBS, "schedules": SCHEDULES, **shares},
    )


def _otherwise(spec: ModelSpec, jobs: Sequence[GenerationRequest]) -> float:
    """The share for a model as if its processor had memory of its own."""
    with pytest.MonkeyPatch.context() as patch:
        Away(patch)
        return _equal_share(Bench(max_running=8, spec=spec), jobs)


def _equal_share(bench: Bench, jobs: Sequence[GenerationRequest]) -> float:
    """Share of the files that are the same alone and in batches."""
    alone = {number: bench.draw([job])[1][0].outputs for number, job in enumerate(jobs)}
    dice = random.Random(3)  # noqa: S311 - a schedule is no secret
    equal = 0
    for _ in range(SCHEDULES):
        bench.events.clear()
        order = [*enumerate(jobs)]
        dice.shuffle(order)
        while order or not bench.engine.is_idle:
            for number, job in [order.pop() for _ in range(min(len(order), dice.randint(0, 3)))]:
                bench.submit(number, job)
            bench.engine.tick()
        finished = {event.job_id: event.outputs for event in bench.events if isinstance(event, Finished)}
        equal += sum(finished[number] == images for number, images in alone.items())
    return equal / (len(jobs) * SCHEDULES)
