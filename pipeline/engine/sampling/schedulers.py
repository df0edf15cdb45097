"""Builds diffusers schedulers for samplers, and applies their noise."""

import copy
import functools
import inspect
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import diffusers
import msgspec
import numpy as np
import scipy.stats
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from diffusers.schedulers.scheduling_lms_discrete import LMSDiscreteScheduler
from diffusers.schedulers.scheduling_pndm import PNDMScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin

from pipeline.engine.failures import InvalidRequest, UnfitSampler
from pipeline.engine.sampling.noise import read_schedule
from pipeline.protocol.samplers.sampler import EXPLICIT_FROM, Sampler
from pipeline.protocol.samplers.table import find_sampler

_LMS_ORDER: Final = 4
"""Order of LMS, diffusers' default."""
_BETA: Final = 0.6
"""Both parameters of the beta schedule's distribution."""


class FlowSpacing(msgspec.Struct, frozen=True, kw_only=True):
    """Spacing of a flow model's noise levels, as its own pipeline in diffusers has it.

    Attributes:
        mu: shift for the picture's size; it counts only for models with dynamic shifting.
        sigmas: noise levels before the shift, evenly from 1 down; one for each step. None takes the scheduler's own.
    """

    mu: float = 0.0
    sigmas: tuple[float, ...] | None = None


OWN_SPACING: Final = FlowSpacing()


def sampler_named(name: str) -> Sampler:
    """Sampler with this name in the protocol's table.

    Raises:
        InvalidRequest: there is no such sampler.
    """
    sampler = find_sampler(name)
    if sampler is None:
        raise InvalidRequest(f"There is no sampler {name!r}.")
    return sampler


def build_scheduler(
    sampler: Sampler,
    model_config: Mapping[str, Any],
    steps: int,
    generators: Sequence[torch.Generator],
    *,
    spacing: FlowSpacing = OWN_SPACING,
) -> Any:
    """Build a scheduler for one job, on the CPU, with its timesteps set.

    Args:
        sampler: the sampler that the request names.
        model_config: scheduler configuration of the model (noise schedule, prediction type).
        steps: number of steps as members count them; `scheduler.timesteps` has one entry for each evaluation.
        generators: one for each image; a scheduler with its own noise source is seeded like them.
        spacing: noise levels of a flow model; it does not count for others.

    Raises:
        UnfitSampler: the sampler does not support the model's configuration; diffusers would silently ignore it.
        ModelUnavailable: no sampler supports the model's configuration.
    """
    schedule = read_schedule(sampler.kind, model_config)
    if not sampler.honours(schedule):
        raise UnfitSampler(f"The sampler {sampler.name} does not fit how this model was trained; choose another.")
    scheduler_class = getattr(diffusers, sampler.scheduler_class)
    if sampler.kind == "flow":
        return _flow_scheduler(scheduler_class, dict(model_config), steps, spacing)
    options = {**sampler.options}
    if schedule.is_zero_snr and options.get("timestep_spacing") == "leading":
        # Pure noise is at the last timestep, which "leading" spacing leaves out.
        options["timestep_spacing"] = "trailing"
    scheduler = _constructed(scheduler_class, model_config, options)
    last = scheduler.config.num_train_timesteps - 1
    if sampler.timesteps == "beta":
        scheduler.set_timesteps(timesteps=_beta_timesteps(last, steps))
    elif sampler.timesteps == "even" and steps >= EXPLICIT_FROM:
        scheduler.set_timesteps(timesteps=np.linspace(last, 0, steps).round().astype(np.int64).tolist())
    else:
        scheduler.set_timesteps(steps)
    begin_at(scheduler, 0)
    if hasattr(scheduler, "noise_sampler_seed"):
        scheduler.noise_sampler_seed = [generator.initial_seed() for generator in generators]
    return scheduler


