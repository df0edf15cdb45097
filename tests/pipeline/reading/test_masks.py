"""Masks grow, shrink and lose their holes by the pixel."""

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from pipeline.reading.masks import closed, filled, grown, shrunk, where_above


@st.composite
def small_masks(draw: st.DrawFn) -> Image.Image:
    width, height = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    marked = draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height))
    return Image.frombytes("L", (width, height), bytes(255 * each for each in marked))


def flooded(mask: Image.Image) -> Image.Image:
    """The mask without holes, by a walk over single pixels."""
    width, height = mask.size
    edge = [(x, y) for x in range(width) for y in range(height) if x in (0, width - 1) or y in (0, height - 1)]
    waiting = [at for at in edge if mask.getpixel(at) == 0]
    outside = {*waiting}
    while waiting:
        x, y = waiting.pop()
        for at in ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)):
            if 0 <= at[0] < width and 0 <= at[1] < height and at not in outside and mask.getpixel(at) == 0:
                outside.add(at)
                waiting.append(at)
    whole = Image.new("L", mask.size, 255)
    for at in outside:
        whole.putpixel(at, 0)
    return whole


@given(mask=small_masks())
def test_holes_are_filled_as_by_a_walk(mask: Image.Image) -> None:
    assert filled(mask).tobytes() == flooded(mask).tobytes()


@given(mask=small_masks(), radius=st.integers(0, 3))
def test_it_grows_and_shrinks_as_by_the_greatest_and_least_value_around(mask: Image.Image, radius: int) -> None:
    side = 2 * radius + 1
    assert grown(mask, radius).tobytes() == mask.filter(ImageFilter.MaxFilter(side)).tobytes()
    assert shrunk(mask, radius).tobytes() == mask.filter(ImageFilter.MinFilter(side)).tobytes()


def test_a_single_pixel_grows_by_as_much_as_a_large_picture_needs() -> None:
    mask = Image.new("L", (601, 601))
    mask.putpixel((300, 300), 255)
    assert grown(mask, 254).getbbox() == (46, 46, 555, 555)


def test_a_gap_is_closed_and_an_edge_stays() -> None:
    mask = Image.new("L", (40, 20))
    mask.paste(255, (2, 2, 18, 18))
    mask.paste(255, (22, 2, 38, 18))
    assert closed(mask, 3).getbbox() == (2, 2, 38, 18)
    assert where_above(closed(mask, 3), 0).getpixel((20, 10)) == 255
