"""What buttons make of a request."""

import msgspec
import pytest

from bot.errors import Refused
from bot.requests.derived.deriving import STRONG, SUBTLE, as_it_was, remix, reroll, still_default, upscale, vary
from bot.requests.given import GivenRequest
from bot.requests.resolving import Resolved, resolve
from bot.store.rows.jobs import Job
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Outpaint, Tiles
from pipeline.protocol.limits import MAX_SEED, MAX_VARIATIONS
from pipeline.protocol.requests import GenerationRequest, Upscale, Variation, narrowed
from tests.example_jobs import example_job


@pytest.fixture
def four(request_: GenerationRequest) -> GenerationRequest:
    """Four images, the second of which has the last seed there is."""
    return msgspec.structs.replace(request_, num_images=4, seed=MAX_SEED - 1)


@pytest.fixture
def usual(four: GenerationRequest) -> Job:
    """A job of somebody who has defaults, which starts from a picture and has guidance in a part of its steps."""
    guided = msgspec.structs.replace(four, guidance_start=0.1, guidance_end=0.7, guidance_rescale=0.3)
    start = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.5)
    varied = msgspec.structs.replace(guided, variations=(Variation(seed=3, strength=0.2),), inputs=(start,))
    defaults = AskerDefaults(
        channel=Preferences(size="square"), own=Preferences(guidance_scale=5.0, num_images=4, negative_prompt="")
    )
    return msgspec.structs.replace(example_job(varied), defaults=defaults)


def test_a_remix_keeps_what_its_form_does_not_show(usual: Job) -> None:
    asked = msgspec.structs.replace(
        usual.request,
        prompt="a pear",
        num_images=2,
        guidance_start=0.0,
        guidance_end=1.0,
        guidance_rescale=0.0,
    )
    resolved = Resolved(
        request=narrowed(asked, GenerationRequest), defaults=AskerDefaults(own=Preferences(size="64x64")), notices=()
    )
    remixed = remix(resolved, usual, is_same_noise=True)
    assert remixed.request == msgspec.structs.replace(usual.request, prompt="a pear", num_images=2)
    assert remixed.defaults == AskerDefaults(
        channel=Preferences(size="square"), own=Preferences(guidance_scale=5.0, negative_prompt="")
    )
    assert remix(resolved, usual, is_same_noise=False).request.variations == ()
    other = msgspec.structs.replace(resolved, request=msgspec.structs.replace(asked, model_key="other"))
    assert remix(other, usual, is_same_noise=True).request.guidance_end == 1.0


def test_a_remix_of_a_changed_part_changes_the_same_part(usual: Job) -> None:
    start, mask = (
        Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.5),
        Input(role=InputRole.MASK, sha256="cd"),
    )
    part = msgspec.structs.replace(usual.request, inputs=(start, mask), inpaint=Inpaint(grow=0.1))
    job = msgspec.structs.replace(usual, request=part)
    resolved = Resolved(
        request=narrowed(msgspec.structs.replace(part, inputs=(start,), inpaint=None), GenerationRequest), notices=()
    )
    remixed = remix(resolved, job, is_same_noise=False).request
    assert (remixed.inputs, remixed.inpaint) == ((start, mask), Inpaint(grow=0.1))


@pytest.mark.parametrize(
    ("is_same_size", "size", "whole"),
    [(True, (64, 64), (384, 256)), (True, (512, 512), (384, 256)), (True, (96, 64), None), (False, (64, 64), None)],
)
def test_a_remix_keeps_the_window_of_a_longer_picture_with_its_size(
    usual: Job, is_same_size: bool, size: tuple[int, int], whole: tuple[int, int] | None
) -> None:
    """Another model draws the same window in another size; a chosen size is that of the whole picture."""
    inpaint = Inpaint(outpaint=Outpaint(right=0.5), whole=(384, 256))
    start = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32)
    old = msgspec.structs.replace(
        narrowed(usual.request, GenerationRequest), width=64, height=64, inputs=(start,), inpaint=inpaint
    )
    asked = msgspec.structs.replace(old, width=size[0], height=size[1], inpaint=None)
    job = msgspec.structs.replace(usual, request=old)
    resolved = Resolved(request=asked, defaults=AskerDefaults(own=Preferences(size="64x64")), notices=())
    remixed = remix(resolved, job, is_same_noise=False, is_same_size=is_same_size).request
    assert (remixed.width, remixed.height) == size
    assert remixed.inpaint == msgspec.structs.replace(inpaint, whole=whole)
    typed = msgspec.structs.replace(resolved, defaults=AskerDefaults())
    remixed = remix(typed, job, is_same_noise=False, is_same_size=is_same_size).request
    assert remixed.inpaint == msgspec.structs.replace(inpaint, whole=None)


@pytest.mark.parametrize(("words", "side"), [("a pear", 128), ("a pear --size 64x64", 64)])
def test_a_remix_in_tiles_has_their_size_unless_another_is_typed(
    usual: Job, catalogue: Catalogue, words: str, side: int
) -> None:
    tiles = Tiles(width=64, height=64, overlap=8)
    old = msgspec.structs.replace(
        narrowed(usual.request, GenerationRequest), model_key=catalogue.default.key, width=128, height=128, tiles=tiles
    )
    resolved = resolve(
        GivenRequest(prompt=words),
        catalogue=catalogue,
        limits=LimitSettings(),
        defaults=AskerDefaults(own=as_it_was(old)),
    )
    job = msgspec.structs.replace(usual, request=old)
    remixed = remix(resolved, job, is_same_noise=False, is_same_size=True).request
    assert (remixed.width, remixed.tiles) == (side, tiles if side == 128 else None)


