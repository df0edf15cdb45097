"""Samplers by their names for members, and their configurations in diffusers.

The names are A1111's. The samplers of diffusers 0.42.1 were compared with k-diffusion on a toy model with a known exact
solution. Three findings are built in here:

- `timestep_spacing="linspace"` starts at the same noise level as A1111. "leading", which SD folders have for PNDM,
  changes the composition of the picture.
- The beta schedule of diffusers spaces noise levels by the beta distribution. ComfyUI and A1111 space timesteps by it,
  so their timesteps are given.
- The multistep solvers without Karras sigmas leave out t=0 unless the timesteps are given (`Sampler.timesteps`). Then
  they end 19 % away from k-diffusion. UniPC's class takes no timesteps, so it keeps that difference. With few steps
  (below `EXPLICIT_FROM`) the last step to t=0 is so long that the second order overshoots. So diffusers' own timesteps
  are used there.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.protocol.samplers.sampler import USUAL_SCHEDULE, NoiseSchedule, Sampler, SamplerKind, SchedulerOption

_LINSPACE: Mapping[str, SchedulerOption] = {"timestep_spacing": "linspace"}
_LEADING: Mapping[str, SchedulerOption] = {"timestep_spacing": "leading", "steps_offset": 1}
_KARRAS: Mapping[str, SchedulerOption] = {**_LINSPACE, "use_karras_sigmas": True}
_DPM_2M: Mapping[str, SchedulerOption] = {
    "algorithm_type": "dpmsolver++",
    "solver_order": 2,
    "solver_type": "midpoint",
    "final_sigmas_type": "zero",
}
_SDE: Mapping[str, SchedulerOption] = {**_DPM_2M, "algorithm_type": "sde-dpmsolver++"}
_EXPONENTIAL: Mapping[str, SchedulerOption] = {**_LINSPACE, "use_exponential_sigmas": True}
_3M: Mapping[str, SchedulerOption] = {**_DPM_2M, "solver_order": 3}
_HEUN: Mapping[str, SchedulerOption] = {**_SDE, "solver_type": "heun"}
_DPM_2S: Mapping[str, SchedulerOption] = {**_DPM_2M, "lower_order_final": True}
_UNIPC: Mapping[str, SchedulerOption] = {"solver_order": 2, "solver_type": "bh2", "final_sigmas_type": "zero"}
_LCM_STEPS = 50
"""Number of timesteps in the distillation of an LCM or TCD model; its own timesteps are chosen among them."""

_TABLE = (
    Sampler(name="Euler", scheduler_class="EulerDiscreteScheduler", options=_LINSPACE, aliases=("k_euler",)),
    Sampler(
        name="Euler Karras",
        scheduler_class="EulerDiscreteScheduler",
        options=_KARRAS,
        aliases=("euler_k", "k_euler_ka"),
    ),
    Sampler(
        name="Euler Exponential",
        scheduler_class="EulerDiscreteScheduler",
        options=_EXPONENTIAL,
    ),
    Sampler(
        name="Euler Beta",
        scheduler_class="EulerDiscreteScheduler",
        options=_LINSPACE,
        timesteps="beta",
    ),
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
        name="DPM++ 2S",
        scheduler_class="DPMSolverSinglestepScheduler",
        options=_DPM_2S,
        timesteps="even",
        aliases=("dpmpp_2s",),
    ),
    Sampler(
        name="DPM++ 2S Karras",
        scheduler_class="DPMSolverSinglestepScheduler",
        options={**_DPM_2S, "use_karras_sigmas": True},
        aliases=("dpmpp_2s_k",),
    ),
    Sampler(
        name="DPM++ 2M",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_LINSPACE, **_DPM_2M},
        timesteps="even",
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
        aliases=("dpmpp_2m_sde", "DPM++ 2M SDE Exponential"),
    ),
    Sampler(
        name="DPM++ 2M SDE Karras",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_KARRAS, **_SDE},
        is_stochastic=True,
        aliases=("dpmpp_2m_sde_k",),
    ),
    Sampler(
        name="DPM++ 2M SDE Heun",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_EXPONENTIAL, **_HEUN},
        is_stochastic=True,
        aliases=("DPM++ 2M SDE Heun Exponential", "dpmpp_2m_sde_heun"),
    ),
    Sampler(
        name="DPM++ 2M SDE Heun Karras",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_KARRAS, **_HEUN},
        is_stochastic=True,
    ),
    Sampler(
        name="DPM++ 3M",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_LINSPACE, **_3M},
        timesteps="even",
        aliases=("dpmpp_3m",),
    ),
    Sampler(
        name="DPM++ 3M Karras",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_KARRAS, **_3M},
        aliases=("dpmpp_3m_k",),
    ),
    Sampler(
        name="DPM++ 3M SDE",
        scheduler_class="DPMSolverMultistepScheduler",
        options={**_LINSPACE, **_SDE, "solver_order": 3, "use_exponential_sigmas": True},
        is_stochastic=True,
        aliases=("dpmpp_3m_sde", "DPM++ 3M SDE Exponential"),
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
    Sampler(name="DEIS", scheduler_class="DEISMultistepScheduler", options=_LINSPACE),
    Sampler(name="DEIS Karras", scheduler_class="DEISMultistepScheduler", options=_KARRAS, aliases=("deis_k",)),
    Sampler(
        name="DDIM",
        scheduler_class="DDIMScheduler",
        options={**_LEADING, "clip_sample": False, "set_alpha_to_one": False},
    ),
    Sampler(
        name="DDPM",
        scheduler_class="DDPMScheduler",
        options={**_LEADING, "clip_sample": False},
        is_stochastic=True,
    ),
    Sampler(
        name="PLMS",
        scheduler_class="PNDMScheduler",
        options={**_LEADING, "skip_prk_steps": True, "set_alpha_to_one": False},
        evaluates_second_twice=True,
        aliases=("PNDM",),
    ),
    Sampler(
        name="SA-Solver",
        scheduler_class="SASolverScheduler",
        options=_LINSPACE,
        is_stochastic=True,
        aliases=("SA Solver", "sa_solver"),
    ),
    Sampler(
        name="TCD",
        scheduler_class="TCDScheduler",
        options={"timestep_spacing": "leading", "original_inference_steps": _LCM_STEPS},
        is_stochastic=True,
        is_special=True,
        max_steps=_LCM_STEPS,
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
