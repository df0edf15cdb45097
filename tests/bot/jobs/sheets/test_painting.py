"""The picture of all pictures of a sheet."""

import io

from PIL import Image

from bot.jobs.sheets.painting import CELL, Cell, is_drawable, painted


def png(color: tuple[int, int, int], sides: tuple[int, int] = (160, 80)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", sides, color).save(file, "PNG")
    return file.getvalue()


def test_each_cell_has_its_picture_or_its_state_below_its_labels() -> None:
    cells = [
        Cell(labels=("cfg 1", "steps 4"), picture=png((255, 0, 0))),
        Cell(labels=("cfg 4", "steps 4"), picture=png((0, 0, 255), (80, 80))),
        Cell(labels=("cfg 9", "steps 4" * 90), picture=None, state="waits"),
    ]
    sheet = Image.open(io.BytesIO(painted(cells, 2, (160, 80)))).convert("RGB")
    # Two columns of 160 and two rows of 80 with two lines of 22 above, each with a gap of 8.
    assert sheet.size == (2 * 168 + 8, 2 * (80 + 44 + 8) + 8)

    def near(spot: tuple[int, int], color: tuple[int, int, int]) -> bool:
        pixel = sheet.getpixel(spot)
        assert isinstance(pixel, tuple)
        return all(abs(one - other) < 40 for one, other in zip(pixel, color, strict=True))

    assert near((88, 92), (255, 0, 0))
    assert near((256, 92), (0, 0, 255))
    assert near((150, 250), (64, 66, 73)), "a cell without a picture is grey"
    ink = [sheet.getpixel((x, y)) for x in range(8, 168) for y in range(8, 52)]
    assert any(isinstance(pixel, tuple) and pixel[0] > 150 for pixel in ink), "the labels are there"


def test_36_large_pictures_fit_into_a_message() -> None:
    noise = Image.effect_noise((1024, 1024), 80).convert("RGB")
    file = io.BytesIO()
    noise.save(file, "PNG", compress_level=1)
    data = painted([Cell(labels=("seed 1",), picture=file.getvalue())] * 36, 6, (1024, 1024))
    assert len(data) < 10 * 2**20
    assert Image.open(io.BytesIO(data)).width == 6 * (CELL + 8) + 8
    small = painted([Cell(labels=("cfg 1",), picture=png((0, 0, 0), (64, 64)))], 1, (64, 64))
    assert Image.open(io.BytesIO(small)).width == 128 + 16, "labels have room above small pictures"


def test_letters_that_the_font_lacks_are_known() -> None:
    assert is_drawable("größe 1:1 ŵ")
    assert not is_drawable("words 猫")
