"""The window around a small part: diffusers' arithmetic, and what comes back into the whole picture."""

import numpy as np
import pytest
import torch
from diffusers.image_processor import VaeImageProcessor
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.images.pasting import Paste
from pipeline.images.window import Window, window_of
from pipeline.protocol.inputs import Inpaint

CENTER = Inpaint(cells=(4,), is_enlarged=True)


@given(
    size=st.tuples(st.integers(16, 90), st.integers(16, 90)),
    part=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_the_window_is_that_of_diffusers(size: tuple[int, int], part: tuple[float, float, float, float]) -> None:
    width, height = size
    mask = np.zeros((height, width), dtype=np.bool_)
    (left, right), (top, bottom) = (
        sorted((int(part[at] * (side - 1)), int(part[at + 1] * (side - 1)))) for at, side in ((0, width), (2, height))
    )
    mask[top : bottom + 1, left : right + 1] = True
    pad = round(min(size) / 8)
    box = VaeImageProcessor.get_crop_region(Image.fromarray(mask), width, height, pad)
    found = window_of(mask)
    is_small = (box[2] - box[0]) * (box[3] - box[1]) <= width * height / 2
    assert found == (Window(*box) if is_small else None)


def test_nothing_has_no_window() -> None:
    assert window_of(np.zeros((20, 20), dtype=np.bool_)) is None


def noise(width: int, height: int) -> Image.Image:
    """Dark enough that a white part is another content, and not the same one in other colors."""
    return Image.effect_noise((width, height), 60).point([value // 2 for value in range(256)]).convert("RGB")


def pixels_of(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255).permute(2, 0, 1)[None]


@pytest.mark.parametrize("times", [1, 2])
def test_the_drawn_window_comes_back_into_its_place_and_nowhere_else(times: int) -> None:
    old = noise(96 * times, 96 * times)
    paste = Paste(old, None, CENTER, 96, 96)
    # A cell of 32 pixels and 12 around it; from a larger picture come its own pixels.
    canvas = paste.canvas(96, 96)
    at = [20 * times, 20 * times, 76 * times, 76 * times]
    cut = old.crop((at[0], at[1], at[2], at[3])).resize((96, 96), Image.Resampling.LANCZOS)
    assert canvas.picture.tobytes() == cut.tobytes()
    assert canvas.mask.sum() == pytest.approx((32 * 96 / 56) ** 2, rel=0.05)
    for side in (96, 192):
        white = paste.whole(paste.onto(torch.ones(1, 3, side, side)))
        known = pixels_of(old.resize((side, side), Image.Resampling.LANCZOS))
        inside = torch.zeros(side, side, dtype=torch.bool)
        inside[side // 3 : side * 2 // 3, side // 3 : side * 2 // 3] = True
        assert white[..., inside].min() > 0.98
        far = torch.ones(side, side, dtype=torch.bool)
        far[side // 3 - 8 : side * 2 // 3 + 8, side // 3 - 8 : side * 2 // 3 + 8] = False
        assert white[..., far].equal(known[..., far])


@pytest.mark.parametrize("inpaint", [Inpaint(cells=(4,)), Inpaint(cells=(*range(9),), is_enlarged=True)])
def test_what_is_not_small_or_not_to_be_enlarged_is_drawn_as_it_is(inpaint: Inpaint) -> None:
    old = noise(96, 96)
    paste = Paste(old, None, inpaint, 96, 96)
    assert paste.canvas(96, 96).picture.tobytes() == old.tobytes()
    drawn = torch.rand(1, 3, 96, 96)
    assert paste.whole(drawn) is drawn
