"""Lane of a job that shares no forward pass: it takes turns with the buckets."""

from collections.abc import Callable
from typing import TypeAlias

from pipeline.engine.steps.batching.buckets import Lane
from pipeline.engine.steps.jobs.cutout_jobs import CutoutJob
from pipeline.engine.steps.jobs.pipeline_jobs import PipelineJob
from pipeline.engine.steps.jobs.upscale_jobs import UpscaleJob

SoloJob: TypeAlias = PipelineJob | UpscaleJob | CutoutJob
"""A job that runs alone, one step of its own at a time."""


class SoloLane(Lane):
    """Lane of one job; its turn is one step of the job.

    Args:
        job: the job.
        clock: returns seconds, as the clock that times forward passes.
    """

    def __init__(self, job: SoloJob, clock: Callable[[], float]) -> None:
        super().__init__()
        self.job = job
        self._clock = clock
        self._is_left = False
        # The first step costs nothing, so it runs at once. Its time is then the estimate for the next one.
        self._cost_s = 0.0

    def __len__(self) -> int:
        """Number of jobs: 1, or 0 after `remove`."""
        return 0 if self._is_left else 1

    @property
    def cost_s(self) -> float:
        """Expected seconds of the next step: the time of the last one."""
        return self._cost_s

    @property
    def weight(self) -> float:
        """Always 1, because a lane has one job."""
        return 1.0

    def remove(self, job: object) -> None:
        """Close the job, if it is this lane's."""
        if job is self.job:
            self._is_left = True
            self.job.close()

    def advance(self) -> bool:
        """Run one step of the job.

        Returns:
            True when there is more to do.

        Raises:
            Exception: any exception of the job.
        """
        began = self._clock()
        is_going_on = self.job.advance()
        self._cost_s = self._clock() - began
        return is_going_on
