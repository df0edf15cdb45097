"""What a sampler is, and what it must know about the noise schedule of a model."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from pipeline.protocol.limits import MAX_STEPS

EXPLICIT_FROM = 15
"""Least number of steps with explicit timesteps.

With 8 steps, the pocket model drew 5 of 24 colors with explicit timesteps and 19 without them. With 16 steps, it drew
17 with and 20 without them.
"""

SchedulerOption = str | int | float | bool

ChosenTimesteps = Literal["even", "beta"]

SamplerKind = Literal["diffusion", "flow", "own"]
"""Kind of models and samplers.

`diffusion` predicts noise, velocity or picture. `flow` predicts the direction of the straight path between picture and
noise (flow matching). `own` is left to a whole pipeline.
"""


Prediction = Literal["epsilon", "v_prediction", "sample"]
"""Prediction type of a diffusion model: the noise, the velocity between noise and picture, or the picture."""


class NoiseSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Properties of a model that a sampler must support.

    Attributes:
        prediction: prediction type of a diffusion model.
        is_zero_snr: True when it begins at pure noise (zero terminal signal-to-noise ratio); in other schedules a trace
            of the picture remains.
        is_bent: True for flow matching with more than a shift of the timesteps (Karras, exponential or beta sigmas, or
            another end).
    """

    prediction: Prediction = "epsilon"
    is_zero_snr: bool = False
    is_bent: bool = False


USUAL_SCHEDULE = NoiseSchedule()

# diffusers' `from_config` silently drops options that a class does not support. A test compares this list with them.
_KNOW_ZERO_SNR = frozenset(
    {
        "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "DPMSolverMultistepScheduler",
        "UniPCMultistepScheduler",
        "DDIMScheduler",
        "DDPMScheduler",
        "TCDScheduler",
    }
)
_KNOW_NO_SAMPLE = frozenset(
    {
        "EulerAncestralDiscreteScheduler",
        "KDPM2DiscreteScheduler",
        "KDPM2AncestralDiscreteScheduler",
        "DPMSolverSDEScheduler",
        "PNDMScheduler",
    }
)
_DIVIDE_BY_SIGNAL = frozenset({"DDIMScheduler", "DDPMScheduler", "TCDScheduler"})
"""Classes that compute the picture from predicted noise by a division by the remaining signal, 0 at zero SNR."""
_KNOW_BENDS = frozenset({"FlowMatchEulerDiscreteScheduler"})


class Sampler(msgspec.Struct, frozen=True, kw_only=True):
    """One sampler: a name, its diffusers class, and its configuration.

    Attributes:
        name: the name that members see and type.
        scheduler_class: class name in `diffusers`; empty when a whole pipeline brings its own.
        options: keyword arguments that override the model's scheduler configuration.
        evaluations_per_step: model evaluations in each step; 2 means 2n-1 for n steps, since the last step has one.
        evaluates_second_twice: True when it evaluates its second timestep twice, both in the first step (PLMS).
        timesteps: timesteps to pass to the scheduler: `even` ones that end at 0, from `EXPLICIT_FROM` steps on; those
            of the `beta` schedule; None lets the scheduler choose them.
        is_stochastic: True when it draws noise at every step, from the job's generators.
        kind: kind of the models that it works with.
        is_special: True when it needs a model made for it; then it is offered only if the catalogue names it.
        max_steps: greatest number of steps.
        aliases: other accepted spellings.
    """

    name: str
    scheduler_class: str
    options: Mapping[str, SchedulerOption] = {}
    evaluations_per_step: int = 1
    evaluates_second_twice: bool = False
    timesteps: ChosenTimesteps | None = None
    is_stochastic: bool = False
    kind: SamplerKind = "diffusion"
    is_special: bool = False
    max_steps: int = MAX_STEPS
    aliases: tuple[str, ...] = ()

    def honours(self, schedule: NoiseSchedule) -> bool:
        """True when it supports the noise schedule of a model of its kind."""
        name = self.scheduler_class
        if self.kind != "diffusion":
            return not schedule.is_bent or name in _KNOW_BENDS
        if schedule.prediction == "sample" and name in _KNOW_NO_SAMPLE:
            return False
        is_torn = name in _DIVIDE_BY_SIGNAL and schedule.prediction == "epsilon"
        return not schedule.is_zero_snr or (name in _KNOW_ZERO_SNR and not is_torn)

    def evaluations(self, num_inference_steps: int) -> int:
        """Number of model evaluations in a job with this number of steps."""
        if self.evaluations_per_step == 1:
            return num_inference_steps + (self.evaluates_second_twice and num_inference_steps > 1)
        return self.evaluations_per_step * num_inference_steps - 1
