"""Names of samplers, what they cost and which models they fit; the engine's tests hold the table against diffusers."""

import pytest

from pipeline.protocol.samplers.sampler import NoiseSchedule
from pipeline.protocol.samplers.table import SAMPLERS, find_sampler, offered_samplers

SPELLINGS = [(sampler.name, spelling) for sampler in SAMPLERS.values() for spelling in (sampler.name, *sampler.aliases)]


@pytest.mark.parametrize(("name", "spelling"), SPELLINGS)
def test_every_spelling_is_understood_whatever_its_case(name: str, spelling: str) -> None:
    for typed in (spelling, spelling.upper(), f" {spelling.lower()}\n"):
        assert find_sampler(typed) is SAMPLERS[name]


def test_no_spelling_means_two_samplers_and_others_mean_none() -> None:
    assert len({spelling.casefold() for _, spelling in SPELLINGS}) == len(SPELLINGS)
    assert find_sampler("Euler b") is None


def test_a_second_order_evaluates_twice_but_in_the_last_step() -> None:
    assert [SAMPLERS["Euler"].evaluations(steps) for steps in (1, 2, 10)] == [1, 2, 10]
    assert [SAMPLERS["Heun"].evaluations(steps) for steps in (1, 2, 10)] == [1, 3, 19]


def test_plms_evaluates_its_second_timestep_twice() -> None:
    assert [SAMPLERS["PLMS"].evaluations(steps) for steps in (1, 2, 10)] == [1, 3, 11]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("DPM++ 2M SDE Exponential", "DPM++ 2M SDE"),
        ("DPM++ 3M SDE Exponential", "DPM++ 3M SDE"),
        ("DPM++ 2M SDE Heun Exponential", "DPM++ 2M SDE Heun"),
        ("dpmpp_2s_k", "DPM++ 2S Karras"),
        ("sa solver", "SA-Solver"),
        ("pndm", "PLMS"),
    ],
)
def test_names_of_other_programs_are_known(typed: str, name: str) -> None:
    assert find_sampler(typed) is SAMPLERS[name]


@pytest.mark.parametrize(
    ("name", "schedule", "honours"),
    [
        ("Euler a", NoiseSchedule(), True),
        ("Euler a", NoiseSchedule(prediction="sample"), False),
        ("Euler a", NoiseSchedule(prediction="v_prediction", is_zero_snr=True), True),
        ("Heun", NoiseSchedule(prediction="sample"), True),
        ("Heun", NoiseSchedule(is_zero_snr=True), False),
        ("DDIM", NoiseSchedule(), True),
        ("DDIM", NoiseSchedule(is_zero_snr=True), False),
        ("DDIM", NoiseSchedule(prediction="v_prediction", is_zero_snr=True), True),
        ("Euler", NoiseSchedule(is_zero_snr=True), True),
        # Bends are of flows alone, and what a diffusion model answers is not a flow's.
        ("Heun", NoiseSchedule(is_bent=True), True),
        ("Flow Heun", NoiseSchedule(is_zero_snr=True, prediction="sample"), True),
        ("Flow Heun", NoiseSchedule(is_bent=True), False),
        ("Flow Euler", NoiseSchedule(is_bent=True), True),
    ],
)
def test_a_sampler_fits_what_a_model_was_trained_for(name: str, schedule: NoiseSchedule, honours: bool) -> None:
    assert SAMPLERS[name].honours(schedule) is honours


def test_a_model_is_offered_those_of_its_kind_that_need_no_model_of_their_own() -> None:
    assert offered_samplers("flow") == ("Flow Euler", "Flow Heun")
    assert offered_samplers("flow", NoiseSchedule(is_bent=True)) == ("Flow Euler",)
    assert offered_samplers("own") == ("Model's own",)
    kinds = {sampler.name for sampler in SAMPLERS.values() if sampler.kind == "diffusion"}
    assert set(offered_samplers("diffusion")) == kinds - {"LCM", "TCD", "Euler Trailing"}
