"""The jobs that take turns on the device, and the forward passes of the next one."""

from collections.abc import Sequence
from functools import partial

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import Placement, work_clock
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.steps.batching.buckets import Bucket, Turns
from pipeline.engine.steps.batching.calibration import Calibration
from pipeline.engine.steps.batching.control_forwards import ControlForwards
from pipeline.engine.steps.batching.forwards import Forwards, Outcome
from pipeline.engine.steps.batching.shapes import ShapeBook
from pipeline.engine.steps.batching.solo_lane import SoloJob, SoloLane
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.protocol.wire.settings import EngineOptions


class Lanes:
    """Buckets of jobs that share forward passes, and jobs that run alone, in turns.

    Args:
        placement: the device.
        options: how many rows a forward pass may have, and the folder of measurements.
        activity: receives signs of progress while forward passes are measured.
    """

    def __init__(self, placement: Placement, options: EngineOptions, activity: Activity) -> None:
        shapes = ShapeBook(placement, options.batching, options.state_directory)
        controls = ControlForwards(shapes, placement, activity)
        self._placement = placement
        self._calibration = Calibration(shapes, controls, placement, activity)
        self._forwards = Forwards(shapes, controls, placement)
        self._turns = Turns()

    def __len__(self) -> int:
        """Number of lanes; each has jobs."""
        return len(self._turns)

    def measure(self, model: LoadedModel) -> None:
        """Measure forward passes for a model's default request."""
        self._calibration.run(model)

    def join(self, job: DenoisingJob) -> None:
        """Prepare a job's next step and put it into its bucket."""
        job.prepare_step()
        self._turns.add(job, partial(self._calibration.make_bucket, job))

    def add_alone(self, job: SoloJob) -> None:
        """Add a job that shares no forward pass."""
        self._turns.add_lane(SoloLane(job, work_clock(self._placement.device)))

    def remove(self, job: object) -> None:
        """Remove a job from its lane."""
        self._turns.remove(job)

    def draw_next(self) -> Sequence[Outcome] | SoloLane:
        """Run one forward pass of the next bucket, or give the lane of the next job that runs alone.

        Without jobs, nothing comes of it.
        """
        match self._turns.next():
            case Bucket() as bucket:
                return self._forwards.draw(bucket, bucket.take())
            case SoloLane() as lane:
                return lane
            case _:
                return ()

    def release(self) -> None:
        """Free unused device memory."""
        self._forwards.release()
