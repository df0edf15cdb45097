"""The engine: each tick runs one forward pass over rows of several jobs, then gives each job its own predictions."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.background import Background
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import (
    DeviceLost,
    detail_of,
    drop_tracebacks,
    reason_of,
)
from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.finishing.finishing import Finishing
from pipeline.engine.finishing.init_images import needs_pictures
from pipeline.engine.finishing.passes import Passes
from pipeline.engine.finishing.preview_jobs import PreviewJobs
from pipeline.engine.finishing.recipes import Recipes
from pipeline.engine.finishing.reporting import Reporter
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.cache import ModelCache
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.models.networks import CacheEntry
from pipeline.engine.pixels.image_check import ImageCheck
from pipeline.engine.pixels.text_mask import TextMask
from pipeline.engine.sampling.latents import check_finite
from pipeline.engine.starting import JobStarter
from pipeline.engine.steps.admission import WaitingAttempts, name_of
from pipeline.engine.steps.batching.buckets import Share
from pipeline.engine.steps.batching.forwards import Outcome
from pipeline.engine.steps.batching.lanes import Lanes
from pipeline.engine.steps.batching.solo_lane import SoloLane
from pipeline.engine.steps.jobs.cutout_jobs import CutoutJob
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.engine.steps.jobs.pipeline_jobs import DrawingJob, PipelineJob
from pipeline.engine.steps.jobs.upscale_jobs import EngineJob, UpscaleJob
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.wire.messages import Cancel, FindPart, FoundPart, JobEvent, Submit
from pipeline.protocol.wire.settings import EngineOptions

log = logging.getLogger(__name__)


class Engine:
    """Runs attempts.

    One thread calls every method, and `emit` is called in that thread. Only `wake` is called from other threads.

    Args:
        models: the catalogue's models and networks, by key.
        placement: device and precision.
        options: settings of the engine.
        image_check: rates the given and the finished pictures; None stands for one without the owner's thresholds.
        text_mask: marks what words name; None marks nothing.
        loras: the owner's LoRA folder; None offers no LoRA.
        emit: receives each event of an attempt.
        wake: called when background work has given the next tick something to do.
        activity: receives the engine's present state and signs of progress.
    """

    def __init__(
        self,
        *,
        models: Mapping[str, CacheEntry],
        placement: Placement,
        options: EngineOptions,
        image_check: ImageCheck | None = None,
        text_mask: TextMask | None = None,
        loras: LoraFolder | None = None,
        emit: Callable[[JobEvent], None],
        wake: Callable[[], None] = lambda: None,
        activity: Activity,
    ) -> None:
        image_check = image_check or ImageCheck(None, placement=placement)
        self._max_running = options.max_running
        self._text_mask = text_mask
        self._reporter = Reporter(emit)
        self._activity = activity
        self._cache = ModelCache(models, placement, options, activity, loras)
        self._starter = JobStarter(self._cache, placement, self._reporter, image_check, activity)
        self._lanes = Lanes(placement, options, activity)
        self._decoder = Decoder(placement, options.state_directory)
        self._background = Background(placement, wake, activity)
        self._finishing = Finishing(
            output=options.output,
            recipes=Recipes(placement, options.state_directory),
            image_check=image_check,
            decoder=self._decoder,
            activity=activity,
            background=self._background,
            emit=self._reporter.emit,
            guarded=self._guarded,
        )
        self._preview_jobs = PreviewJobs(options.preview_interval_s, self._background, self._show, image_check)
        self._passes = Passes(
            self._decoder, self._background, activity, lambda job: job.name in self._running, self._join_guarded
        )
        self._waiting = WaitingAttempts()
        self._running: dict[AttemptId, EngineJob] = {}
        self._cancelled: set[AttemptId] = set()

    @property
    def has_work(self) -> bool:
        """True when a tick has something to do.

        Waiting attempts count only while no background work runs. While it runs, its result triggers the next tick.
        """
        can_start = bool(self._waiting) and not self._background.is_busy
        return bool(self._lanes or self._cancelled or self._background.has_returned or can_start)

    @property
    def is_idle(self) -> bool:
        """True when every attempt has ended."""
        return not (self._waiting or self._running or self._finishing.jobs or self._background.is_busy)

    def submit(self, message: Submit) -> None:
        """Add an attempt to the waiting ones; a tick starts it when a running place is free."""
        self._waiting.add(message)

    def cancel(self, message: Cancel) -> None:
        """Stop an attempt at the next tick; an unknown attempt has already ended and is ignored."""
        name = (message.job_id, message.attempt)
        if name in self._running or name in self._waiting:
            self._cancelled.add(name)

    def find_part(self, asked: FindPart, answer: Callable[[FoundPart], None]) -> None:
        """Mark the part of a picture that words name, beside the steps, and give the answer."""
        if self._text_mask is None:
            answer(FoundPart(question=asked.question, detail="There is no text mask model."))
            return
        work = partial(self._text_mask.find, asked)
        self._background.on_processor(work, lambda found: answer(found.result()))

    def preload(self, model_key: str) -> None:
        """Load a model before the first job, and measure forward passes for its default request.

        Raises:
            ModelUnavailable: the model cannot be loaded.
        """
        try:
            model = self._cache.take(model_key)
            if isinstance(model, LoadedModel):
                self._lanes.measure(model)
        finally:
            self._activity.enter("idle")

    def close(self) -> None:
        """Wait until all pictures in progress are decoded and encoded, and emit their events."""
        while self._background.is_busy:
            self._background.wait()
            self._background.collect()
        self._background.close()

    def run_until_idle(self) -> None:
        """Tick until every attempt has ended; for callers that wait for nothing else."""
        while not self.is_idle:
            self.tick()
            if not self.has_work and not self.is_idle:
                self._background.wait()

    def tick(self) -> None:
        """Collect background results, cancel and admit attempts, then run one forward pass.

        Raises:
            DeviceLost: the device failed for good. The jobs whose work failed have been reported as failed. The parent
                process sees this process end and retries the others.
        """
        with self._activity.at_work():
            self._background.collect()
            self._drop_cancelled()
            self._admit()
            self._draw_next()
        if self.is_idle:
            self._activity.enter("idle")

    def _draw_next(self) -> None:
        """Run one forward pass of the next bucket, or one step of the next job that runs alone."""
        drawn = self._lanes.draw_next()
        if isinstance(drawn, SoloLane):
            self._guarded([drawn.job.name], partial(self._advance, drawn))
            return
        for outcome in drawn:
            self._give_predictions(outcome)

    def _drop_cancelled(self) -> None:
        for name in self._cancelled:
            job = self._running.pop(name, None)
            if job is not None:
                self._lanes.remove(job)
            self._waiting.remove(name)
            self._reporter.failed(name, FailureReason.CANCELLED, "")
        self._cancelled.clear()

    def _admit(self) -> None:
        """Start waiting attempts, up to `max_running`."""
        while len(self._running) < self._max_running:
            busy = {job.model.spec.key for job in self._running.values() if isinstance(job, PipelineJob)}
            submit = self._waiting.take(lambda request: self._starter.may_start(request, self._jobs), busy)
            if submit is None:
                return
            self._guarded([name_of(submit)], partial(self._start, submit))

    @property
    def _jobs(self) -> tuple[EngineJob, ...]:
        """Running and finishing jobs."""
        return (*self._running.values(), *self._finishing.jobs.values())

    def _start(self, submit: Submit) -> None:
        job = self._starter.start(submit, self._jobs)
        self._running[job.name] = job
        if isinstance(job, PipelineJob | UpscaleJob | CutoutJob):
            self._lanes.add_alone(job)
        elif needs_pictures(job):
            self._passes.begin_first(job, submit)
        else:
            self._lanes.join(job)

    def _join_guarded(self, job: DenoisingJob, begin: Callable[[], None]) -> None:
        self._guarded([job.name], lambda: begin() or self._lanes.join(job))

    def _give_predictions(self, outcome: Outcome) -> None:
        if outcome.failure is not None:
            self._end_failed([share.job.name for share in outcome.shares], outcome.failure)
            return
        for share, predictions in outcome.parts():
            self._guarded([share.job.name], partial(self._take_predictions, share, predictions))

    def _take_predictions(self, share: Share, predictions: Sequence[torch.Tensor]) -> None:
        job = share.job
        if job.inputs is None:
            raise AssertionError("Predictions came before the step was prepared.")
        job.inputs.add_predictions(predictions)
        if job.inputs.remaining:
            return
        job.advance()
        # Reading the latents waits for the device. So a reported step is really done.
        check_finite(job.latents)
        self._activity.note_progress()
        if job.is_between_steps and not self._preview_jobs.start_if_due(job):
            self._reporter.progress(job)
        if not job.is_denoised:
            self._lanes.join(job)
            return
        self._lanes.remove(job)
        if job.next_pass is not None:
            self._passes.begin_second(job)
        else:
            self._finish(job)

    def _finish(self, job: EngineJob) -> None:
        self._finishing.finish(self._running.pop(job.name))

    def _advance(self, lane: SoloLane) -> None:
        """Run one step of a job that runs alone."""
        is_going_on, job = lane.advance(), lane.job
        self._activity.note_progress()
        if is_going_on:
            self._reporter.progress(job)
            if isinstance(job, PipelineJob):
                self._preview_jobs.start_if_due(job)
        else:
            self._lanes.remove(job)
            self._finish(job)

    def _show(self, job: DrawingJob, preview: bytes) -> None:
        if job.name in self._running:
            self._reporter.progress(job, preview)

    def _guarded(self, names: Sequence[AttemptId], work: Callable[[], object]) -> bool:
        """Call `work` for these jobs; on an exception the jobs fail, the engine continues, and the result is False."""
        try:
            work()
        # Any exception fails only these jobs: it must not end the others.
        except Exception as error:  # noqa: BLE001 - see above
            failure = error
        else:
            return True
        self._end_failed(names, failure)
        return False

    def _end_failed(self, names: Sequence[AttemptId], failure: Exception) -> None:
        reason, detail = reason_of(failure), detail_of(failure)
        if reason is FailureReason.INTERNAL:
            log.error("Jobs %s failed.", names, exc_info=failure)
        drop_tracebacks(failure)
        for name in names:
            job = self._running.pop(name, None)
            if job is not None:
                self._lanes.remove(job)
            self._finishing.jobs.pop(name, None)
            self._reporter.failed(name, reason, detail)
        if reason is FailureReason.DEVICE_ERROR:
            raise DeviceLost(detail)
        self._lanes.release()
