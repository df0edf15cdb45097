"""The request of a creative upscale: its size, its tiles, its strength, and what is refused."""

from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.quotas.pricing import price
from bot.requests.derived import deriving
from bot.requests.enlarging.creative import Enlargement, check_together, creative_of, drawn_in_tiles, prompt_in
from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture
from bot.requests.resolving import Resolved, resolve
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.costs import Cost
from pipeline.protocol.inputs import Tiles
from tests.example_jobs import example_job

LIMITS = LimitSettings()


def wanted(width: int = 256, height: int = 256, **changes: Any) -> Enlargement:
    picture = GivenPicture(sha256="ab", sides=(width, height))
    return msgspec.structs.replace(Enlargement(picture=picture, creative="strong", upscaler="net"), **changes)


@pytest.fixture
def catalogue(catalogue: Catalogue) -> Catalogue:
    """The shipped models with a strength of which the steps are whole numbers."""
    models = {key: msgspec.structs.replace(spec, refine_strength=0.2) for key, spec in catalogue.models.items()}
    return msgspec.structs.replace(catalogue, models=models)


def drawn(catalogue: Catalogue, asked: Enlargement, prompt: str = "a star", **own: Any) -> Resolved:
    defaults = AskerDefaults(own=msgspec.structs.replace(Preferences(), **own))
    resolved = resolve(GivenRequest(prompt=prompt), catalogue=catalogue, limits=LIMITS, defaults=defaults)
    return drawn_in_tiles(resolved, asked, catalogue, LIMITS)


def test_the_model_draws_what_its_own_enlarger_delivers_in_the_wanted_size(catalogue: Catalogue) -> None:
    request = drawn(catalogue, wanted(scale=2)).request
    assert (request.width, request.height) == (128, 128)
    assert request.tiles == Tiles(width=64, height=64, overlap=8)
    (start,) = request.inputs
    assert (start.role, start.strength, start.network) == ("init-image", 0.2, "")
    assert (request.num_inference_steps, request.guidance_scale) == (30, 1.0)
    subtle = drawn(catalogue, wanted(scale=2, creative="subtle")).request
    assert (subtle.inputs[0].strength, subtle.num_inference_steps) == (0.13, 47)


@pytest.mark.parametrize(
    ("sides", "changes", "network"),
    [((256, 256), {"is_upscaler_named": True}, "net"), ((40, 80), {"scale": 4}, ""), ((256, 256), {}, "")],
)
def test_an_upscaler_is_used_where_the_picture_is_smaller_or_a_member_names_it(
    catalogue: Catalogue, sides: tuple[int, int], changes: dict[str, Any], network: str
) -> None:
    small = wanted(*sides, **changes)
    if sides == (40, 80):
        with pytest.raises(Refused, match="refused-creative-size"):
            drawn(catalogue, small)
        return
    assert drawn(catalogue, small).request.inputs[0].network == network
    bare = msgspec.structs.replace(catalogue.default, enlarger=None)
    catalogue.models = {bare.key: bare}
    assert drawn(catalogue, wanted(64, 64, scale=2)).request.inputs[0].network == "net"


@pytest.mark.parametrize(
    ("sides", "scale", "fitting"),
    [((512, 512), 4, "2"), ((100, 100), 2, "4"), ((30, 30), None, "none"), ((2_048, 2_048), 2, "none")],
)
def test_a_size_that_the_model_cannot_draw_is_refused_with_scales_that_fit(
    catalogue: Catalogue, sides: tuple[int, int], scale: int | None, fitting: str
) -> None:
    with pytest.raises(Refused) as refused:
        drawn(catalogue, wanted(*sides, scale=scale))
    assert (refused.value.key, refused.value.values["fitting"]) == ("refused-creative-size", fitting)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"lacks": (Capability.REFINING,)}, "refused-creative-model"),
        ({"lacks": (Capability.INIT_IMAGE,)}, "refused-creative-model"),
        ({"refine_strength": 0.0}, "refused-creative-model"),
    ],
)
def test_a_model_that_cannot_is_named_with_those_that_can(
    catalogue: Catalogue, change: dict[str, Any], key: str
) -> None:
    able, unable = catalogue.default, msgspec.structs.replace(catalogue.default, key="bare", title="Bare", **change)
    catalogue.models = {able.key: able, "bare": unable}
    with pytest.raises(Refused) as refused:
        drawn(catalogue, wanted(), "a star --model bare")
    assert (refused.value.key, refused.value.values["known"]) == (key, able.title)
    catalogue.models = {"bare": unable}
    with pytest.raises(Refused, match="refused-creative-nowhere"):
        drawn(catalogue, wanted(), "a star --model bare")


