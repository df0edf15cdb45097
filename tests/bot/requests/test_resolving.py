"""Defaults, limits, and what is told about them."""

import math
import secrets

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.errors import Refused
from bot.presenting.jobs.job_message import notice_line
from bot.presenting.refusal import sentence_of
from bot.requests.given import GivenRequest
from bot.requests.options.sizes import SIZES
from bot.requests.resolving import choose_seed, offers_of, resolve, sampler_names
from bot.requests.typed.offers import Offers
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import LimitSettings, Settings
from pipeline.prompts.expansion import Wildcards
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import Bounds, Defaults
from pipeline.protocol.limits import MAX_SEED
from pipeline.protocol.loras import EmbeddingEntry, LoraEntry
from pipeline.protocol.requests import GenerationRequest
from tests.control_nets import CANNY


def _resolve(settings: Settings, catalogue: Catalogue, **options: object) -> tuple[GenerationRequest, list[str]]:
    asked = msgspec.convert({"prompt": "a cat", **options}, GivenRequest)
    resolved = resolve(asked, catalogue=catalogue, limits=settings.limits)
    return resolved.request, [notice_line(notice) for notice in resolved.notices]


def test_defaults_come_from_the_model(settings: Settings, catalogue: Catalogue) -> None:
    request, notices = _resolve(settings, catalogue)
    defaults = catalogue.default.defaults
    assert (request.width, request.height) == (defaults.width, defaults.height)
    assert (request.num_inference_steps, request.guidance_scale) == (defaults.steps, defaults.cfg)
    assert (request.scheduler_name, request.num_images, request.model_key) == (defaults.sampler, 1, "pocket")
    assert notices == []


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"guidance_scale": 2.0}, "At CFG 2 a picture seldom follows"),
        ({"guidance_scale": 16.0}, "At CFG 16 colors often burn"),
        ({"num_inference_steps": 7}, "Fewer than 8 steps seldom finish a picture; 20 are usual here."),
        ({"guidance_scale": 0.5, "negative_prompt": "rain"}, "At CFG 0.5 a negative prompt has no effect"),
        ({"guidance_scale": 2.0, "num_inference_steps": 5}, "At CFG 2"),
        ({"guidance_scale": 3.0, "num_inference_steps": 8}, None),
        ({"guidance_scale": 15.0, "num_inference_steps": 50}, None),
        ({"num_inference_steps": 0}, "steps 0"),
    ],
)
def test_experience_is_told_once_and_only_about_what_was_typed(
    settings: Settings, catalogue: Catalogue, options: dict[str, object], advice: str | None
) -> None:
    _, notices = _resolve(settings, catalogue, **options)
    assert [notice.replace("\\", "")[: len(advice or "")] for notice in notices] == ([] if advice is None else [advice])


def test_a_model_made_for_few_steps_gets_no_advice(settings: Settings, catalogue: Catalogue) -> None:
    spec = catalogue.default
    few = msgspec.structs.replace(spec, defaults=msgspec.structs.replace(spec.defaults, steps=4, cfg=1.0))
    turbo = Catalogue(models={few.key: few}, default_key=few.key)
    asked = msgspec.convert({"prompt": "a cat", "num_inference_steps": 6, "guidance_scale": 1.5}, GivenRequest)
    assert resolve(asked, catalogue=turbo, limits=settings.limits).notices == ()
    plain = msgspec.convert({"prompt": "a cat"}, GivenRequest)
    usual = AskerDefaults(own=Preferences(num_inference_steps=5))
    assert resolve(plain, catalogue=catalogue, limits=settings.limits, defaults=usual).notices == ()


@pytest.mark.parametrize(
    ("size", "drawn", "told"),
    [
        ("1:100", (64, 128), "The shape 1:100 is out of reach here; the nearest is 64×128, enlarged to 256×512."),
        (
            "999999999999 : 1",
            (128, 64),
            "The shape 999999999999:1 is out of reach here; the nearest is 128×64, enlarged to 512×256.",
        ),
        ("21:9", (128, 64), "The shape 21:9 is out of reach here; the nearest is 128×64, enlarged to 512×256."),
        ("16:9", (112, 64), None),
        ("2:1", (128, 64), None),
        ("99999999x9", (128, 64), "size 99999999×9 → 128×64, enlarged to 512×256, the limit here."),
    ],
)
def test_what_is_drawn_is_told_where_it_is_another_shape(
    settings: Settings, catalogue: Catalogue, size: str, drawn: tuple[int, int], told: str | None
) -> None:
    request, notices = _resolve(settings, catalogue, size=size)
    assert (request.width, request.height) == drawn
    assert [notice.replace("\\", "") for notice in notices] == ([] if told is None else [told])


