"""Samplers by their names for members, and their configurations in diffusers.

The names are A1111's. The samplers of diffusers 0.42.1 were compared with k-diffusion on a toy model with a known exact
solution. Two findings are built in here:

- `timestep_spacing="linspace"` starts at the same noise level as A1111. "leading", which SD folders have for PNDM,
  changes the composition of the picture.
- The multistep solvers without Karras sigmas leave out t=0 unless the timesteps are given (`explicit_timesteps`). Then
  they end 19 % away from k-diffusion. UniPC's class takes no timesteps, so it keeps that difference. With few steps
  (below `EXPLICIT_FROM`) the last step to t=0 is so long that the second order overshoots. So diffusers' own timesteps
  are used there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from pipeline.protocol.limits import MAX_STEPS

EXPLICIT_FROM = 15
"""Least number of steps with explicit timesteps.

With 8 steps, the pocket model drew 5 of 24 colors with explicit timesteps and 19 without them. With 16 steps, it drew
17 with and 20 without them.
"""

SchedulerOption = str | int | float | bool

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
    }
)
_KNOW_NO_SAMPLE = frozenset(
    {
        "EulerAncestralDiscreteScheduler",
        "KDPM2DiscreteScheduler",
        "KDPM2AncestralDiscreteScheduler",
        "DPMSolverSDEScheduler",
    }
)
_KNOW_BENDS = frozenset({"FlowMatchEulerDiscreteScheduler"})


class Sampler(msgspec.Struct, frozen=True, kw_only=True):
    """One sampler: a name, its diffusers class, and its configuration.

    Attributes:
        name: the name that members see and type.
        scheduler_class: class name in `diffusers`; empty when a whole pipeline brings its own.
        options: keyword arguments that override the model's scheduler configuration.
        evaluations_per_step: model evaluations in each step; 2 means 2n-1 for n steps, since the last step has one.
        explicit_timesteps: True to pass evenly spaced timesteps that end at 0, from `EXPLICIT_FROM` steps on.
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
    explicit_timesteps: bool = False
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
        # At zero SNR, DDIM with epsilon prediction would divide by the remaining signal, which is 0.
        is_torn = name == "DDIMScheduler" and schedule.prediction == "epsilon"
        return not schedule.is_zero_snr or (name in _KNOW_ZERO_SNR and not is_torn)

    def evaluations(self, num_inference_steps: int) -> int:
        """Number of model evaluations in a job with this number of steps."""
        if self.evaluations_per_step == 1:
            return num_inference_steps
        return self.evaluations_per_step * num_inference_steps - 1


_LINSPACE: Mapping[str, SchedulerOption] = {"timestep_spacing": "linspace"}
_KARRAS: Mapping[str, SchedulerOption] = {**_LINSPACE, "use_karras_sigmas": True}
_DPM_2M: Mapping[str, SchedulerOption] = {
    "algorithm_type": "dpmsolver++",
    "solver_order": 2,
    "solver_type": "midpoint",
    "final_sigmas_type": "zero",
}
_SDE: Mapping[str, SchedulerOption] = {**_DPM_2M, "algorithm_type": "sde-dpmsolver++"}
_UNIPC: Mapping[str, SchedulerOption] = {"solver_order": 2, "solver_type": "bh2", "final_sigmas_type": "zero"}
_LCM_STEPS = 50
"""Number of timesteps in the distillation of a latent consistency model; its own timesteps are chosen among them."""

