"""Time to a job's first preview while seven other jobs run, against waiting for them in line."""

import statistics
import time
from typing import Final

from benchmarks.bench import Bench, mixed, request
from benchmarks.report import Report
from benchmarks.running_bot import percentile
from pipeline.engine.finishing.preview_jobs import PreviewJobs
from pipeline.engine.steps.jobs.pipeline_jobs import DrawingJob
from pipeline.protocol.wire.messages import Cancel, Progress

OTHERS: Final = 7
TRIES: Final = 20
PAIRS: Final = 7
TICKS_GOAL: Final = 3.0
SOONER_GOAL: Final = 20.0
COST_GOAL: Final = 0.01
STEPS: Final = (20, 40)


def run() -> Report:
    """Count ticks to the first preview, compare the times, and measure a preview's cost on the step loop."""
    bench = Bench(max_running=OTHERS + 1, preview_interval_s=1e-3)
    for number, job in enumerate(mixed(OTHERS, 64, (150, 150), seed=1), start=1_000):
        bench.submit(number, job)
    bench.engine.tick()
    ticks = [_ticks_to_preview(bench, job_id) for job_id in range(1, TRIES + 1)]
    for number in range(1_000, 1_000 + OTHERS):
        bench.engine.cancel(Cancel(job_id=number, attempt=1))
    bench.engine.run_until_idle()
    line = Bench(max_running=1, preview_interval_s=1e-3)
    sooner: list[float] = []
    for pair in range(PAIRS):
        first_s = [_seconds_to_preview(side, pair) for side in (bench, line)]
        sooner.append(first_s[1] / first_s[0])
    cost = _cost(bench)
    p95 = percentile(ticks, 95)
    return Report(
        name="preview",
        goal=f"p95 <= {TICKS_GOAL:g} ticks, >= {SOONER_GOAL:g}x sooner than in line, <= {COST_GOAL:.0%} of a tick",
        value=p95,
        holds=p95 <= TICKS_GOAL and statistics.median(sooner) >= SOONER_GOAL and cost <= COST_GOAL,
        median=statistics.median(ticks),
        minimum=min(ticks),
        pairs=TRIES,
        detail={
            "sooner_median": statistics.median(sooner),
            "sooner_min": min(sooner),
            "cost_of_a_tick": cost,
        },
    )


def _shown(bench: Bench, job_id: int) -> bool:
    return any(isinstance(event, Progress) and event.job_id == job_id and event.preview for event in bench.events)


def _ticks_to_preview(bench: Bench, job_id: int) -> float:
    bench.events.clear()
    bench.submit(job_id, request(num_inference_steps=30, seed=job_id))
    ticks = 0
    while not _shown(bench, job_id):
        bench.engine.tick()
        ticks += 1
    bench.engine.cancel(Cancel(job_id=job_id, attempt=1))
    bench.engine.tick()
    return float(ticks)


def _seconds_to_preview(bench: Bench, seed: int) -> float:
    """Seconds from the arrival of eight jobs to the first preview of the eighth."""
    bench.events.clear()
    jobs = mixed(OTHERS + 1, 64, STEPS, seed)
    started = time.perf_counter()
    for number, job in enumerate(jobs):
        bench.submit(number, job)
    while not _shown(bench, OTHERS):
        bench.engine.tick()
        if not bench.engine.has_work and not bench.engine.is_idle:
            time.sleep(0.001)
    seconds = time.perf_counter() - started
    bench.engine.run_until_idle()
    return seconds


def _cost(bench: Bench) -> float:
    """The share of a tick that a preview takes on the step loop's thread. All other work on it happens elsewhere."""
    spent: list[float] = []
    real = PreviewJobs.start_if_due

    def timed(self: PreviewJobs, job: DrawingJob) -> bool:
        started = time.thread_time()
        is_first = real(self, job)
        spent.append(time.thread_time() - started)
        return is_first

    PreviewJobs.start_if_due = timed
    try:
        started = time.thread_time()
        bench.draw([request(num_inference_steps=60)])
        total = time.thread_time() - started
    finally:
        PreviewJobs.start_if_due = real
    return sum(spent) / total