def test_a_seed_of_64_bits_is_out_of_range(settings: Settings, catalogue: Catalogue) -> None:
    with pytest.raises(Refused) as refused:
        _resolve(settings, catalogue, prompt="a cat --seed 18446744073709551615")
    assert "The seed 18446744073709551615 is out of range" in sentence_of(refused.value)


@pytest.mark.parametrize(
    ("option", "value", "field", "used"),
    [
        ("num_inference_steps", 200, "num_inference_steps", 50),
        ("num_inference_steps", 0, "num_inference_steps", 1),
        ("guidance_scale", 99.0, "guidance_scale", 30.0),
        ("guidance_scale", -1.0, "guidance_scale", 0.0),
        ("num_images", 9, "num_images", 4),
    ],
)
def test_numbers_out_of_range_are_moved_and_told(
    settings: Settings, catalogue: Catalogue, option: str, value: float, field: str, used: float
) -> None:
    request, notices = _resolve(settings, catalogue, **{option: value})
    assert getattr(request, field) == used
    assert len(notices) == 1
    assert f"{value:g}".replace("-", "\\-") in notices[0]


@pytest.mark.parametrize(
    ("size", "expected", "is_told"),
    [
        ("square", (64, 64), False),
        ("wide", (112, 64), False),
        ("tall", (64, 112), False),
        ("96x64", (96, 64), False),
        ("96 × 64", (96, 64), False),
        ("100x70", (96, 72), True),
        ("4096x4096", (128, 128), True),
        ("8x8", (64, 64), True),
        ("1x9999", (64, 128), True),
    ],
)
def test_sizes(settings: Settings, catalogue: Catalogue, size: str, expected: tuple[int, int], is_told: bool) -> None:
    request, notices = _resolve(settings, catalogue, size=size)
    assert (request.width, request.height) == expected
    assert bool(notices) is is_told


@pytest.mark.parametrize(
    ("options", "key", "told"),
    [
        ({"prompt": "   "}, "refused-prompt-empty", {}),
        ({"prompt": "--no cats"}, "refused-prompt-empty", {}),
        ({"prompt": "x" * 2_001}, "refused-prompt-long", {"length": 2_001, "limit": 2_000}),
        ({"negative_prompt": "x" * 2_001}, "refused-negative-long", {"length": 2_001, "limit": 2_000}),
        ({"size": "huge"}, "refused-size", {"given": "huge", "width": 64, "height": 64, "enlarged": "256×256"}),
        (
            {"scheduler_name": "Restart" * 20},
            "refused-sampler",
            {"sampler": ("Restart" * 20)[:80], "known": "Euler, DDIM"},
        ),
        ({"scheduler_name": "Flow Euler"}, "refused-sampler", {"sampler": "Flow Euler", "known": "Euler, DDIM"}),
        ({"model_key": "sdxl" * 30}, "refused-model", {"model": ("sdxl" * 30)[:80], "known": "pocket, other"}),
        ({"seed": -1}, "refused-seed", {"seed": "-1", "limit": "4294967295"}),
        ({"seed": 2**32}, "refused-seed", {"seed": "4294967296", "limit": "4294967295"}),
        ({"seed": 10**50}, "refused-seed", {"seed": "1" + "0" * 39, "limit": "4294967295"}),
        ({"guidance_scale": math.nan}, "refused-typed-number", {"option": "cfg", "value": "nan"}),
    ],
)
def test_what_means_nothing_is_refused(
    settings: Settings, catalogue: Catalogue, options: dict[str, object], key: str, told: dict[str, object]
) -> None:
    spec = msgspec.structs.replace(catalogue.default, samplers=("Euler", "DDIM"))
    other = msgspec.structs.replace(spec, key="other", title="Other One")
    two = msgspec.structs.replace(catalogue, models={"pocket": spec, "other": other})
    with pytest.raises(Refused) as refused:
        _resolve(settings, two, **options)
    assert (refused.value.key, refused.value.values) == (key, told)


def test_the_longest_prompt_and_the_ends_of_seeds_are_taken(settings: Settings, catalogue: Catalogue) -> None:
    longest = "a " * 999 + "ab"
    assert _resolve(settings, catalogue, prompt=longest)[0].prompt == longest
    assert [_resolve(settings, catalogue, seed=seed)[0].seed for seed in (0, MAX_SEED)] == [0, MAX_SEED]


def test_any_seed_may_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[int] = []
    monkeypatch.setattr(secrets, "randbelow", lambda bound: bounds.append(bound) or 7)
    assert (choose_seed(), bounds) == (7, [MAX_SEED + 1])


