"""Schedulers by the names that members know."""

from collections.abc import Mapping, Sequence
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers.schedulers.scheduling_utils import SchedulerMixin

from pipeline.engine.failures import InvalidRequest
from pipeline.protocol.samplers import Sampler, find_sampler


def sampler_named(name: str) -> Sampler:
    """The table's entry.

    Raises:
        InvalidRequest: there is no such sampler.
    """
    sampler = find_sampler(name)
    if sampler is None:
        raise InvalidRequest(f"There is no sampler {name!r}.")
    return sampler


def build_scheduler(
    sampler: Sampler, model_config: Mapping[str, Any], steps: int, generators: Sequence[torch.Generator]
) -> Any:
    """A scheduler of its own for one job, with its timesteps set, on the CPU.

    Args:
        sampler: which one.
        model_config: the model's own scheduler configuration (noise schedule, prediction type).
        steps: steps as members count them; `scheduler.timesteps` has one entry for each evaluation.
        generators: one an image; a scheduler that draws noise from a source of its own is seeded like them.
    """
    scheduler_class = getattr(diffusers, sampler.scheduler_class)
    scheduler = scheduler_class.from_config(dict(model_config), **sampler.options)
    if sampler.explicit_timesteps:
        last = scheduler.config.num_train_timesteps - 1
        scheduler.set_timesteps(timesteps=np.linspace(last, 0, steps).round().astype(np.int64).tolist())
    else:
        scheduler.set_timesteps(steps)
    if hasattr(scheduler, "noise_sampler_seed"):
        scheduler.noise_sampler_seed = [generator.initial_seed() for generator in generators]
    return scheduler


def denoised_latents(
    scheduler: SchedulerMixin, model_input: torch.Tensor, prediction: torch.Tensor, timestep: torch.Tensor
) -> torch.Tensor:
    """What the model takes the finished latents to be, for previews.

    Every scheduler hands the U-Net variance-preserving input (`scale_model_input`), so one formula serves all.

    Args:
        scheduler: the job's, for its noise schedule and prediction type.
        model_input: [n, c, h, w], as the U-Net got it.
        prediction: [n, c, h, w], what it answered, after guidance.
        timestep: scalar, 0 to 999; Karras schedules have fractions.
    """
    config: Any = scheduler.config  # pyright: ignore[reportAttributeAccessIssue]
    alphas: torch.Tensor = scheduler.alphas_cumprod  # pyright: ignore[reportAttributeAccessIssue]
    alpha = alphas[int(timestep.round().clamp(0, len(alphas) - 1))].item()
    signal, noise = alpha**0.5, (1 - alpha) ** 0.5
    if config.prediction_type == "v_prediction":
        return signal * model_input - noise * prediction
    if config.prediction_type == "sample":
        return prediction
    return (model_input - noise * prediction) / max(signal, 1e-4)
