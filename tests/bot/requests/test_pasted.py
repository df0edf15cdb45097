"""Whole commands and pictures' settings in the field of the prompt, before anything else is read."""

from typing import Any

import pytest

from bot.presenting.texts import text
from bot.requests.given import GivenRequest
from bot.requests.pasted import read_pasted
from bot.requests.typed.offers import Offers
from pipeline.protocol.loras import LoraEntry

FUR = LoraEntry(name="fur", title="Soft Fur")
OFFERS = Offers(models=("big", "My big model"), styles=[FUR])
OF_A_PART = "is about a part of a picture and was left out. Press 🖌️, 🔍 or ↔️ below a picture to change a part of it."
SIX = "one two three four five six"


@pytest.mark.parametrize(
    ("command", "prompt", "values"),
    [
        ("a cat, steps: 8 seed: -1", "a cat", {"num_inference_steps": 8, "seed": None}),
        ("X cat X, images: 2", "X cat X", {"num_images": 2}),
        ("a cat negative: rain, fog cfg: 6,5", "a cat", {"negative_prompt": "rain, fog", "guidance_scale": 6.5}),
        ("a cat, negative prompt: rain --ar 2:1", "a cat --ar 2:1", {"negative_prompt": "rain"}),
        ("a cat size: wide sampler: euler a", "a cat", {"size": "wide", "scheduler_name": "euler a"}),
        ("a cat model: My big model style: soft fur", "a cat", {"model_key": "My big model", "style": FUR}),
        # One word, and up to six, may be a name that nobody here knows.
        ("a cat model: foo", "a cat", {"model_key": "foo"}),
        ("a cat sampler: Foo", "a cat", {"scheduler_name": "Foo"}),
        (f"a cat sampler: {SIX}", "a cat", {"scheduler_name": SIX}),
        # What is not of a field's kind is words, also between two that are.
        ("a cat seed: many", "a cat seed: many", {}),
        ("a cat images: of", "a cat images: of", {}),
        ("a cat steps: by two", "a cat steps: by two", {}),
        ("a cat cfg: high", "a cat cfg: high", {}),
        ("a cat size: huge", "a cat size: huge", {}),
        ("a cat model: of clay", "a cat model: of clay", {}),
        (f"a cat sampler: {SIX} seven", f"a cat sampler: {SIX} seven", {}),
        ("a cat sampler: seed: 3", "a cat sampler:", {"seed": 3}),
        ("a cat negative:", "a cat negative:", {}),
        ("a cat color: red seed: 3", "a cat color: red", {"seed": 3}),
        ("a cat size: huge seed: 3 steps: 8", "a cat size: huge", {"seed": 3, "num_inference_steps": 8}),
        # Typed options stay for who reads those.
        (
            "a cat negative: rain --ar 2:1 steps: 8",
            "a cat --ar 2:1",
            {"negative_prompt": "rain", "num_inference_steps": 8},
        ),
        ("a cat", "a cat", {}),
    ],
)
def test_a_command_is_taken_apart_at_fields_of_their_kind(command: str, prompt: str, values: dict[str, Any]) -> None:
    pasted = GivenRequest(prompt=f"/imagine prompt: {command}")
    assert read_pasted(pasted, OFFERS) == (GivenRequest(prompt=prompt, **values), ())