def test_names_are_found_in_any_spelling(settings: Settings, catalogue: Catalogue) -> None:
    request, _ = _resolve(settings, catalogue, scheduler_name="EULER_A", model_key="Pocket")
    assert (request.scheduler_name, request.model_key) == ("Euler a", "pocket")
    assert "Euler a" in sampler_names(catalogue.default)


def test_a_flow_model_is_offered_what_fits_it(settings: Settings, catalogue: Catalogue) -> None:
    usual = Defaults(width=512, height=512, sampler="Flow Euler")
    spec = msgspec.structs.replace(catalogue.default, family="sd3", samplers=(), defaults=usual, bounds=Bounds())
    flow = Catalogue(models={"pocket": spec}, default_key="pocket")
    assert sampler_names(spec) == ("Flow Euler", "Flow Heun")
    assert not {"Flow Euler", "Flow Heun"} & set(sampler_names(catalogue.default))
    assert _resolve(settings, flow, size="520x344")[0].width == 512
    with pytest.raises(Refused) as refused:
        _resolve(settings, flow, scheduler_name="Euler")
    assert refused.value.key == "refused-sampler"


@given(first=st.integers(1, 9_999), second=st.integers(1, 9_999), as_ratio=st.booleans())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_size_ends_inside_the_bounds(
    settings: Settings, catalogue: Catalogue, first: int, second: int, as_ratio: bool
) -> None:
    size = f"{first}:{second}" if as_ratio else f"{first}x{second}"
    request, _ = _resolve(settings, catalogue, size=size)
    bounds = catalogue.default.bounds
    for side in (request.width, request.height):
        assert bounds.min_side <= side <= bounds.max_side
        assert side % 8 == 0
    assert request.width * request.height <= bounds.max_pixels


def test_every_named_size_has_its_shape(settings: Settings, catalogue: Catalogue) -> None:
    for name, ratio in SIZES.items():
        request, _ = _resolve(settings, catalogue, size=name)
        wide, high = (int(part) for part in ratio.split(":"))
        assert (request.width > request.height) is (wide > high)


def test_a_request_knows_whose_defaults_it_took(settings: Settings, catalogue: Catalogue) -> None:
    defaults = AskerDefaults(
        channel=Preferences(num_inference_steps=7, model_key="gone"),
        own=Preferences(num_inference_steps=9, size="wide", scheduler_name="no such sampler"),
        server=Preferences(size="tall", num_images=2, guidance_scale=4.0, negative_prompt="rain"),
    )
    asked = GivenRequest(prompt="a cat --cfg 5")
    resolved = resolve(asked, catalogue=catalogue, limits=settings.limits, defaults=defaults)
    request = resolved.request
    assert (request.num_inference_steps, request.num_images, request.guidance_scale) == (7, 2, 5.0)
    assert request.width > request.height
    assert resolved.defaults == AskerDefaults(
        channel=Preferences(num_inference_steps=7),
        own=Preferences(size="wide"),
        server=Preferences(num_images=2, negative_prompt="rain"),
    )


def test_what_a_model_prefers_is_in_the_request(settings: Settings, catalogue: Catalogue) -> None:
    usual = msgspec.structs.replace(
        catalogue.default.defaults, guidance_start=0.1, guidance_end=0.8, guidance_rescale=0.3
    )
    spec = msgspec.structs.replace(catalogue.default, defaults=usual)
    own = Catalogue(models={spec.key: spec}, default_key=spec.key)
    request, _ = _resolve(settings, own, negative_prompt=" rain ")
    assert (request.guidance_start, request.guidance_end, request.guidance_rescale) == (0.1, 0.8, 0.3)
    assert request.negative_prompt == "rain"


@pytest.mark.parametrize(
    ("option", "key", "sampler", "asked", "used"),
    [
        ("num_inference_steps", "steps", "LCM", 60, 50),
        ("num_inference_steps", "steps", "Euler", 200, 120),
        ("num_images", "images", "Euler", 4, 3),
    ],
)
def test_the_least_bound_of_sampler_host_and_model_holds(
    catalogue: Catalogue, option: str, key: str, sampler: str, asked: int, used: int
) -> None:
    spec = msgspec.structs.replace(
        catalogue.default,
        samplers=("Euler", "LCM"),
        bounds=msgspec.structs.replace(catalogue.default.bounds, max_steps=150),
    )
    own = Catalogue(models={spec.key: spec}, default_key=spec.key)
    given_ = msgspec.convert({"prompt": "a cat", "scheduler_name": sampler, option: asked}, GivenRequest)
    found = resolve(given_, catalogue=own, limits=LimitSettings(max_steps=120, max_images=3))
    assert getattr(found.request, option) == used
    assert [notice.values for notice in found.notices if notice.key == "notice-clamped"] == [
        {"option": key, "given": str(asked), "used": str(used)}
    ]


