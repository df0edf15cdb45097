"""Previews of running jobs, drawn in the background of the step loop."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import torch
from PIL import Image

from pipeline.engine.device.background import Background
from pipeline.engine.failures import raise_if_device_lost
from pipeline.engine.pixels.image_check import ImageCheck
from pipeline.engine.pixels.previews import PreviewMap, as_preview, images_in
from pipeline.engine.steps.jobs.pipeline_jobs import DrawingJob
from pipeline.images.pasting import Paste


class PreviewJobs:
    """Starts previews when they are due.

    Args:
        interval_s: seconds between two previews of a job; 0 draws none.
        background: runs the drawing.
        show: receives each preview. A preview that fails is skipped, because the final picture may still succeed.
        image_check: judges the previews of jobs whose pictures may be hidden.
    """

    def __init__(
        self,
        interval_s: float,
        background: Background,
        show: Callable[[DrawingJob, bytes], None],
        image_check: ImageCheck,
    ) -> None:
        self._interval_s = interval_s
        self._background = background
        self._show = show
        self._image_check = image_check

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
        draw = self._drawing(job, preview)
        latents, paste = job.likely_latents(), job.paste
        work = partial(draw, latents)
        if paste is not None and paste.has_window:
            work = partial(_within, paste, work, len(latents))
        self._background.on_processor(work, partial(self._drawn, job))
        return job.preview.is_first_awaited

    def _drawing(self, job: DrawingJob, preview: PreviewMap) -> Callable[[torch.Tensor], bytes]:
        """How a preview is drawn: with details if nothing is hidden, or if the image check calls it harmless."""
        check, checking, decoder = self._image_check, job.checking, job.model.preview_decoder
        is_judged = check.judges_previews(checking)
        if is_judged is None or not is_judged:
            return job.preview.choose(preview, decoder, is_coarse=is_judged is not None)
        detailed = job.preview.choose(preview, decoder, is_coarse=False)

        def draw(latents: torch.Tensor) -> bytes:
            data = detailed(latents)
            return (
                data
                if check.is_harmless_preview(data, len(latents), checking)
                else preview.draw(latents, is_coarse=True)
            )

        return draw

    def _drawn(self, job: DrawingJob, drawn: Future[bytes]) -> None:
        job.preview.end()
        raise_if_device_lost(drawn.exception())
        if drawn.exception() is None:
            self._show(job, drawn.result())


def _within(paste: Paste, draw: Callable[[], bytes], count: int) -> bytes:
    """A preview of `count` images side by side that are enlarged windows, each shown within its whole picture."""
    wholes = [paste.shown_within(part) for part in images_in(draw(), count)]
    joined = Image.new("RGB", (sum(each.width for each in wholes), wholes[0].height))
    for index, each in enumerate(wholes):
        joined.paste(each, (index * each.width, 0))
    return as_preview(joined)
