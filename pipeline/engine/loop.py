"""The engine: one step of every running job a tick.

One job runs at a time today. A tick is written for several: each job brings its rows to one forward of the
U-Net and takes its own answer away, with its own timestep, guidance, scheduler and generators.
"""

import gc
import inspect
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import torch

from pipeline.engine.activity import Activity
from pipeline.engine.devices import Placement, release_memory
from pipeline.engine.failures import DeviceLost, ModelUnavailable, detail_of, reason_of
from pipeline.engine.finishing import Finisher
from pipeline.engine.jobs import JobName, RunningJob
from pipeline.engine.latents import check_finite, first_noise, generators_for
from pipeline.engine.loading import LoadedModel, load_model
from pipeline.engine.loras.shelf import LoraShelf
from pipeline.engine.previews import PreviewTurn
from pipeline.engine.refining import begin_refining
from pipeline.engine.safety_checker import SafetyChecker
from pipeline.engine.schedulers import build_scheduler, denoised_latents, sampler_named
from pipeline.engine.validation import check_multiple, check_request
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.messages import Cancel, Failed, JobEvent, Phase, Progress, Submit
from pipeline.protocol.models import ModelSpec

log = logging.getLogger(__name__)

MAX_RUNNING: Final = 1
"""Jobs that share a tick."""


