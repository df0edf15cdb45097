"""What the engine does not draw, each in a sentence that names it."""

import math
from typing import Any

import msgspec
import pytest

from pipeline.engine.failures import InvalidRequest
from pipeline.engine.steps.jobs.validation import check_capabilities, check_request
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Outpaint, Use
from pipeline.protocol.request_fields import FACTS
from pipeline.protocol.requests import GenerationRequest, Upscale, Variation

BOUNDED = {
    name: (fact.lowest, fact.highest)
    for name, fact in FACTS[GenerationRequest].items()
    if fact.lowest is not None and fact.highest is not None and not fact.is_private
}


def beyond(bound: float, value: float) -> list[Any]:
    """Values on the other side of a bound, which is a whole number of what is one."""
    return [math.nan, value] if isinstance(bound, float) else [value]


@pytest.mark.parametrize("name", BOUNDED)
def test_a_number_beyond_its_bounds_is_refused_by_name(request_: GenerationRequest, name: str) -> None:
    lowest, highest = BOUNDED[name]
    check_request(request_)
    for value in (*beyond(lowest, lowest - 1), *beyond(highest, highest + 1)):
        with pytest.raises(InvalidRequest, match=rf"The {name} is {value}, outside "):
            check_request(msgspec.structs.replace(request_, **{name: value}))


@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
def test_a_text_may_be_as_long_as_the_protocol_says(request_: GenerationRequest, name: str) -> None:
    highest = int(FACTS[GenerationRequest][name].highest or 0)
    check_request(msgspec.structs.replace(request_, **{name: "x" * highest}))
    with pytest.raises(InvalidRequest, match=f"The length of the text is {highest + 1}, outside 0 to {highest}"):
        check_request(msgspec.structs.replace(request_, **{name: "x" * (highest + 1)}))


def test_inputs_have_bounds_and_one_of_them_is_the_init_image(request_: GenerationRequest) -> None:
    one = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=1.0)
    for inputs, sentence in (
        ((one,) * 7, "The number of inputs is 7, outside 0 to 6"),
        ((one, msgspec.structs.replace(one, strength=0.01)), r"The strength of an input is 0.01, outside 0\.05 to 1"),
        ((msgspec.structs.replace(one, strength=math.nan),), "The strength of an input is nan"),
        ((one, one), "The number of init images is 2, outside 0 to 1"),
    ):
        with pytest.raises(InvalidRequest, match=sentence):
            check_request(msgspec.structs.replace(request_, inputs=inputs))


CONTROL = Input(role=InputRole.CONTROL, sha256="ab" * 32, use=Use.LINES, network="canny", strength=2.0, start=0.2)
REFERENCE = Input(role=InputRole.REFERENCE, sha256="ab" * 32, use=Use.STYLE, network="plus", strength=0.0, end=0.5)
START_IMAGE = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, use=Use.START)
EDIT = Input(role=InputRole.EDIT, sha256="ab" * 32, use=Use.EDIT, strength=0.55)


def test_pictures_for_networks_and_edits_may_be_several(request_: GenerationRequest) -> None:
    check_request(msgspec.structs.replace(request_, inputs=(CONTROL, CONTROL, REFERENCE, REFERENCE, START)))
    check_request(msgspec.structs.replace(request_, inputs=(EDIT, EDIT)))


@pytest.mark.parametrize(
    ("given", "changes", "sentence"),
    [
        (CONTROL, {"strength": 2.1}, "The scale of a network is 2.1, outside 0.0 to 2.0"),
        (CONTROL, {"strength": math.nan}, "The scale of a network is nan"),
        (CONTROL, {"use": None}, "A control needs a use and a network"),
        (REFERENCE, {"network": ""}, "A reference needs a use and a network"),
        (CONTROL, {"use": Use.STYLE}, "A picture with the role control has no use style"),
        (CONTROL, {"start": 0.5, "end": 0.5}, "A network cannot have an effect from 0.5 to 0.5"),
        (REFERENCE, {"end": 1.1}, "A network cannot have an effect from 0.0 to 1.1"),
        (REFERENCE, {"start": math.nan}, "A network cannot have an effect from nan"),
        (REFERENCE, {"is_map": True}, "A reference is neither a map nor a guess"),
        (REFERENCE, {"is_guess": True}, "A reference is neither a map nor a guess"),
        (EDIT, {"network": "canny"}, "A picture with the role edit has no network"),
        (EDIT, {"use": Use.START}, "A picture with the role edit has no use start"),
        (EDIT, {"strength": 1.5}, r"The strength of an input is 1.5, outside 0\.05 to 1"),
        (START_IMAGE, {"end": 0.5}, "has no network, no window"),
        (START_IMAGE, {"is_map": True}, "has no network, no window and no map"),
        (START_IMAGE, {"use": Use.EDIT}, "A picture with the role init-image has no use edit"),
    ],
)
def test_an_input_is_checked_by_its_role(
    request_: GenerationRequest, given: Input, changes: dict[str, Any], sentence: str
) -> None:
    check_request(msgspec.structs.replace(request_, inputs=(given,)))
    with pytest.raises(InvalidRequest, match=sentence):
        check_request(msgspec.structs.replace(request_, inputs=(msgspec.structs.replace(given, **changes),)))


def test_an_edit_does_not_start_from_another_picture(request_: GenerationRequest) -> None:
    with pytest.raises(InvalidRequest, match="An edit has no init image"):
        check_request(msgspec.structs.replace(request_, inputs=(EDIT, START)))


START = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.8)
MASK = Input(role=InputRole.MASK, sha256="cd" * 32)


