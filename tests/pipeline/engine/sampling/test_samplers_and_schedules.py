"""Samplers and how models are trained: what a sampler's class does not know, diffusers leaves out without a word."""

import inspect
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, get_args

import diffusers
import pytest
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

from pipeline.engine.failures import UnfitSampler
from pipeline.engine.sampling.noise import read_schedule
from pipeline.engine.sampling.schedulers import (
    FlowSpacing,
    begin_late,
    build_scheduler,
    first_latents,
    scaled_input,
    stepped,
)
from pipeline.protocol.samplers.sampler import NoiseSchedule, Prediction, Sampler
from pipeline.protocol.samplers.table import SAMPLERS, offered_samplers

CONFIG = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1_000,
    "timestep_spacing": "leading",
    "steps_offset": 1,
}
DIFFUSION = [sampler for sampler in SAMPLERS.values() if sampler.kind == "diffusion"]
SCHEDULES = [
    NoiseSchedule(prediction=prediction, is_zero_snr=is_zero_snr)
    for prediction in get_args(Prediction)
    for is_zero_snr in (False, True)
]
SHAPE = (1, 4, 8, 8)
COMFYUI_BETA = [999, 970, 908, 823, 724, 614, 500, 385, 275, 176, 91, 29]


def karras(steps: int, least: float, most: float) -> list[float]:
    """k-diffusion's `get_sigmas_karras`; rho is 7."""
    low, high = least ** (1 / 7), most ** (1 / 7)
    return [(high + index / (steps - 1) * (low - high)) ** 7 for index in range(steps)]


def exponential(steps: int, least: float, most: float) -> list[float]:
    """k-diffusion's `get_sigmas_exponential`."""
    ratio = math.log(least / most)
    return [most * math.exp(index / (steps - 1) * ratio) for index in range(steps)]


def config_of(schedule: NoiseSchedule) -> dict[str, Any]:
    return CONFIG | {"prediction_type": schedule.prediction, "rescale_betas_zero_snr": schedule.is_zero_snr}


def drawn(sampler: Sampler, schedule: NoiseSchedule, steps: int, first: int = 0) -> tuple[float, float]:
    """How far from the picture a model ends that knows it, and what is left of the picture where it begins."""
    generator = torch.Generator().manual_seed(1)
    scheduler = build_scheduler(sampler, config_of(schedule), steps, [generator])
    picture, noise = (torch.randn(SHAPE, generator=generator, dtype=torch.float64) for _ in range(2))
    latents = begin_late(scheduler, picture, noise, first) if first else first_latents(scheduler, noise)
    alphas = scheduler.alphas_cumprod.double()
    # A last word that divides by nothing is none.
    deviations = ((1 - alphas) / alphas.clamp_min(1e-30)).sqrt().log()
    for timestep in scheduler.timesteps[first:]:
        seen = scaled_input(scheduler, latents, timestep)
        low, part = int(timestep), float(timestep) % 1
        deviation = math.exp(torch.lerp(deviations[low], deviations[min(low + 1, len(alphas) - 1)], part))
        signal = 1 / math.hypot(1, deviation)
        epsilon = (seen - signal * picture) / (signal * deviation)
        answers = {
            "epsilon": epsilon,
            "v_prediction": signal * epsilon - signal * deviation * picture,
            "sample": picture,
        }
        latents = stepped(scheduler, answers[schedule.prediction], timestep, latents, [generator])
    return (latents - picture).abs().max().item(), alphas[int(scheduler.timesteps[0])].item()


@pytest.mark.parametrize("sampler", DIFFUSION, ids=lambda sampler: sampler.name)
def test_a_sampler_draws_by_every_schedule_that_it_honours(sampler: Sampler) -> None:
    for schedule in SCHEDULES:
        # With 50 steps, the first two timesteps of some are equal.
        for steps in (4, 20, 50):
            if sampler.honours(schedule):
                error, left = drawn(sampler, schedule, steps)
                # Those that end before the last noise is gone keep a tenth of a deviation of it.
                assert error < (0.17 if sampler.name == "PLMS" and steps == 4 else 0.15)
                assert not schedule.is_zero_snr or left < 1e-6
            else:
                with pytest.raises(UnfitSampler, match="does not fit how this model was trained"):
                    drawn(sampler, schedule, steps)


@pytest.mark.parametrize("sampler", DIFFUSION, ids=lambda sampler: sampler.name)
@pytest.mark.parametrize("steps_left", [1, 2, 9])
def test_a_sampler_draws_from_a_picture(sampler: Sampler, steps_left: int) -> None:
    """diffusers leaves noise where LMS or PLMS begins late."""
    steps = 20
    error, _ = drawn(sampler, NoiseSchedule(), steps, (steps - steps_left) * sampler.evaluations_per_step)
    assert error < 0.15


