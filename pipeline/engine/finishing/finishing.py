"""The end of jobs: their finishers run beside the steps, and their final events are emitted."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.background import Background
from pipeline.engine.finishing.animating.making_of import MakingOfFinisher
from pipeline.engine.finishing.animating.morphs import MorphFinisher
from pipeline.engine.finishing.cutouts import CutoutFinisher
from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.finishing.finisher import Finisher
from pipeline.engine.finishing.recipes import Recipes
from pipeline.engine.finishing.upscaled import UpscaleFinisher
from pipeline.engine.pixels.image_check import ImageCheck
from pipeline.engine.steps.jobs.cutout_jobs import CutoutJob
from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.engine.steps.jobs.morph_jobs import MorphJob
from pipeline.engine.steps.jobs.traced_jobs import TracedJob
from pipeline.engine.steps.jobs.upscale_jobs import EngineJob, UpscaleJob
from pipeline.protocol.wire.messages import Finished
from pipeline.protocol.wire.settings import ImageOutput


class Finishing:
    """Finishes jobs: decodes on the device, then encodes on a processor, then emits the final event.

    Args:
        output: format of the image files.
        recipes: makes the recipes of jobs.
        image_check: rates the pictures of jobs.
        decoder: decodes and enlarges.
        activity: receives each finished picture as a sign of progress.
        background: runs the work beside the steps.
        emit: receives the final event of an attempt.
        guarded: calls work for these attempts; they fail with its exception, and the result is False.
    """

    def __init__(
        self,
        *,
        output: ImageOutput,
        recipes: Recipes,
        image_check: ImageCheck,
        decoder: Decoder,
        activity: Activity,
        background: Background,
        emit: Callable[[Finished], None],
        guarded: Callable[[Sequence[AttemptId], Callable[[], object]], bool],
    ) -> None:
        self._output = output
        self._recipes = recipes
        self._image_check = image_check
        self._decoder = decoder
        self._activity = activity
        self._background = background
        self._emit = emit
        self._guarded = guarded
        self.jobs: dict[AttemptId, EngineJob] = {}

    def finish(self, job: EngineJob) -> None:
        """Finish a job whose steps are done; `jobs` has it until its final event is emitted."""
        self.jobs[job.name] = job
        finisher = self._finisher_of(job)
        self._background.on_device(finisher.decode, partial(self._encode, finisher))

    def _finisher_of(self, job: EngineJob) -> Finisher | UpscaleFinisher | CutoutFinisher:
        check, progress = self._image_check, self._activity.note_progress
        if isinstance(job, UpscaleJob):
            return UpscaleFinisher(job, self._output, self._recipes, check)
        if isinstance(job, CutoutJob):
            return CutoutFinisher(job, self._output, self._recipes, check)
        if isinstance(job, MorphJob):
            return MorphFinisher(job, self._output, self._recipes, check, self._decoder, progress)
        if isinstance(job, TracedJob):
            return MakingOfFinisher(job, self._output, self._recipes, check, self._decoder, progress)
        return Finisher(job, self._output, self._recipes, check, self._decoder, progress)

    def _encode(self, finisher: Finisher | UpscaleFinisher | CutoutFinisher, decoded: Future[None]) -> None:
        if self._guarded([finisher.name], decoded.result):
            self._background.on_processor(finisher.encode, partial(self._end, finisher.name))

    def _end(self, name: AttemptId, encoded: Future[Finished]) -> None:
        if self._guarded([name], lambda: self._emit(encoded.result())):
            del self.jobs[name]
