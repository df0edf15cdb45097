"""Buckets for jobs, with forwards as large as the device was found to do well."""

import logging
import time

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import detail_of
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.steps.buckets import Bucket
from pipeline.engine.steps.jobs import DenoisingJob
from pipeline.engine.steps.preparing import begin_job, usual_job
from pipeline.engine.steps.shapes import ShapeBook

log = logging.getLogger(__name__)


class Calibration:
    """Makes buckets.

    Args:
        shapes: what is known of the device.
        placement: the device.
        activity: told of what was learnt.
    """

    def __init__(self, shapes: ShapeBook, placement: Placement, activity: Activity) -> None:
        self._shapes = shapes
        self._placement = placement
        self._activity = activity

    def make_bucket(self, job: DenoisingJob) -> Bucket:
        """One for a job whose step is prepared, and others like it.

        Raises:
            torch.OutOfMemoryError: not even the smallest forward fits the device.
        """
        if job.inputs is None:
            raise AssertionError("A job joins before its step was prepared.")
        shapes = self._shapes.shapes(job.model.spec.key, job.model.adapter, job.inputs.rows[0])
        self._activity.moved()
        return Bucket(job.bucket_key, job.model, shapes)

    def run(self, model: LoadedModel) -> None:
        """Find out which forwards suit a model's usual request; a whole pipeline has none."""
        if model.spec.facts.is_whole:
            return
        try:
            job = begin_job(usual_job(model.spec), model, self._placement, time.monotonic())
            job.prepare_step()
            self.make_bucket(job)
        # It comes too early to be anybody's failure: the first job meets it again, and is told.
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("The usual request of %s cannot be tried out: %s", model.spec.key, detail_of(error))