class Engine:
    """Runs attempts, one after the other. Everything but `emit` is called from one thread.

    Args:
        models: the catalogue.
        placement: device and precision.
        preview_interval_s: seconds between two previews of a job; 0 sends none.
        cache_directory: where downloads from a hub are kept.
        safety_checker: of pictures; None checks none.
        shelf: the owner's LoRAs; None has none.
        emit: takes words about attempts; called from the step loop and from the thread that encodes.
        activity: told what the engine does.
    """

    def __init__(
        self,
        *,
        models: Mapping[str, ModelSpec],
        placement: Placement,
        preview_interval_s: float,
        cache_directory: str | None,
        safety_checker: SafetyChecker | None = None,
        shelf: LoraShelf | None = None,
        emit: Callable[[JobEvent], None],
        activity: Activity,
    ) -> None:
        self._models = models
        self._placement = placement
        self._preview_interval_s = preview_interval_s
        self._cache_directory = cache_directory
        self._safety_checker = safety_checker
        self._shelf = shelf or LoraShelf(None)
        self._emit = emit
        self._activity = activity
        self._waiting: deque[tuple[Submit, float]] = deque()
        self._running: dict[JobName, RunningJob] = {}
        self._cancelled: set[JobName] = set()
        self._loaded: LoadedModel | None = None
        self._encoders = ThreadPoolExecutor(max_workers=2, thread_name_prefix="encode")

    @property
    def has_work(self) -> bool:
        """There is something for a tick to do."""
        return bool(self._waiting or self._running)

    def submit(self, message: Submit) -> None:
        """Take an attempt in; it waits for its turn."""
        self._waiting.append((message, time.monotonic()))

    def cancel(self, message: Cancel) -> None:
        """Stop an attempt at the next tick; one that is not here has had its last word already."""
        name = (message.job_id, message.attempt)
        is_waiting = any((submit.job_id, submit.attempt) == name for submit, _ in self._waiting)
        if is_waiting or name in self._running:
            self._cancelled.add(name)

    def preload(self, model_key: str) -> None:
        """Load a model before the first job.

        Raises:
            ModelUnavailable: it cannot be loaded.
        """
        try:
            self._require_model(model_key)
        finally:
            self._activity.enter("idle")

    def close(self) -> None:
        """Wait for pictures that are being encoded."""
        self._encoders.shutdown(wait=True)

    def tick(self) -> None:
        """One step of every running job, and what comes before and after it.

        Raises:
            DeviceLost: the device failed for good; its jobs have been told.
        """
        self._drop_cancelled()
        self._admit()
        jobs = list(self._running.values())
        if jobs and self._guarded([job.name for job in jobs], lambda: self._step(jobs)):
            for job in jobs:
                self._guarded([job.name], lambda job=job: self._after_step(job))
        if not self.has_work:
            self._activity.enter("idle")

    def _drop_cancelled(self) -> None:
        for name in self._cancelled:
            self._running.pop(name, None)
            self._waiting = deque(e for e in self._waiting if (e[0].job_id, e[0].attempt) != name)
            self._fail(name, FailureReason.CANCELLED, "")
        self._cancelled.clear()

    def _admit(self) -> None:
        while self._waiting and len(self._running) < MAX_RUNNING:
            submit, _ = self._waiting.popleft()
            self._guarded([(submit.job_id, submit.attempt)], lambda submit=submit: self._start(submit))

    def _start(self, submit: Submit) -> None:
        started_at = time.monotonic()
        request = submit.request
        name = (submit.job_id, submit.attempt)
        check_request(request)
        if submit.is_checked and self._safety_checker is None:
            raise ModelUnavailable("There is no safety checker, and nothing may be shown without it.")
        sampler = sampler_named(request.scheduler_name)
        total_steps = request.num_inference_steps + request.refining_steps
        if self._loaded is None or self._loaded.spec.key != request.model_key:
            self._progress(name, "loading", 0, total_steps, started_at)
        model = self._require_model(request.model_key)
        self._activity.enter("running")
        adapter = model.adapter
        check_multiple(request, adapter.scale_factor)
        text = adapter.encode_text(request)
        generators = generators_for(request)
        scheduler = build_scheduler(sampler, adapter.scheduler_config, request.num_inference_steps, generators)
        height, width = request.height // adapter.scale_factor, request.width // adapter.scale_factor
        shape = (request.num_images, adapter.latent_channels, height, width)
        noise = first_noise(request, shape, generators, self._placement.device, self._placement.latents_dtype)
        now = time.monotonic()
        self._running[name] = RunningJob(
            name=name,
            request=request,
            is_checked=submit.is_checked,
            sampler=sampler,
            scheduler=scheduler,
            generators=generators,
            text=text,
            latents=noise * scheduler.init_noise_sigma,
            started_at=started_at,
            denoise_started_at=now,
            preview=PreviewTurn(now),
            total_steps=total_steps,
        )
        self._progress(name, "running", 0, total_steps, started_at)

    def _require_model(self, model_key: str) -> LoadedModel:
        if self._loaded is not None and self._loaded.spec.key == model_key:
            return self._loaded
        spec = self._models.get(model_key)
        if spec is None:
            raise ModelUnavailable(f"The catalogue has no model {model_key!r}.")
        self._activity.enter("loading")
        # Two models need not fit the device together.
        self._loaded = None
        self._collect()
        self._loaded = load_model(spec, self._placement, self._cache_directory, self._activity.moved, self._shelf)
        return self._loaded

    @torch.inference_mode()
    def _step(self, jobs: list[RunningJob]) -> None:
        """One forward for all rows: unconditional ones first, as diffusers has them, then one an image."""
        model = self._model
        for job in jobs:
            job.model_input = job.scheduler.scale_model_input(job.latents, job.timestep)
        blocks = [(job, job.rows(job.text.negative.at(job.step))) for job in jobs if job.text.negative is not None]
        blocks += [(job, job.rows(job.text.positive.at(job.step))) for job in jobs]
        inputs = torch.cat([_input_of(job) for job, _ in blocks])
        timesteps = torch.cat([job.timestep.expand(len(job.latents)) for job, _ in blocks])
        conditioning = {key: torch.cat([rows[key] for _, rows in blocks]) for key in blocks[0][1]}
        loras = [job.text.lora for job, _ in blocks for _ in range(len(job.latents))]
        answer = model.adapter.predict(inputs, timesteps.to(self._placement.device), conditioning, loras)
        parts = answer.split([len(job.latents) for job, _ in blocks])
        by_job: dict[JobName, list[torch.Tensor]] = {}
        for (job, _), part in zip(blocks, parts, strict=True):
            by_job.setdefault(job.name, []).append(part)
        for job in jobs:
            self._advance(job, by_job[job.name])

    def _advance(self, job: RunningJob, parts: list[torch.Tensor]) -> None:
        """Guidance and the scheduler's step; `parts` is [unconditional and] conditional."""
        prediction = parts[-1]
        if job.is_guided:
            prediction = parts[0] + job.request.guidance_scale * (parts[1] - parts[0])
        job.prediction = prediction
        takes_generator = "generator" in inspect.signature(job.scheduler.step).parameters
        extra = {"generator": job.generators} if takes_generator else {}
        job.latents = job.scheduler.step(prediction, job.timestep, job.latents, return_dict=False, **extra)[0]
        job.evaluation += 1

    def _after_step(self, job: RunningJob) -> None:
        # Reading the latents also waits for the device, so that a reported step is a step done.
        check_finite(job.latents)
        self._activity.moved()
        if job.is_between_steps:
            preview = self._due_preview(job)
            self._progress(job.name, "running", job.steps_done, job.total_steps, job.started_at, preview)
        if job.is_denoised and job.steps_done < job.total_steps:
            begin_refining(job, self._model)
        elif job.is_denoised:
            checker = self._safety_checker if job.is_checked else None
            finisher = Finisher(job, self._model, checker, self._activity.moved)
            finisher.decode()
            del self._running[job.name]
            self._encoders.submit(self._encode, finisher)

    def _encode(self, finisher: Finisher) -> None:
        name = finisher.name
        try:
            finished = finisher.encode()
        # Whatever it is, this job's last word is that it failed; it happens outside the step loop.
        except Exception as error:
            log.exception("Job %d could not be encoded.", name[0])
            self._fail(name, reason_of(error), detail_of(error))
        else:
            self._emit(finished)

    def _due_preview(self, job: RunningJob) -> bytes:
        if job.is_denoised or job.prediction is None:
            return b""
        if not job.preview.is_due(self._preview_interval_s):
            return job.preview.take()
        timestep = job.scheduler.timesteps[job.evaluation - 1]
        latents = denoised_latents(job.scheduler, _input_of(job), job.prediction, timestep)
        model = self._model
        return job.preview.draw(latents, model.preview, model.preview_decoder, self._encoders, is_coarse=job.is_checked)

    @property
    def _model(self) -> LoadedModel:
        if self._loaded is None:
            raise ModelUnavailable("No model is loaded.")
        return self._loaded

    def _guarded(self, names: list[JobName], work: Callable[[], None]) -> bool:
        """Do work for these jobs; True when it went well, else they have failed and the engine lives on."""
        try:
            work()
        # A job's failure, whatever it is, becomes its last word and must not end the other jobs.
        except Exception as error:
            reason, detail = reason_of(error), detail_of(error)
            if reason is FailureReason.INTERNAL:
                log.exception("Jobs %s failed.", names)
        else:
            return True
        for name in names:
            self._running.pop(name, None)
            self._fail(name, reason, detail)
        if reason is FailureReason.DEVICE_ERROR:
            raise DeviceLost(detail)
        self._collect()
        return False

    def _collect(self) -> None:
        gc.collect()
        release_memory(self._placement.device)

    def _fail(self, name: JobName, reason: FailureReason, detail: str) -> None:
        log.info("Job %d, attempt %d: %s %s", *name, reason, detail)
        self._emit(Failed(job_id=name[0], attempt=name[1], reason=reason, detail=detail))

    def _progress(
        self, name: JobName, phase: Phase, step: int, total: int, started_at: float, preview: bytes = b""
    ) -> None:
        self._emit(
            Progress(
                job_id=name[0],
                attempt=name[1],
                phase=phase,
                step=step,
                total_steps=total,
                elapsed_s=time.monotonic() - started_at,
                preview=preview,
            )
        )


def _input_of(job: RunningJob) -> torch.Tensor:
    if job.model_input is None:
        raise AssertionError("A job steps before its input is scaled.")
    return job.model_input
