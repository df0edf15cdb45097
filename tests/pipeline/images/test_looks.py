"""What a member sees tinted is what the engine draws anew, although the two are found by different code."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.images.canvas import canvas_of
from pipeline.protocol.inputs import Inpaint
from pipeline.protocol.limits import GRID_CELLS, MAX_GROW
from pipeline.reading.looks import part_of

SIZES = st.tuples(st.integers(3, 12), st.integers(3, 12)).map(lambda sides: (8 * sides[0], 8 * sides[1]))
GROWTHS = st.floats(-MAX_GROW, MAX_GROW)


@given(
    size=SIZES,
    cells=st.sets(st.integers(0, GRID_CELLS - 1), min_size=1),
    grow=GROWTHS,
    is_inverted=st.booleans(),
)
def test_cells_are_those_of_the_engine(size: tuple[int, int], cells: set[int], grow: float, is_inverted: bool) -> None:
    inpaint = Inpaint(cells=tuple(cells), grow=grow, is_inverted=is_inverted)
    drawn = canvas_of(Image.new("RGB", size), None, inpaint, *size).mask
    assert np.array_equal(np.asarray(part_of(inpaint, None, size)) > 0, drawn)


@given(size=SIZES, grow=GROWTHS, is_inverted=st.booleans(), seed=st.integers(0, 99), times=st.sampled_from([1, 2]))
def test_a_mask_is_that_of_the_engine(
    size: tuple[int, int], grow: float, is_inverted: bool, seed: int, times: int
) -> None:
    blocks = np.random.default_rng(seed).integers(0, 2, (size[1] // 8, size[0] // 8), dtype=np.uint8) * 255
    mask = Image.fromarray(blocks).resize((size[0] * times, size[1] * times), Image.Resampling.NEAREST)
    inpaint = Inpaint(grow=grow, is_inverted=is_inverted)
    drawn = canvas_of(Image.new("RGB", size), mask, inpaint, *size).mask
    assert np.array_equal(np.asarray(part_of(inpaint, mask, size)) > 0, drawn)
