"""One attempt while the engine has it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

from pipeline.engine.families.base import EncodedText
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.pixels.previews import PreviewTurn
from pipeline.engine.sampling.schedulers import denoised_latents, scaled_input, takes_generators
from pipeline.engine.steps.rows import StepInputs
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import Sampler

AttemptId = tuple[int, int]
"""`(job_id, attempt)`."""

BucketKey = tuple[str, tuple[int, ...], tuple[tuple[str, tuple[int, ...]], ...]]
"""Model, shape of a row's latents, and names and shapes of a row's conditioning: what one forward must share."""

_UNCONDITIONAL: Final = 0


@dataclass(slots=True, kw_only=True, eq=False)
class DenoisingJob:
    """Everything of one job that changes from step to step; nothing is shared with another job.

    Attributes:
        is_checked: what the content check flags is not shown.
        model: what draws it.
        scheduler: a diffusers scheduler with its timesteps set.
        generators: one an image, on the CPU.
        text: conditioning with one row; every image has the same.
        latents: [images, c, h, w] in the latents' precision.
        evaluation: the scheduler's timestep that is next.
        first_evaluation: the one that this pass began with; a second pass leaves out the noisiest.
        steps_before: steps of the passes before this one.
        total_steps: steps of all passes.
        row_counts: rows that its forwards may have.
        inputs: of the next step, with the predictions that came so far.
        model_input: what the last forward got, [images, c, h, w].
        prediction: what it answered after guidance.
        started_at: monotonic seconds.
        denoise_started_at: monotonic seconds.
        preview: when the next one is due.
    """

    name: AttemptId
    request: GenerationRequest
    is_checked: bool
    model: LoadedModel
    sampler: Sampler
    scheduler: Any
    generators: list[torch.Generator]
    text: EncodedText
    latents: torch.Tensor
    started_at: float
    denoise_started_at: float
    preview: PreviewTurn
    total_steps: int
    evaluation: int = 0
    first_evaluation: int = 0
    steps_before: int = 0
    row_counts: tuple[int, ...] = ()
    inputs: StepInputs | None = None
    model_input: torch.Tensor | None = None
    prediction: torch.Tensor | None = None

    @property
    def bucket_key(self) -> BucketKey:
        """Jobs of the same one can share a forward."""
        conditioning = self.text.positive.at(1)
        shapes = sorted((name, tuple(tensor.shape[1:])) for name, tensor in conditioning.items())
        return self.model.spec.key, tuple(self.latents.shape[1:]), tuple(shapes)

    @property
    def timestep(self) -> torch.Tensor:
        """The present timestep, a scalar on the CPU."""
        return self.scheduler.timesteps[self.evaluation]

    @property
    def is_denoised(self) -> bool:
        """Every evaluation of this pass is done."""
        return self.evaluation == len(self.scheduler.timesteps)

    @property
    def is_guided(self) -> bool:
        """The evaluation that is next has unconditional rows."""
        return self.text.negative is not None and self.request.guides(self.step, self.total_steps)

    @property
    def steps_done(self) -> int:
        """Steps as members count them: one that evaluates twice is done after its second evaluation."""
        done = self.evaluation - self.first_evaluation
        # A pass of two evaluations a step has one in its last step.
        return self.steps_before + -(-done // self.sampler.evaluations_per_step)

    @property
    def step(self) -> int:
        """The step that is being drawn, counted from 1."""
        done = self.evaluation - self.first_evaluation
        return self.steps_before + done // self.sampler.evaluations_per_step + 1

    @property
    def is_between_steps(self) -> bool:
        """No step is half done."""
        return self.is_denoised or self.evaluation % self.sampler.evaluations_per_step == 0

    @property
    def scheduler_class(self) -> str:
        """Its class in diffusers."""
        return self.sampler.scheduler_class

    @property
    def lora_digests(self) -> Mapping[str, str]:
        """SHA-256 of the LoRAs that were used, by name."""
        return self.text.lora_digests

    @property
    def embedding_digests(self) -> Mapping[str, str]:
        """SHA-256 of the embeddings that were used, by name."""
        return self.text.embedding_digests

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Facts for the requester."""
        return self.text.notices

    @property
    def can_preview(self) -> bool:
        """There is something to be shown, and more to come."""
        return self.model_input is not None and self.prediction is not None and not self.is_denoised

    def likely_latents(self) -> torch.Tensor:
        """What the model takes the finished latents to be, [images, c, h, w]."""
        if self.model_input is None or self.prediction is None:
            raise AssertionError("There is nothing to be shown.")
        timestep = self.scheduler.timesteps[self.evaluation - 1]
        return denoised_latents(self.scheduler, self.model_input, self.prediction, timestep)

    def decoded(self, decode: Callable[[LoadedModel, torch.Tensor], torch.Tensor]) -> Iterator[torch.Tensor]:
        """Each finished picture, [1, 3, H, W] from 0 to 1: one at a time, which takes the least memory."""
        for latents in self.latents.split(1):
            yield decode(self.model, latents)

    def elapsed_s(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self.started_at

    def prepare_step(self) -> None:
        """Begin the evaluation that is next."""
        texts = [self.text.positive.at(self.step)]
        if self.is_guided and self.text.negative is not None:
            texts.insert(_UNCONDITIONAL, self.text.negative.at(self.step))
        scaled = scaled_input(self.scheduler, self.latents, self.timestep)
        self.inputs = StepInputs(scaled, self.timestep, texts, self.text.lora)

    @torch.inference_mode()
    def advance(self) -> None:
        """Guidance and the scheduler's step, once every row has its prediction."""
        if self.inputs is None:
            raise AssertionError("A job steps before its step was prepared.")
        parts = self.inputs.parts()
        self.model_input, self.prediction = self.inputs.model_input, self._guided(parts)
        extra = {"generator": self.generators} if takes_generators(type(self.scheduler)) else {}
        step = self.scheduler.step(self.prediction, self.timestep, self.latents, return_dict=False, **extra)
        self.latents = step[0]
        self.inputs = None
        self.evaluation += 1

    def _guided(self, parts: list[torch.Tensor]) -> torch.Tensor:
        """Classifier-free guidance over [unconditional and] conditional answers, [images, c, h, w] each."""
        conditional = parts[-1]
        if len(parts) == 1:
            return conditional
        unconditional = parts[_UNCONDITIONAL]
        guided = unconditional + self.request.guidance_scale * (conditional - unconditional)
        if self.request.guidance_rescale > 0:
            guided = rescale_noise_cfg(guided, conditional, self.request.guidance_rescale)
        return guided
