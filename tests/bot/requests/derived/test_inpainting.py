"""Requests that draw a part of a picture anew, or what lies around it."""

import msgspec
import pytest

from bot.errors import Refused
from bot.requests.abilities import refuse_without
from bot.requests.derived import inpainting
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Outpaint
from pipeline.protocol.requests import GenerationRequest, Upscale, Variation

LIMITS = LimitSettings()


def test_a_mask_comes_before_cells_and_grows_a_little() -> None:
    assert inpainting.part([5, 1], None) == (Inpaint(cells=(1, 5), is_enlarged=True), ())
    inpaint, masks = inpainting.part([5], "ab" * 32)
    assert (inpaint.cells, inpaint.grow) == ((), 1 / 32)
    assert masks == (Input(role=InputRole.MASK, sha256="ab" * 32),)


def test_a_part_grows_and_shrinks_as_far_as_the_bounds() -> None:
    part = Inpaint(cells=(4,))
    assert inpainting.smaller(inpainting.larger(part)) == part
    for change, bound in ((inpainting.larger, hard.MAX_GROW), (inpainting.smaller, -hard.MAX_GROW)):
        changed = part
        for _ in range(10):
            changed = change(changed)
        assert changed.grow == bound


def test_the_other_way_round_meets_at_the_same_edge() -> None:
    part = Inpaint(cells=(4,), grow=0.1)
    assert inpainting.inverted(part) == Inpaint(cells=(4,), grow=-0.1, is_inverted=True)
    assert inpainting.inverted(inpainting.inverted(part)) == part


def test_a_zoom_out_has_equal_margins() -> None:
    assert inpainting.zoomed_out(2.0).outpaint == Outpaint(left=0.5, top=0.5, right=0.5, bottom=0.5)
    assert inpainting.zoomed_out(1.5).outpaint == Outpaint(left=0.25, top=0.25, right=0.25, bottom=0.25)


def panned(
    request: GenerationRequest, catalogue: Catalogue, picture: tuple[int, int], side: str
) -> GenerationRequest | None:
    return inpainting.panned(request, 2, picture, side, sha256="ab" * 32, spec=catalogue.default, limits=LIMITS)


@pytest.mark.parametrize(
    ("side", "whole"), [("left", (384, 256)), ("right", (384, 256)), ("top", (256, 384)), ("bottom", (256, 384))]
)
def test_a_pan_makes_one_picture_longer_and_draws_a_window(
    request_: GenerationRequest, catalogue: Catalogue, side: str, whole: tuple[int, int]
) -> None:
    old = msgspec.structs.replace(
        request_,
        width=64,
        height=64,
        num_images=4,
        seed=7,
        variations=(Variation(seed=9, strength=0.2),),
        upscale=Upscale(scale=2, strength=0.0),
    )
    found = panned(old, catalogue, (256, 256), side)
    assert found is not None
    assert (found.width, found.height) == (64, 64)
    assert (found.num_images, found.variations, found.upscale, found.prompt) == (1, (), None, old.prompt)
    assert found.inputs == (Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=1.0),)
    assert found.inpaint == Inpaint(outpaint=Outpaint(**{side: 0.5}), whole=whole)


def test_a_pan_goes_on_and_on_at_the_price_of_its_window(request_: GenerationRequest, catalogue: Catalogue) -> None:
    request = msgspec.structs.replace(request_, width=64, height=64)
    picture, lengths = (256, 256), list[int]()
    while (found := panned(request, catalogue, picture, "right")) is not None:
        assert (found.width, found.height) == (64, 64)
        assert found.whole is not None
        request, picture = found, found.whole
        lengths.append(picture[0])
    # The last one that can be an input is longer than 2,048 pixels by at most a half window; 8:1 ends it before.
    assert lengths == [*range(384, 8 * 256 + 1, 128)]


@pytest.mark.parametrize(
    ("size", "picture", "side", "drawn", "whole"),
    [
        # A picture at the size limit; before, nothing longer could be drawn.
        ((128, 128), (512, 512), "right", (128, 128), (768, 512)),
        # Across its direction, the window is as large as the picture.
        ((64, 64), (512, 256), "top", (128, 64), (512, 384)),
        # What is too large for the model is drawn smaller, in the same shape.
        ((64, 64), (1024, 256), "top", (128, 64), (1024, 512)),
        ((64, 64), (250, 210), "bottom", (64, 64), (250, 338)),
    ],
)
def test_a_window_shows_enough_of_the_picture(
    request_: GenerationRequest,
    catalogue: Catalogue,
    size: tuple[int, int],
    picture: tuple[int, int],
    side: str,
    drawn: tuple[int, int],
    whole: tuple[int, int],
) -> None:
    found = panned(msgspec.structs.replace(request_, width=size[0], height=size[1]), catalogue, picture, side)
    assert found is not None
    assert (found.width, found.height) == drawn
    assert found.whole == whole


@pytest.mark.parametrize(
    ("picture", "side"),
    [
        ((2048, 256), "right"),  # longer than 8:1
        ((256, 2048), "left"),  # half of a window of a shape that the model draws would not fit into it
        ((2304, 1024), "right"),  # larger than an input
    ],
)
def test_a_picture_that_is_too_long_is_not_panned(
    request_: GenerationRequest, catalogue: Catalogue, picture: tuple[int, int], side: str
) -> None:
    assert panned(msgspec.structs.replace(request_, width=64, height=64), catalogue, picture, side) is None


def test_a_zoom_out_of_a_picture_with_a_window_is_priced_by_the_picture_s_shape(
    request_: GenerationRequest, catalogue: Catalogue
) -> None:
    request = msgspec.structs.replace(request_, width=64, height=64)
    plain = inpainting.around(request, catalogue.default, LIMITS)
    assert (plain.width, plain.height) == (64, 64)
    long = panned(request, catalogue, (256, 256), "right")
    assert long is not None
    zoomed = inpainting.around(long, catalogue.default, LIMITS)
    assert zoomed.width > zoomed.height
    assert zoomed.whole is None


def test_a_model_without_masks_is_refused_with_those_that_have_them(catalogue: Catalogue) -> None:
    refuse_without(Capability.MASK, catalogue.default, catalogue)
    plain = msgspec.structs.replace(catalogue.default, key="plain", title="Plain", lacks=(Capability.MASK,))
    with pytest.raises(Refused) as refused:
        refuse_without(Capability.MASK, plain, catalogue)
    assert refused.value.key == "refused-mask-model"
    assert refused.value.values == {"model": "Plain", "known": catalogue.default.title}
    alone = msgspec.structs.replace(catalogue, models={"plain": plain})
    with pytest.raises(Refused, match="refused-mask-nowhere"):
        refuse_without(Capability.MASK, plain, alone)