def test_what_is_typed_stands_and_what_a_default_says_gives_way(catalogue: Catalogue) -> None:
    typed = drawn(catalogue, wanted(), "a star --cfg 3 --steps 9 --ar 3:4")
    assert (typed.request.guidance_scale, typed.request.num_inference_steps) == (3.0, 9)
    assert "notice-creative-size" in [notice.key for notice in typed.notices]
    by_default = drawn(
        catalogue, wanted(), guidance_scale=3.0, num_inference_steps=9, size="3:4", scheduler_name="DDIM"
    )
    assert (by_default.request.guidance_scale, by_default.request.num_inference_steps) == (1.0, 30)
    assert "notice-creative-size" not in [notice.key for notice in by_default.notices]
    assert by_default.defaults.own == msgspec.structs.replace(Preferences(), scheduler_name="DDIM")


def test_a_picture_of_another_shape_is_told_to_be_cut(catalogue: Catalogue) -> None:
    assert [notice.key for notice in drawn(catalogue, wanted(300, 180, scale=2)).notices] == ["notice-cut"]
    assert drawn(catalogue, wanted(256, 192, scale=2)).notices == ()


def test_options_without_effect_are_refused() -> None:
    assert (creative_of(None), creative_of("off"), creative_of("subtle")) == (None, None, "subtle")
    with pytest.raises(Refused, match="refused-creative-unknown"):
        creative_of("much")
    check_together("subtle", "a star", None)
    check_together(None, None, "net")
    with pytest.raises(Refused, match="refused-creative-alone"):
        check_together(None, "a star", None)
    with pytest.raises(Refused, match="refused-creative-faces"):
        check_together("subtle", None, "net")


@pytest.mark.parametrize(
    ("parameters", "prompt"),
    [
        ("a star\nNegative prompt: rain\nSteps: 8, Sampler: Euler, Seed: 1", "a star"),
        ("a star,\nwith rays\nSteps: 8, Sampler: Euler", "a star,\nwith rays"),
        ("a star", "a star"),
    ],
)
def test_the_prompt_of_a_file_is_what_comes_before_its_settings(parameters: str, prompt: str) -> None:
    assert prompt_in(parameters) == prompt


def test_a_file_without_a_prompt_is_refused() -> None:
    for parameters in ("", "Steps: 8, Sampler: Euler, Seed: 1", "Negative prompt: rain\nSteps: 8, Sampler: Euler"):
        with pytest.raises(Refused, match="refused-creative-prompt"):
            prompt_in(parameters)


def test_every_tile_is_paid(catalogue: Catalogue) -> None:
    request = drawn(catalogue, wanted(scale=2)).request
    whole = msgspec.structs.replace(request, tiles=None)
    spec = catalogue.default
    rows_alone = Cost(row_linear=1.0, row_quadratic=0.0, decode=0.0, encode=0.0, text=0.0)
    paid = msgspec.structs.replace(spec, cost=rows_alone)
    cheap = msgspec.structs.replace(paid, defaults=msgspec.structs.replace(spec.defaults, steps=1, cfg=1.0))
    prices = [price(each, paid, cheap, "work") for each in (request, whole)]
    # Six steps: of nine tiles, each a default picture of one step, and of the whole, which has four times its pixels.
    assert prices == [6 * 9, 6 * 4]
    upscaler = next(iter(catalogue.upscalers.values()))
    dear = msgspec.structs.replace(upscaler, cost=1_000.0)
    start = msgspec.structs.replace(request.inputs[0], network=dear.key)
    enlarged = msgspec.structs.replace(request, inputs=(start,))
    assert price(enlarged, paid, cheap, "work", {dear.key: dear}) > prices[0]


def test_a_remix_keeps_the_tiles_with_the_size_alone(catalogue: Catalogue) -> None:
    request = drawn(catalogue, wanted(scale=2, is_upscaler_named=True)).request
    job = example_job(request)
    asked = GivenRequest(prompt="a moon", image=GivenPicture(sha256="ab", strength=0.2))
    old = AskerDefaults(own=deriving.as_it_was(request))
    resolved = resolve(asked, catalogue=catalogue, limits=LIMITS, defaults=old)
    kept = deriving.remix(resolved, job, is_same_noise=False, is_same_size=True).request
    assert (kept.width, kept.height, kept.tiles, kept.inputs[0].network) == (128, 128, request.tiles, "net")
    assert (kept.prompt, kept.num_inference_steps, kept.guidance_scale) == ("a moon", 30, 1.0)
    other = deriving.remix(resolved, job, is_same_noise=False).request
    assert (other.width, other.tiles, other.inputs[0].network) == (64, None, "")
