"""A look shows what is drawn anew, and nothing else."""

import io

import msgspec
import pytest
from PIL import Image, ImageChops

from pipeline.protocol.inputs import Inpaint
from pipeline.protocol.reading import CleanPicture, PictureFault, Unreadable, Wanted, joined
from pipeline.reading.answering import answer
from tests.pipeline.reading import files

SIZE = (90, 60)


def ask(inpaint: Inpaint, picture: Image.Image, mask: Image.Image | None = None) -> Image.Image | PictureFault:
    mask_file = b"" if mask is None else files.saved(mask, "PNG")
    pictures = joined(mask_file, bytearray(files.saved(picture, "PNG")))
    found, png = answer(bytes(joined(msgspec.json.encode(inpaint), pictures)), Wanted.LOOK)
    if isinstance(found, Unreadable):
        return found.fault
    assert isinstance(found, CleanPicture)
    shown = Image.open(io.BytesIO(png), formats=("PNG",))
    assert (shown.mode, shown.size) == ("RGB", (found.width, found.height))
    return shown


def tinted(inpaint: Inpaint, mask: Image.Image | None = None) -> tuple[int, int, int, int] | None:
    """The box of what the look changes in a picture."""
    picture = Image.new("RGB", SIZE, (10, 200, 30))
    shown = ask(inpaint, picture, mask)
    assert isinstance(shown, Image.Image)
    return ImageChops.difference(shown, picture).getbbox()


@pytest.mark.parametrize(
    ("inpaint", "box"),
    [
        (Inpaint(cells=(0,)), (0, 0, 30, 20)),
        (Inpaint(cells=(4,)), (30, 20, 60, 40)),
        (Inpaint(cells=(5, 8)), (60, 20, 90, 60)),
        (Inpaint(cells=(4,), grow=0.1), (24, 14, 66, 46)),
        (Inpaint(cells=(4,), grow=-0.1), (36, 26, 54, 34)),
        (Inpaint(cells=(0, 1, 2), is_inverted=True), (0, 20, 90, 60)),
        (Inpaint(cells=(0, 1, 2), is_inverted=True, grow=0.1), (0, 14, 90, 60)),
    ],
)
def test_cells_are_tinted(inpaint: Inpaint, box: tuple[int, int, int, int]) -> None:
    assert tinted(inpaint) == box


def test_the_white_part_of_a_mask_is_tinted() -> None:
    mask = Image.new("RGB", (180, 120))
    mask.paste((255, 255, 255), (100, 40, 140, 80))
    assert tinted(Inpaint(), mask) == (50, 20, 70, 40)


def test_what_lies_below_is_still_seen() -> None:
    shown = ask(Inpaint(cells=(0,)), files.colorful(SIZE))
    assert isinstance(shown, Image.Image)
    colors = shown.crop((0, 0, 30, 20)).getcolors(10_000)
    assert colors is not None
    assert len(colors) > 100


def test_a_large_picture_is_shown_smaller() -> None:
    shown = ask(Inpaint(cells=(0,)), files.colorful((2_048, 1_024)))
    assert isinstance(shown, Image.Image)
    assert shown.size == (1_024, 512)


def test_nothing_left_is_a_fault() -> None:
    assert ask(Inpaint(cells=(4,), grow=-0.25), files.colorful(SIZE)) is PictureFault.UNMARKED
    assert ask(Inpaint(cells=(*range(9),), is_inverted=True), files.colorful(SIZE)) is PictureFault.UNMARKED
