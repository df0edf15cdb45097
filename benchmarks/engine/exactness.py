"""Whether a job's picture is bit-identical alone and in any batch: of the shipped model, and of tiny families."""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench, mixed
from benchmarks.families.flows import FLOWS, saved
from benchmarks.report import Report
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Finished

JOBS: Final = 24
SCHEDULES: Final = 4


def run() -> Report:
    """Draw each job alone, then all jobs with random schedules, and compare the files' bytes."""
    jobs = mixed(JOBS // 2, 64, (2, 12), seed=1) + mixed(JOBS // 2, 96, (2, 8), seed=2)
    shares = {"pocket": _equal_share(Bench(max_running=8), jobs)}
    for family in FLOWS:
        with tempfile.TemporaryDirectory() as folder:
            spec = saved(family, Path(folder))
            jobs = mixed(JOBS // 2, 64, (2, 8), seed=1, spec=spec) + mixed(JOBS // 2, 96, (2, 6), seed=2, spec=spec)
            shares[family] = _equal_share(Bench(max_running=8, spec=spec), jobs)
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