@pytest.mark.parametrize(
    ("inputs", "inpaint"),
    [
        ((START,), Inpaint(cells=(0, 8), grow=-0.25)),
        ((START, MASK), Inpaint(grow=0.25, is_inverted=True)),
        ((START,), Inpaint(outpaint=Outpaint(left=0.5, top=1.0))),
        ((START,), Inpaint(outpaint=Outpaint(left=0.5), whole=(3_072, 2_048))),
    ],
)
def test_one_part_of_the_init_image_is_drawn_anew(
    request_: GenerationRequest, inputs: tuple[Input, ...], inpaint: Inpaint
) -> None:
    check_request(msgspec.structs.replace(request_, inputs=inputs, inpaint=inpaint))


@pytest.mark.parametrize(
    ("inputs", "inpaint", "sentence"),
    [
        ((START, MASK), None, "There is a mask, but"),
        ((START, MASK, MASK), Inpaint(), "The number of masks is 2"),
        ((START, msgspec.structs.replace(MASK, strength=0.5)), Inpaint(), "A mask has no strength of its own"),
        ((MASK,), Inpaint(), "There is no init image"),
        ((START,), Inpaint(), "Exactly one of cells, a mask and margins"),
        ((START, MASK), Inpaint(cells=(1,)), "Exactly one of cells, a mask and margins"),
        ((START,), Inpaint(cells=(1,), outpaint=Outpaint(left=0.5)), "Exactly one of"),
        ((START,), Inpaint(cells=(9,)), "The number of a cell is 9, outside 0 to 8"),
        ((START, MASK), Inpaint(grow=0.3), "The growth is 0.3, outside -0.25 to 0.25"),
        ((START, MASK), Inpaint(grow=math.nan), "The growth is nan"),
        ((START,), Inpaint(outpaint=Outpaint()), "At least one margin is more than 0"),
        ((START,), Inpaint(outpaint=Outpaint(right=1.5)), "The margin is 1.5, outside 0.0 to 1.0"),
        ((START,), Inpaint(outpaint=Outpaint(right=0.5), grow=0.1), "Margins neither grow"),
        ((START,), Inpaint(cells=(1,), whole=(96, 64)), "Only a picture with margins has a size of its own"),
        ((START,), Inpaint(outpaint=Outpaint(right=0.5), whole=(3_073, 64)), "The side of the picture is 3073"),
        ((START,), Inpaint(outpaint=Outpaint(right=0.5), whole=(0, 64)), "The side of the picture is 0"),
        ((START,), Inpaint(outpaint=Outpaint(right=0.5), is_inverted=True), "Margins neither grow"),
    ],
)
def test_a_part_that_cannot_be_drawn_anew_is_refused(
    request_: GenerationRequest, inputs: tuple[Input, ...], inpaint: Inpaint | None, sentence: str
) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        check_request(msgspec.structs.replace(request_, inputs=inputs, inpaint=inpaint))


def test_a_picture_with_a_window_has_no_second_pass(request_: GenerationRequest) -> None:
    inpaint = Inpaint(outpaint=Outpaint(right=0.5), whole=(96, 64))
    request = msgspec.structs.replace(request_, inputs=(START,), inpaint=inpaint, upscale=Upscale(scale=2, strength=0))
    check_request(request)
    refined = msgspec.structs.replace(request, upscale=Upscale(scale=2, strength=0.25))
    with pytest.raises(InvalidRequest, match="has no second pass"):
        check_request(refined)


def test_guidance_begins_before_it_ends(request_: GenerationRequest) -> None:
    with pytest.raises(InvalidRequest, match=r"Guidance cannot end at 0\.4 and begin at 0\.4"):
        check_request(msgspec.structs.replace(request_, guidance_start=0.4, guidance_end=0.4))


def test_a_sampler_does_as_many_steps_as_it_can(request_: GenerationRequest) -> None:
    with pytest.raises(InvalidRequest, match="The num_inference_steps is 51, outside 1 to 50"):
        check_request(msgspec.structs.replace(request_, scheduler_name="LCM", num_inference_steps=51))


@pytest.mark.parametrize(
    ("changes", "capability"),
    [
        ({"variations": (Variation(seed=1, strength=0.5),)}, "variations"),
        ({"upscale": Upscale(scale=2, strength=0.5)}, "refining"),
        ({"inputs": (Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.5),)}, None),
        ({"inpaint": Inpaint(cells=(4,))}, None),
        ({"upscale": Upscale(scale=2, strength=0.0)}, None),
        ({"negative_prompt": "rain", "guidance_scale": 7.0}, None),
    ],
)
def test_a_family_is_asked_for_what_it_can_do(
    request_: GenerationRequest, changes: dict[str, Any], capability: str | None
) -> None:
    request = msgspec.structs.replace(request_, **changes)
    check_capabilities(request, FAMILY_FACTS["sd"])
    if capability is None:
        check_capabilities(request, FAMILY_FACTS["pipeline"])
        return
    with pytest.raises(InvalidRequest, match=f"Models of this family have no {capability}"):
        check_capabilities(request, FAMILY_FACTS["pipeline"])


@pytest.mark.parametrize(
    ("inputs", "capability"),
    [((CONTROL,), "control"), ((REFERENCE,), "reference"), ((EDIT,), "edit"), ((EDIT, EDIT), "several-pictures")],
)
def test_a_family_is_asked_for_each_use_of_a_picture(
    request_: GenerationRequest, inputs: tuple[Input, ...], capability: str
) -> None:
    request = msgspec.structs.replace(request_, inputs=inputs)
    everything = msgspec.structs.replace(FAMILY_FACTS["sd"], capabilities=frozenset(Capability))
    check_capabilities(request, everything)
    with pytest.raises(InvalidRequest, match=f"Models of this family have no {capability}"):
        check_capabilities(
            request,
            msgspec.structs.replace(everything, capabilities=everything.capabilities - {Capability(capability)}),
        )
