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


@pytest.mark.parametrize(
    ("side", "size"), [("left", (96, 64)), ("right", (96, 64)), ("top", (64, 96)), ("bottom", (64, 96))]
)
def test_a_pan_makes_one_picture_longer(
    request_: GenerationRequest, catalogue: Catalogue, side: str, size: tuple[int, int]
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
    found = inpainting.panned(old, 2, side, "ab" * 32, catalogue.default, LIMITS)
    assert found is not None
    assert (found.width, found.height) == size
    assert (found.num_images, found.variations, found.upscale, found.prompt) == (1, (), None, old.prompt)
    assert found.inputs == (Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=1.0),)
    assert found.inpaint == Inpaint(outpaint=Outpaint(**{side: 0.5}))


def test_a_picture_that_is_too_long_is_not_panned(request_: GenerationRequest, catalogue: Catalogue) -> None:
    bounds = catalogue.default.bounds
    longest = msgspec.structs.replace(request_, width=bounds.max_side, height=bounds.min_side)
    assert inpainting.panned(longest, 0, "left", "", catalogue.default, LIMITS) is None
    assert inpainting.panned(longest, 0, "top", "", catalogue.default, LIMITS) is not None


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