def test_what_a_button_keeps_is_still_somebodys_default(usual: Job) -> None:
    request = narrowed(usual.request, GenerationRequest)
    assert still_default(usual, reroll(request)) == usual.defaults
    assert still_default(usual, request.single(1)).own.names() == {"guidance_scale", "negative_prompt"}
    wider = msgspec.structs.replace(request, width=128)
    assert still_default(usual, wider).channel == Preferences()


def test_a_reroll_changes_the_seed_alone(request_: GenerationRequest) -> None:
    again = reroll(request_)
    assert again.seed != request_.seed
    assert 0 <= again.seed <= MAX_SEED
    assert msgspec.structs.replace(again, seed=request_.seed) == request_


def test_a_reroll_of_a_variation_is_another_variation_of_the_same_picture(four: GenerationRequest) -> None:
    varied = vary(vary(vary(four, 1, SUBTLE), 2, SUBTLE), 2, STRONG)
    again = reroll(msgspec.structs.replace(varied, upscale=Upscale(scale=2, strength=0.3)))
    (last,) = again.variations[2:]
    assert again == msgspec.structs.replace(varied, variations=(*varied.variations[:2], last))
    assert last.seed != varied.variations[2].seed
    assert 0 <= last.seed <= MAX_SEED
    assert last.strength == STRONG


def test_a_variation_starts_from_exactly_that_image(four: GenerationRequest) -> None:
    first = vary(four, 2, SUBTLE)
    assert (first.seed, first.num_images) == (0, 4)
    (step,) = first.variations
    assert step.strength == SUBTLE
    second = vary(first, 3, STRONG)
    assert second.seed == 0
    assert second.variations[0] == Variation(seed=(step.seed + 3) % (MAX_SEED + 1), strength=SUBTLE)
    assert second.variations[1].strength == STRONG


def test_variations_come_to_an_end(request_: GenerationRequest) -> None:
    request = request_
    for _ in range(MAX_VARIATIONS):
        request = vary(request, 0, SUBTLE)
    with pytest.raises(Refused) as refused:
        vary(request, 0, SUBTLE)
    assert (refused.value.key, refused.value.values) == ("refused-varied-too-often", {"count": MAX_VARIATIONS})


def test_an_upscale_is_exactly_that_image_drawn_anew_where_the_model_can(
    four: GenerationRequest, catalogue: Catalogue
) -> None:
    spec, limits = catalogue.default, LimitSettings()
    larger = upscale(four, 1, spec, limits)
    assert (larger.seed, larger.num_images) == (MAX_SEED, 1)
    assert larger.upscale == Upscale(scale=2, strength=spec.refine_strength, guidance_scale=spec.refine_cfg)
    for other in (msgspec.structs.replace(spec, family="pipeline"), spec.narrowed(None, (Capability.REFINING,))):
        assert upscale(four, 1, other, limits).upscale == Upscale(scale=2, strength=0.0)


def test_an_upscale_of_a_longer_picture_is_resampled(four: GenerationRequest, catalogue: Catalogue) -> None:
    inpaint = Inpaint(outpaint=Outpaint(right=0.5), whole=(384, 256))
    larger = upscale(msgspec.structs.replace(four, inpaint=inpaint), 1, catalogue.default, LimitSettings())
    assert larger.upscale == Upscale(scale=2, strength=0.0)


@pytest.mark.parametrize(
    ("side", "refined_pixels", "max_pixels", "is_drawn"),
    [
        (64, 128 * 128, 128 * 128, True),
        (64, 128 * 128 - 1, 128 * 128, False),
        (64, 128 * 128, 128 * 128 - 1, False),
        (1_024, 2_048 * 2_048, 2_048 * 2_048, True),
        (1_032, 2_048 * 2_048, 2_048 * 2_048, False),
    ],
)
def test_an_upscale_is_drawn_anew_up_to_the_bounds(
    four: GenerationRequest, catalogue: Catalogue, side: int, refined_pixels: int, max_pixels: int, *, is_drawn: bool
) -> None:
    bounds = msgspec.structs.replace(catalogue.default.bounds, max_refined_pixels=refined_pixels)
    spec = msgspec.structs.replace(catalogue.default, bounds=bounds)
    wide = msgspec.structs.replace(four, width=side, height=64)
    larger = upscale(wide, 1, spec, LimitSettings(max_pixels=max_pixels))
    expected = Upscale(scale=2, strength=spec.refine_strength, guidance_scale=spec.refine_cfg)
    assert larger.upscale == (expected if is_drawn else Upscale(scale=2, strength=0.0))


def test_what_follows_an_upscaled_picture_has_the_first_size(request_: GenerationRequest, catalogue: Catalogue) -> None:
    larger = upscale(request_, 0, catalogue.default, LimitSettings())
    assert vary(larger, 0, STRONG).upscale is None
    assert reroll(larger).upscale is None