def _beta_timesteps(last: int, steps: int) -> list[int]:
    """Descending timesteps of the beta schedule (Lee and others 2024, arXiv:2407.12173), as ComfyUI's `beta_scheduler`.

    ComfyUI leaves out equal timesteps. Here each is lowered below the one before, so that no step is lost.

    Args:
        last: the noisiest timestep.
        steps: number of timesteps.
    """
    shares: Any = scipy.stats.beta.ppf(1 - np.linspace(0, 1, steps, endpoint=False), _BETA, _BETA)
    places = np.arange(steps)
    unequal = np.minimum.accumulate(np.rint(shares * last) + places) - places
    return np.maximum(unequal, steps - 1 - places).astype(np.int64).tolist()


def _flow_scheduler(scheduler_class: Any, model_config: dict[str, Any], steps: int, spacing: FlowSpacing) -> Any:
    scheduler: Any
    is_dynamic = bool(model_config.get("use_dynamic_shifting"))
    if scheduler_class is FlowMatchEulerDiscreteScheduler:
        scheduler = _constructed(scheduler_class, model_config, {})
        sigmas = None if spacing.sigmas is None else list(spacing.sigmas)
        scheduler.set_timesteps(steps, sigmas=sigmas, mu=spacing.mu if is_dynamic else None)
        return scheduler
    options: dict[str, Any] = {}
    if is_dynamic:
        # Other classes support no dynamic shift, but a static shift by e^mu is the same curve as a dynamic shift by mu.
        is_exponential = model_config.get("time_shift_type", "exponential") == "exponential"
        options["shift"] = math.exp(spacing.mu) if is_exponential else spacing.mu
    scheduler = _constructed(scheduler_class, {**model_config, "use_dynamic_shifting": False}, options)
    if spacing.sigmas is not None:
        # These classes take no sigmas, but space them evenly from 1 to this one.
        scheduler.sigma_min = spacing.sigmas[-1]
    elif is_dynamic:
        # These classes shift the smallest sigma in the constructor, and all sigmas again in `set_timesteps`. The
        # smallest one is reset here, so that it is shifted only once.
        scheduler.sigma_min = 1 / scheduler.config.num_train_timesteps
    scheduler.set_timesteps(steps)
    return scheduler


