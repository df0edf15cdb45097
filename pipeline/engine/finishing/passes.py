"""Begins passes of jobs from pictures, which are made ready beside the steps of others."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.background import Background
from pipeline.engine.failures import raise_if_device_lost
from pipeline.engine.finishing.animating.morphs import begin_next_round, frames_of_round
from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.finishing.init_images import begin_from_picture, encoded, given_pictures
from pipeline.engine.finishing.refining import begin_refining, enlarged
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.engine.steps.jobs.morph_jobs import MorphJob
from pipeline.protocol.wire.messages import Submit

_T = TypeVar("_T")
_J = TypeVar("_J", bound=DenoisingJob)


class Passes:
    """The passes that begin from a picture.

    Args:
        decoder: turns pictures into latents and back.
        background: makes pictures ready beside the steps.
        activity: receives signs of progress.
        is_running: whether a job was not cancelled meanwhile.
        join: calls the beginning of a pass for a job, which then joins the steps; a failure of it is the job's alone.
    """

    def __init__(
        self,
        decoder: Decoder,
        background: Background,
        activity: Activity,
        is_running: Callable[[DenoisingJob], bool],
        join: Callable[[DenoisingJob, Callable[[], None]], None],
    ) -> None:
        self._decoder = decoder
        self._background = background
        self._activity = activity
        self._is_running = is_running
        self._join = join

    def begin_first(self, job: DenoisingJob, submit: Submit) -> None:
        """Begin the first pass once the given pictures are encoded."""
        work = partial(encoded, job, given_pictures(submit), self._decoder, self._activity.note_progress)
        self._background.on_device(work, partial(self._begin, job, begin_from_picture))

    def begin_second(self, job: DenoisingJob) -> None:
        """Begin the next pass once the drawn picture is enlarged, or the next round of a morph with its frames."""
        if isinstance(job, MorphJob):
            draw = partial(frames_of_round, job, self._decoder, self._activity.note_progress)
            self._background.on_device(draw, partial(self._begin, job, begin_next_round))
            return
        work = partial(enlarged, job, self._decoder, self._activity.note_progress)
        self._background.on_device(work, partial(self._begin, job, begin_refining))

    def _begin(self, job: _J, begin: Callable[[_J, _T], None], picture: Future[_T]) -> None:
        if self._is_running(job):
            self._join(job, lambda: begin(job, picture.result()))
        else:
            raise_if_device_lost(picture.exception())
