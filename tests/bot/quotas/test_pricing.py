"""What a job costs, and what is charged of it."""

import math

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.quotas.pricing import part, price, rows
from config.catalogue import Catalogue
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.costs import Cost
from pipeline.protocol.catalogue.models import Defaults, ModelSpec
from pipeline.protocol.catalogue.networks import ControlKind, FileSource, FolderSource, ReferenceSpec
from pipeline.protocol.catalogue.pipelines import LACKED_BY_CLASS
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Outpaint, Use
from pipeline.protocol.requests import GenerationRequest, Upscale
from tests.control_nets import CANNY

SD15 = ModelSpec(
    key="sd15",
    title="Stable Diffusion 1.5",
    source=FolderSource(path="/nowhere"),
    family="sd",
    license="",
    defaults=Defaults(steps=20, cfg=7.0, width=512, height=512, sampler="Euler"),
    cost=Cost(row_linear=0.75, row_quadratic=0.25, decode=2.5, encode=1.25, text=0.03),
)
"""Round numbers: a row costs P x 0.75 + P^2 x 0.25, so one default image is 40 + 2.5 + 0.03 TFLOP."""
TFLOP = msgspec.structs.replace(
    SD15,
    defaults=Defaults(steps=1, cfg=1.0, width=512, height=512, sampler="Euler"),
    cost=Cost(row_linear=1.0, row_quadratic=0.0, decode=0.0, encode=0.0, text=0.0),
)
"""A default model whose image is one TFLOP, so that a price is the work itself."""
HALF = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.5)
MASK = Input(role=InputRole.MASK, sha256="cd" * 32)
REFERENCE = Input(role=InputRole.REFERENCE, sha256="ef" * 32, use=Use.STYLE, network="adapter")
CONTROL = Input(role=InputRole.CONTROL, sha256="ef" * 32, use=Use.LINES, network="net")


def _like(request: GenerationRequest, spec: ModelSpec, **changes: object) -> GenerationRequest:
    defaults = spec.defaults
    plain = msgspec.structs.replace(
        request,
        num_inference_steps=defaults.steps,
        guidance_scale=defaults.cfg,
        width=defaults.width,
        height=defaults.height,
        scheduler_name=defaults.sampler,
    )
    return msgspec.structs.replace(plain, **changes)


def test_a_default_image_costs_one_and_four_cost_four(catalogue: Catalogue, request_: GenerationRequest) -> None:
    one = _like(request_, catalogue.default)
    four = msgspec.structs.replace(one, num_images=4)
    for pricing in ("flat", "work"):
        assert price(one, catalogue.default, catalogue.default, pricing) == 1
        assert price(four, catalogue.default, catalogue.default, pricing) == 4


def test_flat_counts_images_and_nothing_else(request_: GenerationRequest) -> None:
    big = _like(request_, SD15, num_inference_steps=150, width=2_048, height=2_048, num_images=3)
    assert price(big, SD15, SD15, "flat") == 3


def test_work_is_worked_out_as_it_is_written_down(request_: GenerationRequest) -> None:
    unit = 40 + 2.5 + 0.03
    expected = {
        # Twice the steps: 80 + 2.53.
        2: _like(request_, SD15, num_inference_steps=40),
        # No negative prompt to pass through the network, half the rows; never less than one unit.
        1: _like(request_, SD15, guidance_scale=1.0),
        # Four times the pixels: 40 x (0.75 x 4 + 0.25 x 16) + 4 x 2.5 + 0.03.
        7: _like(request_, SD15, width=1_024, height=1_024),
    }
    for units, request in expected.items():
        assert price(request, SD15, SD15, "work") == units
    assert (280 + 10 + 0.03) / unit < 7


@pytest.mark.parametrize("cfg", [0.0, 1.0, 1.5, 2.0, 7.0])
def test_the_unit_is_guided_as_the_default_model_is(request_: GenerationRequest, cfg: float) -> None:
    spec = msgspec.structs.replace(SD15, defaults=msgspec.structs.replace(SD15.defaults, cfg=cfg))
    assert price(_like(request_, spec, num_images=4), spec, spec, "work") == 4


