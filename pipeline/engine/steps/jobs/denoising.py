"""State of one attempt while the engine denoises it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from pipeline.engine.families.base import EncodedText
from pipeline.engine.loras.rows import structure_of
from pipeline.engine.models.cache import Loaded
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.pixels.previews import PreviewTurn
from pipeline.engine.references.rows import JobReference, RowReference
from pipeline.engine.sampling.schedulers import denoised_latents, noised, scaled_input, stepped
from pipeline.engine.sampling.tiling import Tiling
from pipeline.engine.steps.jobs.guidance import guided
from pipeline.engine.steps.jobs.keys import AttemptId, BucketKey
from pipeline.engine.steps.jobs.picture_state import JobControl, Kept
from pipeline.engine.steps.jobs.rows import Branch, StepInputs
from pipeline.engine.weights.fingerprints import Sourced, Weights
from pipeline.images.pasting import Paste
from pipeline.protocol.limits import NO_GUIDANCE
from pipeline.protocol.passes import Pass, evaluations_within, total_steps
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.sampler import Sampler
from pipeline.protocol.wire.outputs import Notice
from pipeline.protocol.wire.settings import Checking


@dataclass(slots=True, kw_only=True, eq=False)
class DenoisingJob:
    """State of one job from step to step; jobs share nothing but the model.

    Attributes:
        name: job id and attempt.
        request: the member's request.
        checking: what the image check does with its pictures.
        model: the loaded model.
        sampler: the sampler that the request names.
        scheduler: a diffusers scheduler with its timesteps set.
        generators: one for each image, on the CPU.
        text: conditioning of one row.
        own_texts: the text of each image in a job whose images have different ones; empty if all have `text`.
        latents: [images, c, h, w] in the latents' precision.
        evaluation: index of the next entry in the scheduler's timesteps.
        passes: the passes of the request, in order.
        pass_index: index of the present pass.
        tiling: the tiles of the present pass; None if it draws whole images.
        row_counts: row counts that the job's forward passes may have.
        inputs: rows of the next step, with the predictions received so far.
        model_input: input of the last finished evaluation, [images, c, h, w].
        prediction: its prediction after guidance, [images, c, h, w].
        started_at: start of the attempt, in monotonic seconds.
        denoise_started_at: start of denoising, in monotonic seconds.
        preview: tells when the next preview is due.
        kept: the init image in a pass that draws only a part of it anew and blends; None in other passes.
        extra: further input channels of a model that takes a picture, [images, channels, h, w]; None for others.
        image_guidance: scale of the guidance towards the picture that is edited; None for a job that edits none.
        controls: the request's control pictures, once they are prepared; see `finishing.controls`.
        keeps_apart: True when an accelerator gives forward passes with residuals other bits than those without.
        paste: pastes the untouched pixels of the init image back after the first pass; None pastes nothing.
        networks: networks beside the model that the job still needs, by their keys in the cache.
        network_weights: entry and weight files of every network that determines its pictures, by name.
        references: what the model sees of the job's references.
        given_notices: facts about the given pictures for the requester.
    """

    name: AttemptId
    request: GenerationRequest
    checking: Checking
    model: LoadedModel
    sampler: Sampler
    scheduler: Any
    generators: list[torch.Generator]
    text: EncodedText
    latents: torch.Tensor
    started_at: float
    denoise_started_at: float
    preview: PreviewTurn
    passes: tuple[Pass, ...]
    own_texts: tuple[EncodedText, ...] = ()
    pass_index: int = 0
    evaluation: int = 0
    tiling: Tiling | None = None
    row_counts: tuple[int, ...] = ()
    inputs: StepInputs | None = None
    model_input: torch.Tensor | None = None
    prediction: torch.Tensor | None = None
    kept: Kept | None = None
    extra: torch.Tensor | None = None
    image_guidance: float | None = None
    paste: Paste | None = None
    networks: Mapping[str, Loaded] = field(default_factory=dict[str, Loaded])
    network_weights: Mapping[str, tuple[Sourced, Weights]] = field(default_factory=dict[str, tuple[Sourced, Weights]])
    references: tuple[JobReference, ...] = ()
    given_notices: tuple[Notice, ...] = ()
    controls: tuple[JobControl, ...] = ()
    keeps_apart: bool = False

    @property
    def is_controlled_apart(self) -> bool:
        """True when the next evaluation has residuals, and must not share a forward pass with rows without."""
        return self.keeps_apart and bool(self._active_controls)

    @property
    def bucket_key(self) -> BucketKey:
        """Key of the job's bucket; jobs with equal keys can share a forward pass."""
        shapes = sorted((name, tuple(tensor.shape[1:])) for name, tensor in self.text.positive.at(1).items())
        kinds: set[str] = set()
        if self.keeps_apart:
            parts = [*(each.rows[self.pass_index] for each in self._active_controls), *self._references()]
            kinds = {type(each).__name__ for each in parts if each is not None} | structure_of(self.text.lora)
        row = self.latents[:1] if self.tiling is None else self.tiling.cut(self.latents[:1])
        return self.model.spec.key, tuple(row.shape[1:]), tuple(shapes), tuple(sorted(kinds))

    @property
    def timestep(self) -> torch.Tensor:
        """Timestep of the next evaluation, a scalar on the CPU."""
        return self.scheduler.timesteps[self.evaluation]

    @property
    def next_pass(self) -> Pass | None:
        """The pass after the present one; None when the present one is the last."""
        later = self.passes[self.pass_index + 1 :]
        return later[0] if later else None

    @property
    def first_evaluation(self) -> int:
        """Index of the present pass's first entry in the scheduler's timesteps; noisier timesteps are skipped."""
        return self.passes[self.pass_index].skipped_steps * self.sampler.evaluations_per_step

    @property
    def total_steps(self) -> int:
        """Number of steps in all passes."""
        return total_steps(self.passes)

    @property
    def is_denoised(self) -> bool:
        """True when every evaluation of this pass is done."""
        return self.evaluation == len(self.scheduler.timesteps)

    @property
    def is_guided(self) -> bool:
        """True when the next evaluation needs unconditional rows."""
        return self.text.negative is not None and (self._has_scale or len(self.text.concepts) > 1)

    @property
    def _has_scale(self) -> bool:
        """True when the guidance scale has an effect in the next evaluation."""
        has_scale = self.passes[self.pass_index].guidance_scale > NO_GUIDANCE
        return has_scale and self.request.guides(self.step, total_steps(self.passes))

    @property
    def steps_done(self) -> int:
        """Number of finished steps, as members count them; a step of two evaluations ends after the second."""
        done = max(0, self.evaluation - self.first_evaluation - self._repeated)
        # With two evaluations a step, the last step of a pass has only one. So the division rounds up.
        return self._steps_before + -(-done // self.sampler.evaluations_per_step)

    @property
    def step(self) -> int:
        """Number of the step in progress, counted from 1."""
        done = max(0, self.evaluation - self.first_evaluation - self._repeated)
        return self._steps_before + done // self.sampler.evaluations_per_step + 1

    @property
    def _steps_before(self) -> int:
        """Number of steps in earlier passes."""
        return total_steps(self.passes[: self.pass_index])

    @property
    def is_between_steps(self) -> bool:
        """True when no step is half done."""
        if self._repeated:
            return self.evaluation != self.first_evaluation + 1
        return self.is_denoised or self.evaluation % self.sampler.evaluations_per_step == 0

    @property
    def _repeated(self) -> int:
        """Number of evaluations that the present pass's first step has more than others."""
        steps = self.passes[self.pass_index].steps
        return self.sampler.evaluations(steps) - steps if self.sampler.evaluates_second_twice else 0

    @property
    def scheduler_class(self) -> str:
        """Name of the scheduler's class in diffusers."""
        return self.sampler.scheduler_class

    @property
    def lora_digests(self) -> Mapping[str, str]:
        """SHA-256 of each LoRA that is used, by its name."""
        return self.text.lora_digests

    @property
    def embedding_digests(self) -> Mapping[str, str]:
        """SHA-256 of each embedding that is used, by its name."""
        return self.text.embedding_digests

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Facts for the requester."""
        return (*self.text.notices, *self.given_notices)

    @property
    def can_preview(self) -> bool:
        """True when a prediction exists and denoising is not over."""
        return self.model_input is not None and self.prediction is not None and not self.is_denoised

    def likely_latents(self) -> torch.Tensor:
        """Denoised latents as the last prediction implies them, [images, c, h, w]."""
        if self.model_input is None or self.prediction is None:
            raise AssertionError("There is nothing to be shown.")
        timestep = self.scheduler.timesteps[self.evaluation - 1]
        likely = denoised_latents(self.scheduler, self.model_input, self.prediction, timestep)
        return likely if self.kept is None else self.kept.blended(likely)

    def decoded(self, decode: Callable[[LoadedModel, torch.Tensor], torch.Tensor]) -> Iterator[torch.Tensor]:
        """Decode each finished picture to [1, 3, H, W] from 0 to 1, one at a time to save memory."""
        for latents in self.latents.split(1):
            yield decode(self.model, latents)

    def elapsed_s(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self.started_at

    def prepare_step(self) -> None:
        """Build the inputs of the next evaluation."""
        scaled = scaled_input(self.scheduler, self.latents, self.timestep)
        self.inputs = StepInputs(scaled, self.timestep, self._branches(), self.text.lora, self.tiling)

    @torch.inference_mode()
    def advance(self) -> None:
        """Apply guidance and the scheduler's step; every row must have its prediction."""
        if self.inputs is None:
            raise AssertionError("A job steps before its step was prepared.")
        parts = self.inputs.parts()
        self.model_input, self.prediction = self.inputs.model_input, self._guided(parts)
        self.latents = stepped(self.scheduler, self.prediction, self.timestep, self.latents, self.generators)
        self.inputs = None
        self.evaluation += 1
        if self.kept is not None:
            self.latents = self.kept.blended(self.latents, self._kept_latents(self.kept))

    @property
    def _active_controls(self) -> list[JobControl]:
        """Control pictures whose window holds the next evaluation of this pass."""
        if self.is_denoised:
            return []
        done, total = self.evaluation - self.first_evaluation, len(self.scheduler.timesteps) - self.first_evaluation
        return [each for each in self.controls if done in evaluations_within(each.given.start, each.given.end, total)]

    def _kept_latents(self, kept: Kept) -> torch.Tensor:
        """Latents of the init image with the noise level of the next evaluation, and without noise after the last.

        As in diffusers' inpainting pipelines, the noise is the same in every evaluation.
        """
        return kept.known if self.is_denoised else noised(self.scheduler, kept.known, kept.noise, self.timestep)

    def _branches(self) -> list[Branch]:
        """Branches of the next step: [neither, picture] for an edit, [unconditional] for others, then the concepts."""
        seen, nothing = self._references()
        active = self._active_controls
        controls = tuple(each.rows[self.pass_index] for each in active)
        texts = self.own_texts or (self.text,)
        concepts = [
            Branch(conditionings=each, extra=self.extra, references=seen, controls=controls)
            for each in zip(*(text.concepts_at(self.step) for text in texts), strict=True)
        ]
        if not self.is_guided:
            return concepts
        controls = tuple(each.rows[self.pass_index] for each in active if not each.is_guess)
        negative = [text.negative.at(self.step) for text in texts if text.negative is not None]
        unconditional = Branch(conditionings=negative, extra=self.extra, references=nothing, controls=controls)
        if self.image_guidance is None or self.extra is None:
            return [unconditional, *concepts]
        without = torch.zeros_like(self.extra)
        neither = Branch(conditionings=negative, extra=without, references=nothing, controls=controls)
        return [neither, unconditional, *concepts]

    def _references(self) -> tuple[RowReference | None, RowReference | None]:
        """What the rows of the prompt and unconditional rows see of references in the next evaluation."""
        first = self.first_evaluation
        done, count = self.evaluation - first, len(self.scheduler.timesteps) - first
        on = [each for each in self.references if done in evaluations_within(each.start, each.end, count)]
        if not on:
            return None, None
        return RowReference(tuple(each.positive for each in on)), RowReference(tuple(each.negative for each in on))

    def _guided(self, parts: list[torch.Tensor]) -> torch.Tensor:
        """One prediction for each image, [images, c, h, w], from those of the branches."""
        return guided(
            parts,
            self.text.weights,
            # Several concepts are joined in every step; without guidance, at the scale that has no effect.
            self.passes[self.pass_index].guidance_scale if self._has_scale else NO_GUIDANCE,
            image_guidance=self.image_guidance,
            rescale=self.request.guidance_rescale,
        )
