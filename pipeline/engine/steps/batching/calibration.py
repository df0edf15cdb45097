"""Makes batches no larger than measurements show to be worthwhile on this device."""

import dataclasses
import logging
import time

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import detail_of
from pipeline.engine.families.any_pipeline import AnyPipeline
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.steps.batching.buckets import Bucket
from pipeline.engine.steps.batching.control_forwards import ControlForwards
from pipeline.engine.steps.batching.shapes import ShapeBook
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.engine.steps.preparing import begin_job, usual_job

log = logging.getLogger(__name__)


class Calibration:
    """Makes buckets whose row counts were measured.

    Args:
        shapes: measured row counts.
        controls: runs the control nets of a job whose bucket is its own.
        placement: the device.
        activity: told when a measurement is done.
    """

    def __init__(self, shapes: ShapeBook, controls: ControlForwards, placement: Placement, activity: Activity) -> None:
        self._shapes = shapes
        self._controls = controls
        self._placement = placement
        self._activity = activity

    def make_bucket(self, job: DenoisingJob) -> Bucket:
        """Make a bucket for a job whose step is prepared.

        Raises:
            torch.OutOfMemoryError: not even the smallest forward pass fits the device.
        """
        if job.inputs is None:
            raise AssertionError("A job joins before its step was prepared.")
        # The last row has every control of the job; in guess mode the first one has none.
        row = job.inputs.rows[-1]
        if not job.keeps_apart:
            # With LoRAs or references and without, a forward pass is then the same, but for what each row adds.
            row = dataclasses.replace(row, references=None, lora=None)
        if job.is_controlled_apart:
            residuals = self._controls.residuals([row], 1)
            row = dataclasses.replace(row, conditioning={**row.conditioning, **residuals})
        shapes = self._shapes.shapes(job.model.network_name, job.model.adapter, row)
        self._activity.note_progress()
        return Bucket(job.bucket_key, job.model, shapes)

    def run(self, model: LoadedModel) -> None:
        """Measure the forward passes of a model's default request; a whole pipeline shares none, so it is skipped."""
        if isinstance(model.drawing, AnyPipeline):
            return
        try:
            job = begin_job(usual_job(model.spec), model, self._placement, time.monotonic())
            job.prepare_step()
            self.make_bucket(job)
        # No job exists yet that could fail. The first job meets the same error and reports it.
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("The usual request of %s cannot be tried out: %s", model.spec.key, detail_of(error))