def test_an_upscaled_picture_costs_what_its_second_pass_does(request_: GenerationRequest) -> None:
    plain = _like(request_, SD15, num_images=4)
    # 4 x (40 + 2.5) + 0.03, and nine times the pixels in 6 steps, of which each image is encoded and decoded:
    # 4 x (12 x (0.75 x 9 + 0.25 x 81) + 9 x (2.5 + 1.25)) + 0.03, of 42.53.
    larger = msgspec.structs.replace(plain, upscale=Upscale(scale=3, strength=0.3))
    assert (price(larger, SD15, SD15, "work"), rows(larger)) == (38, 4 * (40 + 9 * 12))
    # Without guidance, the second pass has half as many rows.
    unguided = msgspec.structs.replace(plain, upscale=Upscale(scale=3, strength=0.3, guidance_scale=1.0))
    assert (price(unguided, SD15, SD15, "work"), rows(unguided)) == (23, 4 * (40 + 9 * 6))
    resampled = msgspec.structs.replace(plain, upscale=Upscale(scale=3, strength=0))
    assert (price(resampled, SD15, SD15, "work"), rows(resampled)) == (4, rows(plain))


def test_a_picture_from_a_picture_costs_the_steps_that_are_drawn(request_: GenerationRequest) -> None:
    plain = _like(request_, SD15, num_images=4)
    # 4 x (20 + 2.5) + 1.25 + 0.03 of 42.53.
    assert price(msgspec.structs.replace(plain, inputs=(HALF,)), SD15, SD15, "work") == 3
    for steps, scheduler_name in ((20, "Euler"), (20, "Heun")):
        whole = msgspec.structs.replace(plain, num_inference_steps=steps, scheduler_name=scheduler_name)
        fewer = msgspec.structs.replace(whole, num_inference_steps=steps // 2)
        assert rows(msgspec.structs.replace(whole, inputs=(HALF,))) == rows(fewer)


@pytest.mark.parametrize(
    ("changes", "tflop"),
    [
        ({}, 171),  # 4 x (40 + 2.5) + 0.03
        ({"inputs": (HALF,)}, 121),  # 4 x (20 + 2.5) + 30 + 0.03
        ({"inputs": (HALF,), "inpaint": Inpaint(cells=(4,))}, 151),  # and 30 for the picture without its part
        ({"inputs": (HALF, MASK), "inpaint": Inpaint()}, 151),  # the mask itself is not encoded
        ({"inputs": (HALF,), "inpaint": Inpaint(outpaint=Outpaint(left=0.5))}, 151),
        ({"inputs": (HALF,), "width": 1_024}, 281),  # of twice the pixels: 4 x (20 x 2.5 + 5) + 60 + 0.03
    ],
)
def test_each_picture_is_encoded_once_for_all_images(
    request_: GenerationRequest, changes: dict[str, object], tflop: int
) -> None:
    spec = msgspec.structs.replace(SD15, cost=msgspec.structs.replace(SD15.work, encode=30))
    assert price(_like(request_, SD15, num_images=4, **changes), spec, TFLOP, "work") == tflop


ADAPTER = ReferenceSpec(
    key="adapter",
    title="Adapter",
    source=FileSource(path="/nowhere"),
    encoder=FolderSource(path="/nowhere"),
    family="sd",
    uses=("style",),
    license="",
    cost=3.0,
)
NET = msgspec.structs.replace(CANNY, cost=0.5)


@pytest.mark.parametrize(
    ("changes", "kind", "given", "tflop"),
    [
        # 20 evaluations of 2 rows, each with a U-Net row of 1 and a net row of 0.5.
        ({}, "controlnet", {}, 40 + 20),
        ({"num_images": 3}, "controlnet", {}, 3 * (40 + 20)),
        ({"guidance_scale": 1.0}, "controlnet", {}, 20 + 10),
        ({}, "controlnet", {"is_guess": True}, 40 + 10),
        # Evaluations 5 to 9 of 20, that is 5.
        ({}, "controlnet", {"start": 0.25, "end": 0.5}, 40 + 5),
        # Heun evaluates 20 steps 39 times.
        ({"scheduler_name": "Heun"}, "controlnet", {}, 78 + 39),
        ({"width": 1_024}, "controlnet", {}, 80 + 40),
        ({"inputs": (HALF,)}, "controlnet", {}, 20 + 10),
        # An adapter runs once for all images, and once more for a second pass at four times the pixels.
        ({"num_images": 2}, "t2i-adapter", {}, 80 + 0.5),
        ({"upscale": Upscale(scale=2, strength=0.5)}, "t2i-adapter", {}, 40 + 4 * 20 + 0.5 + 2),
    ],
)
def test_each_row_that_a_net_steers_is_paid(
    request_: GenerationRequest, changes: dict[str, object], kind: ControlKind, given: dict[str, object], tflop: float
) -> None:
    spec, net = msgspec.structs.replace(SD15, cost=TFLOP.cost), msgspec.structs.replace(NET, kind=kind)
    plain = _like(request_, SD15, **changes)
    control = msgspec.structs.replace(CONTROL, **given)
    steered = msgspec.structs.replace(plain, inputs=(*plain.inputs, control))
    assert price(steered, spec, TFLOP, "work", {"net": net}) == math.ceil(tflop)
    twice = msgspec.structs.replace(steered, inputs=(*steered.inputs, control))
    without = price(plain, spec, TFLOP, "work")
    assert price(twice, spec, TFLOP, "work", {"net": net}) == math.ceil(without + 2 * (tflop - without))
    assert price(steered, spec, TFLOP, "work") == without
    assert price(steered, spec, TFLOP, "flat", {"net": net}) == plain.num_images


def test_a_net_without_a_cost_has_that_of_the_published_ones(request_: GenerationRequest) -> None:
    net = msgspec.structs.replace(NET, cost=None)
    request = _like(request_, SD15, inputs=(CONTROL,))
    assert price(request, SD15, TFLOP, "work", {"net": net}) == math.ceil(40 + 2.53 + 40 * 0.283)


@pytest.mark.parametrize("changes", [{}, {"num_images": 4}, {"upscale": Upscale(scale=2, strength=0.5)}])
def test_each_reference_is_encoded_once_for_the_whole_job(
    request_: GenerationRequest, changes: dict[str, object]
) -> None:
    spec = msgspec.structs.replace(SD15, cost=TFLOP.cost)
    plain = _like(request_, SD15, **changes)
    without = price(plain, spec, TFLOP, "work", {"adapter": ADAPTER})
    for count in (1, 5):
        referring = msgspec.structs.replace(plain, inputs=(REFERENCE,) * count)
        assert price(referring, spec, TFLOP, "work", {"adapter": ADAPTER}) == without + 3 * count
        assert price(referring, spec, TFLOP, "work") == without
        assert price(referring, spec, TFLOP, "flat", {"adapter": ADAPTER}) == plain.num_images


def test_a_family_that_rounds_up_is_paid_for_the_step_more(request_: GenerationRequest) -> None:
    diffusion = msgspec.structs.replace(SD15, cost=TFLOP.cost)
    flow = msgspec.structs.replace(diffusion, family="sd3")
    request = _like(request_, SD15, inputs=(msgspec.structs.replace(HALF, strength=0.33),))
    # Of 20 steps at 0.33, Stable Diffusion draws 6 and Stable Diffusion 3 draws 7.
    assert (price(request, diffusion, TFLOP, "work"), price(request, flow, TFLOP, "work")) == (12, 14)


def test_a_distilled_model_draws_one_row_whatever_the_guidance(request_: GenerationRequest) -> None:
    distilled = msgspec.structs.replace(SD15, cost=TFLOP.cost).narrowed(None, (Capability.NEGATIVE_PROMPT,))
    for cfg in (1.0, 7.0):
        assert price(_like(request_, distilled, guidance_scale=cfg), distilled, TFLOP, "work") == 20
    assert price(_like(request_, distilled), distilled, distilled, "work") == 1


def test_each_concept_pays_its_row_at_any_scale(request_: GenerationRequest) -> None:
    spec = msgspec.structs.replace(SD15, cost=TFLOP.cost)
    for cfg, end in ((7.0, 0.5), (1.0, 1.0)):
        several = _like(request_, spec, prompt="a cat AND a dog AND fog :0", guidance_scale=cfg, guidance_end=end)
        assert price(several, spec, TFLOP, "work") == rows(several) == 20 * 3
    whole = msgspec.structs.replace(spec, family="pipeline")
    assert price(several, whole, TFLOP, "work") == 20


@pytest.mark.parametrize(("name", "rows"), [("Flux2KleinPipeline", 2), ("FluxPipeline", 1), ("QwenImagePipeline", 2)])
def test_a_whole_pipeline_pays_for_the_rows_that_its_guidance_takes(
    request_: GenerationRequest, name: str, rows: int
) -> None:
    """FLUX.2 klein guides by a row without words, and reads no negative prompt."""
    spec = msgspec.structs.replace(SD15, cost=TFLOP.cost, family="pipeline").narrowed(None, LACKED_BY_CLASS[name])
    guided = _like(request_, spec, guidance_scale=7.0, scheduler_name="Model's own")
    plain = msgspec.structs.replace(guided, guidance_scale=1.0)
    assert price(guided, spec, TFLOP, "work") == rows * price(plain, spec, TFLOP, "work") == rows * 20


@given(
    strength=st.floats(0.05, 1),
    images=st.integers(1, 4),
    side=st.sampled_from([256, 512, 1_024]),
    inpaint=st.sampled_from([None, Inpaint(cells=(0,)), Inpaint(outpaint=Outpaint(top=0.5))]),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_work_of_a_picture_is_between_that_of_its_steps_and_twice_its_encoding(
    request_: GenerationRequest, strength: float, images: int, side: int, inpaint: Inpaint | None
) -> None:
    given = msgspec.structs.replace(HALF, strength=strength)
    request = _like(request_, SD15, num_images=images, width=side, inputs=(given,), inpaint=inpaint)
    free = msgspec.structs.replace(SD15, cost=msgspec.structs.replace(SD15.work, encode=0.0))
    steps, paid = (price(request, spec, TFLOP, "work") for spec in (free, SD15))
    encodes = 1 if inpaint is None else 2
    assert 0 <= paid - steps - encodes * 1.25 * side / 512 + 1 <= 2
    least = price(
        msgspec.structs.replace(request, inputs=(msgspec.structs.replace(HALF, strength=0.05),)), SD15, TFLOP, "work"
    )
    assert least <= paid


@pytest.mark.parametrize(("start", "end", "expected"), [(0, 0.6, 10 + 9 + 4 * 5), (0.8, 1, 10 + 4 * (5 + 3))])
def test_the_interval_of_guidance_counts_the_steps_of_both_passes(
    request_: GenerationRequest, start: float, end: float, expected: int
) -> None:
    larger = msgspec.structs.replace(
        request_, num_inference_steps=10, upscale=Upscale(scale=2, strength=0.5), guidance_start=start, guidance_end=end
    )
    assert rows(larger) == expected


def test_images_are_rounded_up_together_and_not_one_by_one(request_: GenerationRequest) -> None:
    little_more = _like(request_, SD15, num_inference_steps=21)
    assert price(little_more, SD15, SD15, "work") == 2
    assert price(msgspec.structs.replace(little_more, num_images=4), SD15, SD15, "work") == 5


def test_a_heavier_model_costs_more_of_the_same_unit(request_: GenerationRequest) -> None:
    double = msgspec.structs.replace(SD15, cost=Cost(row_linear=1.5, row_quadratic=0.5, decode=5.0, text=0.06))
    assert price(_like(request_, double), double, SD15, "work") == 2
    assert price(_like(request_, SD15), SD15, double, "work") == 1


@given(
    steps=st.integers(1, 49),
    side=st.sampled_from([64, 72, 96, 120]),
    guidance=st.floats(0, 29),
    sampler=st.sampled_from(["Euler", "Heun"]),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_more_never_costs_less(
    catalogue: Catalogue, request_: GenerationRequest, steps: int, side: int, guidance: float, sampler: str
) -> None:
    base = msgspec.structs.replace(
        request_, num_inference_steps=steps, width=side, guidance_scale=guidance, scheduler_name=sampler
    )
    more = [
        msgspec.structs.replace(base, num_inference_steps=steps + 1),
        msgspec.structs.replace(base, width=side + 8),
        msgspec.structs.replace(base, guidance_scale=guidance + 1),
        msgspec.structs.replace(base, num_images=base.num_images + 1),
        msgspec.structs.replace(base, scheduler_name="Heun"),
    ]
    default = catalogue.default
    for request in more:
        assert price(request, default, default, "work") >= price(base, default, default, "work") >= 1


def test_three_of_four_are_three_quarters_rounded_up() -> None:
    assert [part(4, delivered=done, requested=4) for done in range(5)] == [0, 1, 2, 3, 4]
    assert [part(7, delivered=done, requested=4) for done in range(5)] == [0, 2, 4, 6, 7]


@given(price_=st.integers(0, 10_000), asked=st.integers(1, 4), delivered=st.integers(0, 4))
def test_a_part_is_fair(price_: int, asked: int, delivered: int) -> None:
    charged = part(price_, delivered=delivered, requested=asked)
    assert 0 <= charged <= price_
    assert charged * asked >= price_ * min(delivered, asked)
    assert (charged == 0) is (price_ * delivered == 0)


def test_a_constant_is_paid_for_each_row_whatever_its_size(request_: GenerationRequest) -> None:
    spec = msgspec.structs.replace(TFLOP, cost=Cost(row_constant=3.0, row_linear=1.0, row_quadratic=0.0, decode=0.0))
    plain = msgspec.structs.replace(_like(request_, TFLOP), num_inference_steps=10)
    assert price(plain, spec, TFLOP, "work") == 41
    assert price(msgspec.structs.replace(plain, width=1_024, height=1_024), spec, TFLOP, "work") == 71


def test_a_pass_of_flux_never_costs_what_one_of_stable_diffusion_costs(request_: GenerationRequest) -> None:
    flux = msgspec.structs.replace(
        SD15, key="flux", family="pipeline", source=FolderSource(path="/models/FLUX.1-dev"), cost=None
    )
    like = _like(request_, SD15)
    assert price(like, flux, SD15, "work") > 20 * price(like, SD15, SD15, "work")


def test_rows_count_every_pass_through_the_network(request_: GenerationRequest) -> None:
    plain = msgspec.structs.replace(request_, num_inference_steps=10, guidance_scale=1.0, scheduler_name="Euler")
    assert rows(plain) == 10
    assert rows(msgspec.structs.replace(plain, guidance_scale=1.1)) == 20
    assert rows(msgspec.structs.replace(plain, num_images=4)) == 40
    assert rows(msgspec.structs.replace(plain, scheduler_name="Heun")) == 19
    assert rows(msgspec.structs.replace(plain, scheduler_name="PLMS")) == 11
    # The guided first step is evaluated twice.
    assert rows(msgspec.structs.replace(plain, scheduler_name="PLMS", guidance_scale=5.0, guidance_end=0.1)) == 13


def test_steps_without_guidance_cost_half(request_: GenerationRequest) -> None:
    plain = _like(request_, SD15, num_images=4)
    half = msgspec.structs.replace(plain, guidance_end=0.5)
    assert rows(half) == 4 * (20 + 10)
    # 4 x (30 passes x 1 + 2.5) + 0.03 of 42.53.
    assert (price(plain, SD15, SD15, "work"), price(half, SD15, SD15, "work")) == (4, 4)
    eighth = msgspec.structs.replace(plain, guidance_start=0.5, guidance_end=0.75)
    assert rows(eighth) == 4 * (20 + 5)
    assert price(eighth, SD15, SD15, "work") == 3


@given(
    steps=st.integers(1, 50),
    start=st.floats(0, 1),
    end=st.floats(0, 1),
    guidance=st.floats(0, 30),
    sampler=st.sampled_from(["Euler", "Heun"]),
    upscale=st.sampled_from([None, Upscale(scale=2, strength=0.3)]),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_interval_never_costs_more(
    request_: GenerationRequest,
    steps: int,
    start: float,
    end: float,
    guidance: float,
    sampler: str,
    upscale: Upscale | None,
) -> None:
    plain = msgspec.structs.replace(
        request_,
        num_inference_steps=steps,
        guidance_scale=guidance,
        scheduler_name=sampler,
        upscale=upscale,
    )
    interval = msgspec.structs.replace(plain, guidance_start=start, guidance_end=end)
    alone = msgspec.structs.replace(plain, guidance_scale=1.0)
    assert rows(alone) <= rows(interval) <= rows(plain)
    assert rows(plain) == (2 if guidance > 1 else 1) * rows(alone)


def _edit(request: GenerationRequest, spec: ModelSpec, pictures: int, **changes: object) -> GenerationRequest:
    inputs = tuple(Input(role=InputRole.EDIT, sha256="ab" * 32) for _ in range(pictures))
    return _like(request, spec, inputs=inputs, **changes)


def test_an_edit_has_a_third_row_and_its_picture_is_encoded(request_: GenerationRequest) -> None:
    cost = Cost(row_linear=1.0, row_quadratic=0.0, decode=0.0, encode=10.0, text=0.0)
    spec = msgspec.structs.replace(SD15, edits=True, cost=cost)
    assert price(_edit(request_, spec, 1), spec, TFLOP, "work") == 3 * 20 + 10
    assert price(_edit(request_, spec, 1, guidance_scale=1.0), spec, TFLOP, "work") == 20 + 10
    assert price(_edit(request_, spec, 1, num_images=2), spec, TFLOP, "work") == 2 * 3 * 20 + 10
    assert price(_edit(request_, spec, 1), spec, spec, "work") == 1, "one default image of an instruct model"


@pytest.mark.parametrize(("inputs", "each"), [((HALF,), 10), ((HALF, MASK), 20)])
def test_a_pipeline_encodes_its_init_image_for_each_image(
    request_: GenerationRequest, inputs: tuple[Input, ...], each: int
) -> None:
    cost = Cost(row_linear=0.0, row_quadratic=0.0, decode=0.0, encode=10.0, text=0.0)
    inpaint = None if MASK not in inputs else Inpaint()
    spec = msgspec.structs.replace(SD15, cost=cost)
    whole = msgspec.structs.replace(spec, family="pipeline", samplers=())
    for count in (1, 3):
        request = _like(request_, spec, inputs=inputs, inpaint=inpaint, num_images=count)
        assert price(request, whole, TFLOP, "work") == count * each
        assert price(request, spec, TFLOP, "work") == each


def test_the_pictures_of_a_pipelines_edit_stand_in_each_row(request_: GenerationRequest) -> None:
    usual = Defaults(steps=4, cfg=1.0, width=512, height=512, sampler="Model's own")
    cost = Cost(row_linear=1.0, row_quadratic=1.0, decode=0.0, encode=10.0, text=0.0)
    spec = msgspec.structs.replace(SD15, family="pipeline", defaults=usual, cost=cost)
    assert price(_edit(request_, spec, 0), spec, TFLOP, "work") == 4 * (1 + 1)
    assert price(_edit(request_, spec, 1), spec, TFLOP, "work") == 4 * (2 + 4) + 10
    assert price(_edit(request_, spec, 2), spec, TFLOP, "work") == 4 * (3 + 9) + 20
