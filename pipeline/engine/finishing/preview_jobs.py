"""Previews of running jobs, drawn in the background of the step loop."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from pipeline.engine.device.background import Background
from pipeline.engine.failures import raise_if_device_lost
from pipeline.engine.steps.jobs.pipeline_jobs import DrawingJob


class PreviewJobs:
    """Starts previews when they are due.

    Args:
        interval_s: seconds between two previews of a job; 0 draws none.
        background: runs the drawing.
        show: receives each preview. A preview that fails is skipped, because the final picture may still succeed.
    """

    def __init__(self, interval_s: float, background: Background, show: Callable[[DrawingJob, bytes], None]) -> None:
        self._interval_s = interval_s
        self._background = background
        self._show = show

    def start_if_due(self, job: DrawingJob) -> bool:
        """Start drawing a preview if one is due.

        Returns:
            True while the job's first preview is being drawn. Then the caller should skip this step's progress event,
            because the preview's event reports the progress as well. Clients limit how often they show events, so a
            separate event would delay the first preview.
        """
        preview = job.model.preview
        if preview is None or not job.can_preview or not job.preview.begin(self._interval_s):
            return job.preview.is_first_awaited
        draw = job.preview.choose(preview, job.model.preview_decoder, is_coarse=job.is_checked)
        self._background.on_processor(partial(draw, job.likely_latents()), partial(self._drawn, job))
        return job.preview.is_first_awaited

    def _drawn(self, job: DrawingJob, drawn: Future[bytes]) -> None:
        job.preview.end()
        raise_if_device_lost(drawn.exception())
        if drawn.exception() is None:
            self._show(job, drawn.result())