@pytest.mark.parametrize(("schedule", "by"), [("Karras", karras), ("Exponential", exponential)])
def test_sigmas_are_those_of_k_diffusion(schedule: str, by: Callable[[int, float, float], list[float]]) -> None:
    scheduler = build_scheduler(SAMPLERS[f"Euler {schedule}"], CONFIG, 12, [])
    deviations = ((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod).sqrt()
    expected = by(12, deviations[0].item(), deviations[-1].item())
    assert scheduler.sigmas.tolist() == pytest.approx([*expected, 0.0], rel=1e-4)


@pytest.mark.parametrize("steps", [1, 2, 12, 150, 1000])
def test_timesteps_of_the_beta_schedule_are_those_of_comfyui(steps: int) -> None:
    found = build_scheduler(SAMPLERS["Euler Beta"], CONFIG, steps, []).timesteps.tolist()
    assert found[0] == 999
    assert all(later < earlier for earlier, later in pairwise(found))
    assert found[-1] >= 0
    # ComfyUI's `beta_scheduler` of 12 steps on the schedule of Stable Diffusion.
    if steps == 12:
        assert found == COMFYUI_BETA


def test_what_is_known_of_the_classes_is_true() -> None:
    for sampler in DIFFUSION:
        known = inspect.signature(getattr(diffusers, sampler.scheduler_class)).parameters
        assert "prediction_type" in known
        if sampler.honours(NoiseSchedule(prediction="v_prediction", is_zero_snr=True)):
            assert "rescale_betas_zero_snr" in known
        elif "rescale_betas_zero_snr" in known:
            assert sampler.is_special, "a class learnt it: offer its samplers"


def test_samplers_that_cannot_begin_at_pure_noise_are_not_offered() -> None:
    zero = offered_samplers("diffusion", NoiseSchedule(prediction="v_prediction", is_zero_snr=True))
    assert set(offered_samplers("diffusion")) - set(zero) == {
        "Heun",
        "Heun Karras",
        "LMS",
        "LMS Karras",
        "DPM2",
        "DPM2 Karras",
        "DPM2 a",
        "DPM2 a Karras",
        "DPM++ SDE",
        "DPM++ SDE Karras",
        "DEIS",
        "DEIS Karras",
        "DPM++ 2S",
        "DPM++ 2S Karras",
        "PLMS",
        "SA-Solver",
    }
    assert "Euler a" not in offered_samplers("diffusion", NoiseSchedule(prediction="sample"))


@pytest.mark.parametrize("key", ["use_karras_sigmas", "use_beta_sigmas", "shift_terminal", "invert_sigmas"])
def test_a_flow_that_is_more_than_shifted_is_for_one_class(key: str) -> None:
    config = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0, key: 0.1 if "terminal" in key else True}
    assert read_schedule("flow", config).is_bent
    assert offered_samplers("flow", NoiseSchedule(is_bent=True)) == ("Flow Euler",)
    with pytest.raises(UnfitSampler):
        build_scheduler(SAMPLERS["Flow Heun"], config, 4, [])
    shifted = {"shift": 3.0, "use_dynamic_shifting": True, "_class_name": "FlowMatchEulerDiscreteScheduler"}
    assert not read_schedule("flow", shifted).is_bent


@pytest.mark.parametrize("sampler", DIFFUSION, ids=lambda sampler: sampler.name)
def test_schedulers_of_one_model_share_no_state(sampler: Sampler) -> None:
    schedule = NoiseSchedule()
    alone = drawn(sampler, schedule, 6)
    generator = torch.Generator().manual_seed(1)
    begun = build_scheduler(sampler, config_of(schedule), 9, [generator])
    timesteps, noise = begun.timesteps.clone(), torch.ones(SHAPE)
    stepped(begun, scaled_input(begun, noise, timesteps[0]), timesteps[0], noise, [generator])
    assert drawn(sampler, schedule, 6) == alone
    assert begun.timesteps.equal(timesteps)


@pytest.mark.parametrize("name", [name for name, sampler in SAMPLERS.items() if sampler.kind == "flow"])
def test_a_dynamic_shift_is_kept_where_the_file_has_no_other(name: str) -> None:
    """diffusers leaves out what a model's own scheduler had as a default."""
    told: dict[str, Any] = {"use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15}
    sigmas = [
        build_scheduler(SAMPLERS[name], config, 8, [torch.Generator()], spacing=FlowSpacing(mu=0.63)).sigmas
        for config in (
            dict(FlowMatchEulerDiscreteScheduler(**told).config),
            dict(FlowMatchEulerDiscreteScheduler(**told, shift=1.0).config),
        )
    ]
    assert sigmas[0].equal(sigmas[1])
    plain = build_scheduler(SAMPLERS[name], {"shift": 1.0}, 8, [torch.Generator()]).sigmas
    assert not sigmas[0].equal(plain)
