"""Schedulers by the names that members know."""

import functools
import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import calculate_shift
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin

from pipeline.engine.failures import InvalidRequest, UnfitSampler
from pipeline.engine.sampling.noise import read_schedule
from pipeline.protocol.samplers import EXPLICIT_FROM, Sampler, find_sampler


def sampler_named(name: str) -> Sampler:
    """The table's entry.

    Raises:
        InvalidRequest: there is no such sampler.
    """
    sampler = find_sampler(name)
    if sampler is None:
        raise InvalidRequest(f"There is no sampler {name!r}.")
    return sampler


@functools.cache
def takes_generators(scheduler_class: type[SchedulerMixin]) -> bool:
    """Its steps draw noise from the generators that they are given."""
    step: Any = scheduler_class.step  # pyright: ignore[reportAttributeAccessIssue] - every scheduler has it, the mixin has not
    return "generator" in inspect.signature(step).parameters


def build_scheduler(
    sampler: Sampler,
    model_config: Mapping[str, Any],
    steps: int,
    generators: Sequence[torch.Generator],
    *,
    image_tokens: int = 0,
) -> Any:
    """A scheduler of its own for one job, with its timesteps set, on the CPU.

    Args:
        sampler: which one.
        model_config: the model's own scheduler configuration (noise schedule, prediction type).
        steps: steps as members count them; `scheduler.timesteps` has one entry for each evaluation.
        generators: one an image; a scheduler that draws noise from a source of its own is seeded like them.
        image_tokens: the size of the picture to a transformer, for schedules that shift with it.

    Raises:
        UnfitSampler: it cannot honour the model's configuration; diffusers would leave its wish out.
        ModelUnavailable: no sampler can.
    """
    schedule = read_schedule(sampler.kind, model_config)
    if not sampler.honours(schedule):
        raise UnfitSampler(f"The sampler {sampler.name} does not fit how this model was trained; choose another.")
    scheduler_class = getattr(diffusers, sampler.scheduler_class)
    if sampler.kind == "flow":
        return _flow_scheduler(scheduler_class, dict(model_config), steps, image_tokens)
    options = {**sampler.options}
    if schedule.is_zero_snr and options.get("timestep_spacing") == "leading":
        # Pure noise is at the very end of the times, which this spacing leaves out.
        options["timestep_spacing"] = "trailing"
    scheduler = scheduler_class.from_config(dict(model_config), **options)
    if sampler.explicit_timesteps and steps >= EXPLICIT_FROM:
        last = scheduler.config.num_train_timesteps - 1
        scheduler.set_timesteps(timesteps=np.linspace(last, 0, steps).round().astype(np.int64).tolist())
    else:
        scheduler.set_timesteps(steps)
    if hasattr(scheduler, "noise_sampler_seed"):
        scheduler.noise_sampler_seed = [generator.initial_seed() for generator in generators]
    return scheduler


def _flow_scheduler(scheduler_class: Any, model_config: dict[str, Any], steps: int, image_tokens: int) -> Any:
    if not model_config.get("use_dynamic_shifting"):
        scheduler = scheduler_class.from_config(model_config)
        scheduler.set_timesteps(steps)
        return scheduler
    mu = calculate_shift(
        image_tokens,
        model_config.get("base_image_seq_len", 256),
        model_config.get("max_image_seq_len", 4096),
        model_config.get("base_shift", 0.5),
        model_config.get("max_shift", 1.16),
    )
    scheduler: Any
    if scheduler_class is FlowMatchEulerDiscreteScheduler:
        scheduler = scheduler_class.from_config(model_config)
        scheduler.set_timesteps(steps, mu=mu)
        return scheduler
    # Others know no dynamic shift, but shifting by mu is the same curve as a static shift by e^mu.
    shift = math.exp(mu) if model_config.get("time_shift_type", "exponential") == "exponential" else mu
    scheduler = scheduler_class.from_config({**model_config, "use_dynamic_shifting": False, "shift": shift})
    # They shift their smallest sigma when they are made, and all of them when timesteps are set; once is enough.
    scheduler.sigma_min = 1 / scheduler.config.num_train_timesteps
    scheduler.set_timesteps(steps)
    return scheduler


def first_latents(scheduler: Any, noise: torch.Tensor) -> torch.Tensor:
    """Standard normal noise as the scheduler begins with it; flow matching begins with it as it is."""
    return noise * getattr(scheduler, "init_noise_sigma", 1.0)


def scaled_input(scheduler: Any, latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """Latents as the network sees them; flow matching shows them as they are."""
    return scheduler.scale_model_input(latents, timestep) if hasattr(scheduler, "scale_model_input") else latents


def begin_late(scheduler: Any, known: torch.Tensor, noise: torch.Tensor, first: int) -> torch.Tensor:
    """Begin with a known picture in the midst of the noise's way.

    Args:
        scheduler: with its timesteps set; it is told where it begins.
        known: latents of the picture, [n, c, h, w].
        noise: standard normal, as many.
        first: the timestep that is evaluated first.

    Returns:
        The picture with as much noise as belongs there.
    """
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first)
    timesteps = scheduler.timesteps[first : first + 1].repeat(len(known))
    if hasattr(scheduler, "scale_noise"):
        return scheduler.scale_noise(known, timesteps, noise)
    return scheduler.add_noise(known, noise, timesteps)


def denoised_latents(
    scheduler: SchedulerMixin, model_input: torch.Tensor, prediction: torch.Tensor, timestep: torch.Tensor
) -> torch.Tensor:
    """What the model takes the finished latents to be, for previews.

    Every scheduler of diffusion hands the network variance-preserving input (`scale_model_input`), so that one formula
    serves all. In flow matching, what is left of the way is a straight line.

    Args:
        scheduler: the job's, for its noise schedule and prediction type.
        model_input: [n, c, h, w], as the U-Net got it.
        prediction: [n, c, h, w], what it answered, after guidance.
        timestep: scalar, 0 to 999; Karras schedules have fractions.
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