@pytest.mark.parametrize(
    ("settings", "prompt", "values", "told"),
    [
        (
            "a cat,\nNegative prompt: rain\nSteps: 8, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6, Seed: 3",
            "a cat",
            {
                "negative_prompt": "rain",
                "num_inference_steps": 8,
                "scheduler_name": "DPM++ 2M Karras",
                "guidance_scale": 6.0,
                "seed": 3,
            },
            [],
        ),
        (
            'X cat X\nSteps: 8, Size: 72x64, Sampler: "Euler a"',
            "X cat X",
            {"size": "72x64", "scheduler_name": "Euler a"},
            [],
        ),
        (
            "a cat\nSteps: 8, Sampler: Euler, Schedule type: Odd",
            "a cat",
            {"scheduler_name": "Euler"},
            ["Schedule type: Odd is no option here and was left out."],
        ),
        # The strength is that of an init image, unless the picture was made larger.
        ("a cat\nSteps: 8, Sampler: Euler, Denoising strength: 0.55", "a cat", {"strength": 0.55}, []),
        (
            "a cat\nSteps: 8, Sampler: Euler, Denoising strength: 0.3, Hires upscale: 2",
            "a cat",
            {},
            ["Denoising strength: 0.3, Hires upscale: 2 are no options here and were left out."],
        ),
        (
            "a cat\nSteps: 8, Sampler: Euler, Denoising strength: 0.8, Inpaint: cells 3 4, Mask grow: 0.03",
            "a cat",
            {"strength": 0.8},
            [f"Inpaint: cells 3 4, Mask grow: 0.03 {OF_A_PART}"],
        ),
        (
            "a cat\nSteps: 8, Sampler: Euler, Outpaint: left 0.5",
            "a cat",
            {},
            [f"Outpaint: left 0.5 {OF_A_PART}"],
        ),
        # A model of the same name is most often another one, so that it must be one of these.
        ("a cat\nSteps: 8, Sampler: Euler, Model: My big model", "a cat", {"model_key": "My big model"}, []),
        (
            "a cat\nSteps: 8, Sampler: Euler, Model: X, Seed: any",
            "a cat",
            {},
            ["Model: X, Seed: any are no options here and were left out."],
        ),
    ],
)
def test_a_pictures_settings_are_read_and_the_rest_is_told(
    settings: str, prompt: str, values: dict[str, Any], told: list[str]
) -> None:
    given, notices = read_pasted(GivenRequest(prompt=settings), OFFERS)
    usual: dict[str, Any] = {"num_inference_steps": 8, "scheduler_name": "Euler"}
    assert given == GivenRequest(prompt=prompt, **{**usual, **values})
    assert [text(notice.key, **notice.values) for notice in notices] == told


def test_the_form_wins_and_what_to_avoid_is_added_up() -> None:
    asked = GivenRequest(
        prompt="/imagine prompt: a cat steps: 8 seed: 3 negative: rain",
        seed=3,
        num_inference_steps=9,
        style=FUR,
        negative_prompt="fog",
    )
    given, notices = read_pasted(asked, OFFERS)
    assert given == GivenRequest(prompt="a cat", seed=3, num_inference_steps=9, style=FUR, negative_prompt="fog, rain")
    assert [text(notice.key, **notice.values) for notice in notices] == [
        "steps: 8 was left out, since another value was given for it too."
    ]


def test_a_style_that_is_not_here_is_told() -> None:
    given, notices = read_pasted(GivenRequest(prompt="/imagine prompt: a cat style: furr"), OFFERS)
    assert given == GivenRequest(prompt="a cat")
    assert [notice.values for notice in notices] == [{"name": "furr", "near": "fur"}]


@pytest.mark.parametrize(
    ("prompt", "kept", "avoided"),
    [
        ("a cat, negative prompt: rain, fog ", "a cat", "rain, fog"),
        ("a Negative prompt: b Negative_prompt: c", "a", "b, c"),
        ("a cat. negative prompt: rain --seed 3", "a cat. --seed 3", "rain"),
        ("a cat, steps: 8 ", "a cat, steps: 8 ", None),
        ("unnegative prompt: a", "unnegative prompt: a", None),
    ],
)
def test_without_a_command_only_what_to_avoid_is_a_field(prompt: str, kept: str, avoided: str | None) -> None:
    given, notices = read_pasted(GivenRequest(prompt=prompt), OFFERS)
    assert (given, notices) == (GivenRequest(prompt=kept, negative_prompt=avoided), ())