def test_lists_fill_wildcards_by_the_seed_and_without_them_they_are_words(catalogue: Catalogue) -> None:
    def lists(name: str) -> list[str]:
        return [f"{name} {number}" for number in range(100)]

    prompt = "a __cat__ --seed 3"
    filled = resolve(GivenRequest(prompt=prompt), catalogue=catalogue, limits=LimitSettings(), lists=lists)
    assert filled.request.prompt == Wildcards(lists, 3).fill("a __cat__")
    plain = resolve(GivenRequest(prompt=prompt), catalogue=catalogue, limits=LimitSettings())
    assert plain.request.prompt == "a __cat__"


def test_models_and_styles_are_offered_to_typed_options(catalogue: Catalogue) -> None:
    style = LoraEntry(name="fur", title="Soft Fur", trigger_words=("zzfur",))
    listed = msgspec.structs.replace(catalogue, controls={"canny": CANNY})
    models, guides = ["pocket", catalogue.default.title], ["canny", "Lines"]
    assert offers_of(listed, [style]) == Offers(models=models, guides=guides, styles=[style])
    styles = [style, EmbeddingEntry(name="calm", title="Calm", family="sdxl")]
    asked = GivenRequest(prompt="a cat, embedding:calm, zzfur, zzz --style soft fur --no rain")
    found = resolve(asked, catalogue=catalogue, limits=LimitSettings(), styles=styles)
    assert (found.request.prompt, found.request.negative_prompt) == ("a cat, zzfur, zzz <lora:fur:1>", "rain")
    # What the style teaches is no strange word.
    assert [(notice.key, notice.values.get("words", notice.values.get("name"))) for notice in found.notices] == [
        ("notice-embedding-family", "calm"),
        ("notice-words-unknown", "zzz"),
    ]


def test_a_style_may_make_a_prompt_too_long(catalogue: Catalogue) -> None:
    style = LoraEntry(name="fur", title="Fur")
    with pytest.raises(Refused) as refused:
        resolve(GivenRequest(prompt="x" * 1_995, style=style), catalogue=catalogue, limits=LimitSettings())
    assert (refused.value.key, refused.value.values) == ("refused-prompt-long", {"length": 2_008, "limit": 2_000})


@pytest.mark.parametrize(
    ("lacks", "asked", "unused"),
    [
        (Capability.GUIDANCE, {"guidance_scale": 5.0}, ["cfg"]),
        (Capability.GUIDANCE, {"prompt": "a cat --cfg 5"}, ["cfg"]),
        (Capability.GUIDANCE, {"negative_prompt": "rain"}, []),
        (Capability.NEGATIVE_PROMPT, {"negative_prompt": "rain"}, ["negative"]),
        (Capability.NEGATIVE_PROMPT, {"prompt": "a cat --no rain", "guidance_scale": 5.0}, ["negative"]),
        (Capability.NEGATIVE_PROMPT, {"prompt": "a cat::1 rain::-1"}, ["negative"]),
        (Capability.NEGATIVE_PROMPT, {"negative_prompt": ""}, []),
        (Capability.VARIATIONS, {"negative_prompt": "rain", "guidance_scale": 5.0}, []),
    ],
)
def test_an_option_that_a_model_does_not_use_is_left_out_and_told(
    settings: Settings, catalogue: Catalogue, lacks: Capability, asked: dict[str, object], unused: list[str]
) -> None:
    spec = catalogue.default.narrowed(None, (lacks,))
    request, notices = _resolve(settings, Catalogue(models={spec.key: spec}, default_key=spec.key), **asked)
    told = [notice for notice in notices if "does not use" in notice]
    assert told == [f"{spec.title} does not use {option}, so it was left out." for option in unused]
    if lacks is Capability.GUIDANCE:
        assert request.guidance_scale == 1.0
    if lacks is Capability.NEGATIVE_PROMPT:
        assert request.negative_prompt == ""


def test_a_default_that_a_model_does_not_use_is_no_default_of_the_job(settings: Settings, catalogue: Catalogue) -> None:
    spec = catalogue.default.narrowed(None, (Capability.GUIDANCE, Capability.NEGATIVE_PROMPT))
    own = Preferences(guidance_scale=9.0, negative_prompt="rain", num_inference_steps=9)
    resolved = resolve(
        GivenRequest(prompt="a star"),
        catalogue=Catalogue(models={spec.key: spec}, default_key=spec.key),
        limits=settings.limits,
        defaults=AskerDefaults(own=own),
    )
    request = resolved.request
    assert (request.guidance_scale, request.negative_prompt, request.num_inference_steps) == (1.0, "", 9)
    assert resolved.defaults == AskerDefaults(own=Preferences(num_inference_steps=9))
    assert resolved.notices == ()
