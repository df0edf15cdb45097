"""The text about how a picture was made, as A1111 writes it."""

import msgspec
import pytest

from pipeline.images.parameters import parameters_text
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Outpaint
from pipeline.protocol.requests import GenerationRequest, Upscale
from pipeline.protocol.samplers.table import SAMPLERS, find_sampler

REQUEST = GenerationRequest(
    model_key="pocket",
    prompt="a cat",
    negative_prompt="",
    num_inference_steps=12,
    guidance_scale=6.5,
    scheduler_name="DPM++ 2M Karras",
    seed=7,
    width=64,
    height=48,
    num_images=1,
)


def facts(request: GenerationRequest, title: str = "Pocket") -> dict[str, str]:
    """The last line, which no value with a comma is in."""
    line = parameters_text(request, title).splitlines()[-1]
    return dict(pair.split(": ", 1) for pair in line.split(", "))


def test_the_facts_are_there_in_the_order_of_a1111() -> None:
    found = facts(REQUEST)
    assert found.pop("Version").startswith("Easel 0.")
    assert list(found.items()) == [
        ("Steps", "12"),
        ("Sampler", "DPM++ 2M"),
        ("Schedule type", "Karras"),
        ("CFG scale", "6.5"),
        ("Seed", "7"),
        ("Size", "64x48"),
        ("Model", "Pocket"),
    ]


@pytest.mark.parametrize("name", SAMPLERS)
def test_both_fields_together_name_the_sampler(name: str) -> None:
    found = facts(msgspec.structs.replace(REQUEST, scheduler_name=name))
    schedule = found.get("Schedule type", "Uniform")
    together = found["Sampler"] if schedule == "Uniform" else f"{found['Sampler']} {schedule}"
    assert find_sampler(together) is SAMPLERS[name]


@pytest.mark.parametrize(
    ("name", "schedule"),
    [("DPM++ 2M", "Uniform"), ("Euler a", "Uniform"), ("Euler Trailing", "Simple"), ("DDIM", None), ("UniPC", None)],
)
def test_a_schedule_is_said_where_there_is_one(name: str, schedule: str | None) -> None:
    assert facts(msgspec.structs.replace(REQUEST, scheduler_name=name)).get("Schedule type") == schedule


@pytest.mark.parametrize(
    "words",
    ["Negative prompt: cats", "a\n  negative PROMPT: cats", "a cat, Negative prompt: cats", "a\rNegative prompt:"],
)
def test_members_cannot_write_a_negative_prompt_of_their_own(words: str) -> None:
    request = msgspec.structs.replace(REQUEST, prompt=words, negative_prompt=words)
    text = parameters_text(request, "Pocket")
    assert text.casefold().count("negative prompt:") == 1
    assert text.splitlines()[words.replace("\r", "\n").count("\n") + 1].startswith("Negative prompt: ")


def test_a_title_with_commas_is_quoted() -> None:
    assert ', Model: "Pocket, small: \\"v1\\"", ' in parameters_text(REQUEST, 'Pocket, small: "v1"')


def test_an_enlarged_picture_says_so() -> None:
    found = facts(msgspec.structs.replace(REQUEST, upscale=Upscale(scale=2, strength=0.3)))
    assert (found["Hires upscale"], found["Denoising strength"]) == ("2", "0.3")


def test_the_strength_of_an_init_image_has_the_name_of_a1111() -> None:
    init_image = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.55)
    started = msgspec.structs.replace(REQUEST, inputs=(init_image,))
    assert ", Denoising strength: 0.55, " in parameters_text(started, "Pocket")
    larger = msgspec.structs.replace(started, upscale=Upscale(scale=2, strength=0.3))
    assert parameters_text(larger, "Pocket").count("Denoising strength") == 1


@pytest.mark.parametrize(
    ("inpaint", "expected"),
    [
        (Inpaint(cells=(5, 4)), {"Inpaint": "cells 4 5"}),
        (Inpaint(cells=(5,), is_enlarged=True), {"Inpaint": "cells 5", "Inpaint area": "Only masked"}),
        (Inpaint(grow=-0.05, is_inverted=True), {
            "Inpaint": "mask", "Mask grow": "-0.05", "Mask mode": "Inpaint not masked"
        }),
        (Inpaint(outpaint=Outpaint(left=0.5, bottom=0.25)), {"Outpaint": "left 0.5 bottom 0.25"}),
        (Inpaint(outpaint=Outpaint(top=0.5), whole=(256, 384)), {"Outpaint": "top 0.5", "Outpaint size": "256x384"}),
    ],
)  # fmt: skip
def test_the_part_that_is_drawn_anew_is_told(inpaint: Inpaint, expected: dict[str, str]) -> None:
    found = facts(msgspec.structs.replace(REQUEST, inpaint=inpaint))
    assert {name: found[name] for name in found if name.split()[0] in ("Inpaint", "Outpaint", "Mask")} == expected


def test_guidance_is_told_where_it_is_not_the_usual() -> None:
    assert not [name for name in facts(REQUEST) if name.startswith("Guidance")]
    found = facts(msgspec.structs.replace(REQUEST, guidance_end=0.8, guidance_rescale=0.25))
    assert {name: value for name, value in found.items() if name.startswith("Guidance")} == {
        "Guidance end": "0.8",
        "Guidance rescale": "0.25",
    }
