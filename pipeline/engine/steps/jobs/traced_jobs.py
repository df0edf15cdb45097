"""Jobs that keep what each of their steps began with and what it took the picture to be."""

from dataclasses import dataclass, field

import torch

from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.protocol.passes import shown_steps


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class TracedStep:
    """One step of a job.

    Attributes:
        number: its number, counted from 1.
        given: what the network got, [1, c, h, w].
        likely: the denoised latents that its prediction implies, [1, c, h, w].
    """

    number: int
    given: torch.Tensor
    likely: torch.Tensor


@dataclass(slots=True, kw_only=True, eq=False)
class TracedJob(DenoisingJob):
    """A job for one image that keeps its steps; a step of two evaluations keeps the second."""

    steps: list[TracedStep] = field(default_factory=list[TracedStep])

    def advance(self) -> None:
        """Apply guidance and the scheduler's step, and keep what it was about."""
        # A dataclass with slots is another class than the one whose cell `super()` reads.
        DenoisingJob.advance(self)
        if self.is_between_steps and self.model_input is not None:
            self.steps.append(TracedStep(number=self.steps_done, given=self.model_input, likely=self.likely_latents()))

    @property
    def shown_steps(self) -> list[TracedStep]:
        """The steps that its animation shows, in order."""
        last = len(self.steps) - 1
        count = shown_steps(len(self.steps))
        return [self.steps[round(place * last / max(1, count - 1))] for place in range(count)]
