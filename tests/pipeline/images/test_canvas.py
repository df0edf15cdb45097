"""Where a picture lies on a job's canvas, and which part of it is drawn anew."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.images.canvas import canvas_of, grown, softened
from pipeline.images.pasting import Paste
from pipeline.protocol.inputs import Inpaint, Outpaint


def picture(width: int, height: int) -> Image.Image:
    dice = np.random.default_rng(0)
    return Image.fromarray(dice.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("cells", "where"),
    [((0,), (0, 0, 30, 20)), ((5,), (60, 20, 90, 40)), ((6, 7, 8), (0, 40, 90, 60)), (range(9), (0, 0, 90, 60))],
)
def test_cells_are_counted_row_by_row(cells: tuple[int, ...], where: tuple[int, int, int, int]) -> None:
    found = canvas_of(picture(90, 60), None, Inpaint(cells=tuple(cells)), 90, 60).mask
    expected = np.zeros((60, 90), dtype=bool)
    left, top, right, bottom = where
    expected[top:bottom, left:right] = True
    assert (found == expected).all()


def test_cells_are_those_of_the_picture_and_not_of_what_is_left_of_it() -> None:
    # 90 x 30 fills a square of 30 with its middle third.
    found = canvas_of(picture(90, 30), None, Inpaint(cells=(1, 4, 7)), 30, 30)
    assert found.mask.all()
    assert not canvas_of(picture(90, 30), None, Inpaint(cells=(0, 2)), 30, 30).mask.any()


def test_a_mask_is_white_from_the_middle_on_and_may_have_another_size() -> None:
    mask = Image.new("RGB", (40, 40), (127, 127, 127))
    mask.paste((128, 128, 128), (0, 0, 20, 40))
    found = canvas_of(picture(40, 40), mask, Inpaint(), 40, 40).mask
    assert found[:, :20].all()
    assert not found[:, 20:].any()
    larger = canvas_of(picture(160, 80), mask, Inpaint(), 160, 80).mask
    assert larger[:, :76].all()
    assert not larger[:, 84:].any()


def test_a_part_is_inverted_before_it_grows() -> None:
    grown_out = canvas_of(picture(90, 90), None, Inpaint(cells=(4,), grow=0.1), 90, 90).mask
    assert grown_out[21:69, 21:69].all()
    assert grown_out.sum() == 48 * 48
    smaller = canvas_of(picture(90, 90), None, Inpaint(cells=(4,), grow=-0.1), 90, 90).mask
    assert smaller.sum() == 12 * 12
    around = canvas_of(picture(90, 90), None, Inpaint(cells=(4,), grow=0.1, is_inverted=True), 90, 90).mask
    assert (~around).sum() == 12 * 12


@given(radius=st.integers(0, 12), seed=st.integers(0, 9), density=st.floats(0, 1))
def test_a_mask_grows_by_the_radius_on_every_side(radius: int, seed: int, density: float) -> None:
    mask = np.random.default_rng(seed).random((9, 11)) < density * 0.1
    expected = np.zeros_like(mask)
    for row, column in np.argwhere(mask):
        expected[max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1] = True
    assert (grown(mask, radius) == expected).all()
    assert (grown(~mask, -radius) == ~expected).all()


def test_a_soft_edge_repeats_the_border() -> None:
    mask = np.array([[True, False, False], [False, False, False], [False, False, False]])
    shares = softened(mask, 1) * 9
    assert shares.tolist() == [[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    assert softened(np.ones((4, 5), dtype=bool), 2).tolist() == [[1.0] * 5] * 4


def test_a_margin_continues_the_edge_of_the_whole_picture() -> None:
    given_picture = picture(20, 10)
    canvas = canvas_of(given_picture, None, Inpaint(outpaint=Outpaint(left=0.5, bottom=1.0)), 30, 20)
    pixels, old = np.asarray(canvas.picture), np.asarray(given_picture)
    assert (pixels[:10, 10:] == old).all()
    assert (pixels[:10, :10] == old[:, :1]).all()
    assert (pixels[10:, 10:] == old[-1:]).all()
    assert not canvas.mask[:10, 10:].any()
    assert canvas.mask.sum() == 30 * 20 - 20 * 10


@given(
    sides=st.tuples(*[st.integers(16, 90)] * 4),
    margins=st.tuples(*[st.floats(0, 1)] * 4).filter(any),
)
def test_margins_fit_every_size(sides: tuple[int, int, int, int], margins: tuple[float, ...]) -> None:
    width, height, *size = sides
    left, top, right, bottom = margins
    outpaint = Outpaint(left=left, top=top, right=right, bottom=bottom)
    canvas = canvas_of(picture(*size), None, Inpaint(outpaint=outpaint), width, height)
    assert canvas.picture.size == (width, height)
    assert canvas.mask.shape == (height, width)
    assert not canvas.mask.all()


def test_pasting_keeps_far_pixels_exactly_and_near_ones_smoothly() -> None:
    # Neither white nor black is near: a white part is another content, and not the same one in other colors.
    old = picture(90, 90).point([64 + value // 2 for value in range(256)] * 3)
    expected = torch.from_numpy(np.asarray(old, dtype=np.float32) / 255).permute(2, 0, 1)[None]
    paste = Paste(old, None, Inpaint(cells=(4,)), 90, 90)
    inside = (slice(None), slice(None), slice(30, 60), slice(30, 60))
    drawn = expected.clone()
    drawn[inside] = torch.rand((1, 3, 30, 30), generator=torch.Generator().manual_seed(0))
    pasted = paste.onto(drawn)
    assert torch.allclose(pasted[inside], drawn[inside], atol=1e-6)
    far = torch.ones(90, 90, dtype=torch.bool)
    far[22:68, 22:68] = False
    white, black = (paste.onto(torch.full((1, 3, 90, 90), float(value))) for value in (1, 0))
    for answer in (pasted, white, black):
        assert answer[..., far].equal(expected[..., far])
    # The drawn part fades out.
    shares = (white - black)[0, 0, 45, :40]
    assert shares.diff().min() >= -1e-6
    assert len(set(shares[22:31].tolist())) > 4
