"""One attempt while the engine has it."""

import time
from dataclasses import dataclass
from typing import Any

import torch

from pipeline.engine.families.base import Conditioning, EncodedText
from pipeline.engine.previews import PreviewTurn
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import Sampler

JobName = tuple[int, int]
"""`(job_id, attempt)`."""


@dataclass(slots=True, kw_only=True, eq=False)
class RunningJob:
    """Everything of one job that changes from step to step; nothing is shared with another job.

    Attributes:
        is_checked: what the content check flags is not shown.
        scheduler: a diffusers scheduler with its timesteps set.
        generators: one an image, on the CPU.
        text: conditioning with one row; `rows` repeats it for every image.
        latents: [images, c, h, w] in the latents' precision.
        evaluation: the scheduler's timestep that is next.
        first_evaluation: the one that this pass began with; a second pass leaves out the noisiest.
        steps_before: steps of the passes before this one.
        total_steps: steps of all passes.
        model_input: what the last forward got, [images, c, h, w].
        prediction: what it answered after guidance.
        started_at: monotonic seconds.
        denoise_started_at: monotonic seconds.
        preview: when the next one is due.
    """

    name: JobName
    request: GenerationRequest
    is_checked: bool
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
    model_input: torch.Tensor | None = None
    prediction: torch.Tensor | None = None

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
        """It has unconditional rows."""
        return self.text.negative is not None

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
    def notices(self) -> tuple[Notice, ...]:
        """Facts for the requester."""
        return self.text.notices

    def elapsed_s(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self.started_at

    def rows(self, conditioning: Conditioning) -> dict[str, torch.Tensor]:
        """One row of conditioning for every image."""
        count = self.request.num_images
        return {key: value.repeat(count, *[1] * (value.ndim - 1)) for key, value in conditioning.items()}
