"""Previews of running jobs, drawn beside the steps."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from pipeline.engine.device.background import Background
from pipeline.engine.failures import heed_loss
from pipeline.engine.steps.pipeline_jobs import AnyJob


class PreviewJobs:
    """Has previews drawn when they are due.

    Args:
        interval_s: seconds between two of a job; 0 draws none.
        background: where they are drawn.
        show: takes each, unless it could not be drawn: then it is left out, and the picture itself may still be one.
    """

    def __init__(self, interval_s: float, background: Background, show: Callable[[AnyJob, bytes], None]) -> None:
        self._interval_s = interval_s
        self._background = background
        self._show = show

    def start_if_due(self, job: AnyJob) -> bool:
        """Have a preview drawn, if one is due; whether the job's first is awaited, which says where the job is.

        Whoever shows a job's words with a rest between them then shows its first picture at once.
        """
        preview = job.model.preview
        if preview is None or not job.can_preview or not job.preview.begin(self._interval_s):
            return job.preview.is_first_awaited
        draw = job.preview.choose(preview, job.model.preview_decoder, is_coarse=job.is_checked)
        self._background.on_processor(partial(draw, job.likely_latents()), partial(self._drawn, job))
        return job.preview.is_first_awaited

    def _drawn(self, job: AnyJob, drawn: Future[bytes]) -> None:
        job.preview.end()
        heed_loss(drawn.exception())
        if drawn.exception() is None:
            self._show(job, drawn.result())