def _constructed(scheduler_class: type[SchedulerMixin], config: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """A scheduler without timesteps.

    Args:
        scheduler_class: its class.
        config: scheduler configuration of the model.
        options: values that replace those of the configuration. They are apart from it, because diffusers leaves out
            each key that the model's own scheduler had filled with its default.
    """
    first = _first_constructed(scheduler_class, json.dumps([config, options], sort_keys=True, default=list))
    # The configuration is frozen, so that copies may share it.
    return copy.deepcopy(first, {id(first.config): first.config})


@functools.lru_cache(maxsize=256)
def _first_constructed(scheduler_class: Any, values: str) -> Any:
    """The scheduler that others are copied from.

    Constructors set the timesteps of all training steps, which takes DPM2 0.2 s: a dozen steps of everybody's jobs.
    """
    config, options = json.loads(values)
    return scheduler_class.from_config(config, **options)


def first_latents(scheduler: Any, noise: torch.Tensor) -> torch.Tensor:
    """Scale standard normal noise for the scheduler's first step; flow matching uses it unchanged."""
    return noise * getattr(scheduler, "init_noise_sigma", 1.0)


def scaled_input(scheduler: Any, latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """Scale latents for the network's input; flow matching uses them unchanged."""
    return scheduler.scale_model_input(latents, timestep) if hasattr(scheduler, "scale_model_input") else latents


def begin_late(scheduler: Any, known: torch.Tensor, noise: torch.Tensor, first: int) -> torch.Tensor:
    """Start a scheduler at a later timestep, from a known picture.

    Args:
        scheduler: has its timesteps set; its begin index is changed.
        known: latents of the picture, [n, c, h, w].
        noise: standard normal noise of the same shape.
        first: index of the first timestep to evaluate.

    Returns:
        The latents with the noise level of that timestep.
    """
    begin_at(scheduler, first)
    return noised(scheduler, known, noise, scheduler.timesteps[first])


def begin_at(scheduler: Any, first: int) -> None:
    """Let a scheduler begin at a timestep, counted from 0. Some schedulers always find it by themselves.

    The others could find it, too, but take the second one of two equal timesteps, and have one too few at the end.

    PLMS evaluates the second timestep twice, wherever it begins. diffusers repeats the second one of the whole
    schedule, so that a later beginning would skip a step and leave its noise in the picture.
    """
    timesteps: torch.Tensor = scheduler.timesteps
    if isinstance(scheduler, PNDMScheduler):
        once = timesteps.unique().flip(0)
        scheduler.timesteps = torch.cat([once[: first + 2], once[first + 1 :]])
    elif hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first)


def stepped(
    scheduler: Any,
    prediction: torch.Tensor,
    timestep: torch.Tensor,
    latents: torch.Tensor,
    generators: Sequence[torch.Generator],
) -> torch.Tensor:
    """Latents [n, c, h, w] after a step of the scheduler, which draws its noise from the generators.

    Args:
        scheduler: has its begin index set; its state changes.
        prediction: the network's prediction after guidance, [n, c, h, w].
        timestep: the timestep of the prediction, a scalar on the CPU.
        latents: the latents before the step.
        generators: one for each image.
    """
    options: dict[str, Any] = {"generator": list(generators)} if _takes_generators(type(scheduler)) else {}
    if isinstance(scheduler, LMSDiscreteScheduler):
        # diffusers counts earlier derivatives from the schedule's beginning. Where a job begins late, there are fewer,
        # and coefficients for more of them leave noise in the picture.
        options["order"] = min(_LMS_ORDER, len(scheduler.derivatives) + 1)
    return scheduler.step(prediction, timestep, latents, return_dict=False, **options)[0]


@functools.cache
def _takes_generators(scheduler_class: Any) -> bool:
    return "generator" in inspect.signature(scheduler_class.step).parameters


def noised(scheduler: Any, known: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """Known latents [n, c, h, w] with the noise level of a timestep, a scalar on the CPU.

    Some schedulers take the level of their next step instead, which must then be the one of this timestep.
    """
    timesteps = timestep[None].repeat(len(known))
    if hasattr(scheduler, "scale_noise"):
        return scheduler.scale_noise(known, timesteps, noise)
    return scheduler.add_noise(known, noise, timesteps)


def denoised_latents(
    scheduler: SchedulerMixin, model_input: torch.Tensor, prediction: torch.Tensor, timestep: torch.Tensor
) -> torch.Tensor:
    """Denoised latents as a prediction implies them, for previews.

    All diffusion schedulers give the network variance-preserving input (`scale_model_input`), so one formula serves all
    of them. In flow matching, the denoised latents are reached along a straight line.

    Args:
        scheduler: the job's scheduler, for its noise schedule and prediction type.
        model_input: the network's input, [n, c, h, w].
        prediction: the network's prediction after guidance, [n, c, h, w].
        timestep: scalar from 0 to 999; Karras schedules have fractions.
    """
    config: Any = scheduler.config  # pyright: ignore[reportAttributeAccessIssue]
    if not hasattr(scheduler, "alphas_cumprod"):
        return model_input - (timestep / config.num_train_timesteps).item() * prediction
    alphas: torch.Tensor = scheduler.alphas_cumprod  # pyright: ignore[reportAttributeAccessIssue]
    alpha = alphas[int(timestep.round().clamp(0, len(alphas) - 1))].item()
    signal, noise = alpha**0.5, (1 - alpha) ** 0.5
    if config.prediction_type == "v_prediction":
        return signal * model_input - noise * prediction
    if config.prediction_type == "sample":
        return prediction
    return (model_input - noise * prediction) / max(signal, 1e-4)
