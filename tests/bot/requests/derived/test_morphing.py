"""What may become a morph, and what its request says."""

from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.quotas.pricing import morph_price, price
from bot.requests.derived.morphing import check_morphs, morph
from bot.requests.resolving import Resolved
from bot.safety.hard_rule import shipped_rule
from config.catalogue import Catalogue
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest, MorphRequest


def resolved(request: GenerationRequest, **changes: Any) -> Resolved:
    return Resolved(request=msgspec.structs.replace(request, **changes), notices=())


def made(start: Resolved, end: Resolved, frames: int = 16) -> MorphRequest:
    request = morph(start, end, frames=frames, is_returning=True).request
    assert isinstance(request, MorphRequest)
    return request


def test_a_morph_has_the_settings_of_its_first_picture_and_costs_its_frames(
    catalogue: Catalogue, request_: GenerationRequest
) -> None:
    start = resolved(request_, num_images=4)
    request = made(start, resolved(request_, prompt="a star", seed=9, num_inference_steps=50))
    assert (request.prompt, request.end_prompt) == ("a red apple", "a star")
    assert (request.seed, request.end_seed) == (request_.seed, 9)
    assert (request.num_inference_steps, request.num_images) == (request_.num_inference_steps, 1)
    spec = catalogue.default
    assert morph_price(request, spec, spec, "flat") == 16
    alike = msgspec.structs.replace(request_, num_images=16)
    assert morph_price(request, spec, spec, "work") == price(alike, spec, spec, "work")


@pytest.mark.parametrize(
    ("start", "end", "key"),
    [
        ({}, {"prompt": "a AND b"}, "refused-morph-concepts"),
        ({"prompt": "a <lora:fur:1>"}, {}, "refused-morph-styles"),
        ({}, {"negative_prompt": "rain"}, "refused-morph-negative"),
        ({"inputs": (Input(role=InputRole.INIT_IMAGE, sha256="ab"),)}, {}, "refused-morph-picture"),
        ({"scheduler_name": "Euler a"}, {"seed": 9}, "refused-morph-sampler"),
    ],
)
def test_ends_that_do_not_fit_are_told(
    request_: GenerationRequest, start: dict[str, Any], end: dict[str, Any], key: str
) -> None:
    with pytest.raises(Refused) as refused:
        made(resolved(request_, **start), resolved(request_, **end))
    assert refused.value.key == key
    same = made(resolved(request_, scheduler_name="Euler a"), resolved(request_, prompt="a star"))
    assert same.scheduler_name == "Euler a"


def test_a_model_without_morphs_names_those_that_have_them(catalogue: Catalogue) -> None:
    check_morphs(catalogue.default, "Pocket")
    with pytest.raises(Refused) as refused:
        check_morphs(msgspec.structs.replace(catalogue.default, family="flux2"), "Pocket")
    assert refused.value.key == "refused-morph-model"


def test_words_of_both_ends_are_judged_together(request_: GenerationRequest) -> None:
    request = made(resolved(request_, prompt="a naked woman"), resolved(request_, prompt="a child"))
    assert shipped_rule().forbids(request)
    assert shipped_rule().forbids(made(resolved(request_, prompt="a child"), resolved(request_, prompt="nude")))
    assert not shipped_rule().forbids(request_)