_TABLE = (
    Sampler(name="Euler", scheduler_class="EulerDiscreteScheduler", options=_LINSPACE, aliases=("k_euler",)),
    Sampler(
        name="Euler a",
        scheduler_class="EulerAncestralDiscreteScheduler",
        options=_LINSPACE,
        is_stochastic=True,
        aliases=("euler_ancestral", "k_euler_a", "euler_a"),
    ),
    Sampler(
        name="Heun",
        scheduler_class="HeunDiscreteScheduler",
        options=_LINSPACE,
        evaluations_per_step=2,
        aliases=("k_heun",),
    ),
    Sampler(
        name="Heun Karras",
        scheduler_class="HeunDiscreteScheduler",
        options=_KARRAS,
        evaluations_per_step=2,
        aliases=("heun_k",),
    ),
    Sampler(
        name="LMS",
        scheduler_class="LMSDiscreteScheduler",
        options=_LINSPACE,
        aliases=("k_lms",),
    ),
    Sampler(
        name="LMS Karras",
        scheduler_class="LMSDiscreteScheduler",
        options=_KARRAS,
        aliases=("lms_k", "k_lms_ka"),
    ),
    Sampler(
        name="DPM2",
        scheduler_class="KDPM2DiscreteScheduler",
        options=_LINSPACE,
        evaluations_per_step=2,
        aliases=("dpm_2", "k_dpm_2", "kdpm_2"),
    ),
    Sampler(
        name="DPM2 Karras",
        scheduler_class="KDPM2DiscreteScheduler",
        options=_KARRAS,
        evaluations_per_step=2,
        aliases=("kdpm_2_k", "k_dpm_2_ka"),
    ),
    Sampler(
        name="DPM2 a",
        scheduler_class="KDPM2AncestralDiscreteScheduler",
        options=_LINSPACE,
        evaluations_per_step=2,
        is_stochastic=True,
        aliases=("dpm_2_ancestral", "kdpm_2_a"),
    ),
    Sampler(
        name="DPM2 a Karras",
        scheduler_class="KDPM2AncestralDiscreteScheduler",
        options=_KARRAS,
        evaluations_per_step=2,
        is_stochastic=True,
        aliases=("kdpm_2_a_k",),
    ),
    Sampler(
        name="DPM++ SDE",
        scheduler_class="DPMSolverSDEScheduler",
        options=_LINSPACE,
        evaluations_per_step=2,
        is_stochastic=True,
        aliases=("dpmpp_sde",),
    ),
    Sampler(
        name="DPM++ SDE Karras",
        scheduler_class="DPMSolverSDEScheduler",
        options=_KARRAS,
        evaluations_per_step=2,
        is_stochastic=True,
        aliases=("dpmpp_sde_k", "k_dpmpp_sde_ka"),
    ),
    Sampler(
        name="DPM++ 2M",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_LINSPACE, **_DPM_2M},
        explicit_timesteps=True,
        aliases=("dpmpp_2m",),
    ),
    Sampler(
        name="DPM++ 2M Karras",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_KARRAS, **_DPM_2M},
        aliases=("dpmpp_2m_k", "k_dpmpp_2m_ka"),
    ),
    Sampler(
        name="DPM++ 2M SDE",
        scheduler_class="DPMSolverMultistepScheduler",
        # Exponential sigmas are A1111's automatic schedule for this sampler and for 3M. With evenly spaced timesteps,
        # the second order leaves spots at 20 steps, and the third order leaves noise at any number of steps.
        options={**_LINSPACE, **_SDE, "use_exponential_sigmas": True},
        is_stochastic=True,
        aliases=("dpmpp_2m_sde",),
    ),
    Sampler(
        name="DPM++ 2M SDE Karras",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_KARRAS, **_SDE},
        is_stochastic=True,
        aliases=("dpmpp_2m_sde_k",),
    ),
    Sampler(
        name="DPM++ 3M SDE",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_LINSPACE, **_SDE, "solver_order": 3, "use_exponential_sigmas": True},
        is_stochastic=True,
        aliases=("dpmpp_3m_sde",),
    ),
    Sampler(
        name="DPM++ 3M SDE Karras",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_KARRAS, **_SDE, "solver_order": 3},
        is_stochastic=True,
        aliases=("dpmpp_3m_sde_k",),
    ),
    Sampler(
        name="UniPC",
        scheduler_class="UniPCMultistepScheduler",
        options={**_LINSPACE, **_UNIPC},
        aliases=("uni_pc",),
    ),
    Sampler(
        name="UniPC Karras",
        scheduler_class="UniPCMultistepScheduler",
        options={**_KARRAS, **_UNIPC},
        aliases=("unipc_k",),
    ),
    Sampler(name="DEIS Karras", scheduler_class="DEISMultistepScheduler", options=_KARRAS, aliases=("deis_k",)),
    Sampler(
        name="DDIM",
        scheduler_class="DDIMScheduler",
        options={
            "timestep_spacing": "leading",
            "steps_offset": 1,
            "clip_sample": False,
            "set_alpha_to_one": False,
        },
    ),
    Sampler(
        name="LCM",
        scheduler_class="LCMScheduler",
        options={"timestep_spacing": "leading", "original_inference_steps": _LCM_STEPS},
        is_stochastic=True,
        is_special=True,
        max_steps=_LCM_STEPS,
    ),
    Sampler(
        name="Euler Trailing",
        scheduler_class="EulerDiscreteScheduler",
        options={"timestep_spacing": "trailing"},
        is_special=True,
        aliases=("Euler SGM Uniform", "Euler Simple"),
    ),
    Sampler(name="Flow Euler", scheduler_class="FlowMatchEulerDiscreteScheduler", kind="flow"),
    Sampler(name="Flow Heun", scheduler_class="FlowMatchHeunDiscreteScheduler", kind="flow", evaluations_per_step=2),
    Sampler(name="Model's own", scheduler_class="", kind="own", aliases=("own", "Models own")),
)

SAMPLERS: Mapping[str, Sampler] = MappingProxyType({sampler.name: sampler for sampler in _TABLE})
"""All samplers by name, in the order in which members see them."""

_BY_SPELLING = {spelling.casefold(): sampler for sampler in _TABLE for spelling in (sampler.name, *sampler.aliases)}


def find_sampler(spelling: str) -> Sampler | None:
    """Find a sampler by name or alias; case is ignored. None when there is no such sampler."""
    return _BY_SPELLING.get(spelling.strip().casefold())


def offered_samplers(kind: SamplerKind, schedule: NoiseSchedule = USUAL_SCHEDULE) -> tuple[str, ...]:
    """Names of the samplers for a model of this kind whose catalogue entry names none."""
    fitting = (sampler for sampler in _TABLE if sampler.kind == kind and sampler.honours(schedule))
    return tuple(sampler.name for sampler in fitting if not sampler.is_special)
