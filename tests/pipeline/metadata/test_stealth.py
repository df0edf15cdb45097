"""Words in the lowest bits of pixels."""

import io
import json
from typing import Any

import pytest
from PIL import Image

from pipeline.metadata import stealth
from pipeline.metadata.reading import read_parameters
from tests import picture_files as files


@pytest.mark.parametrize("is_rgb", [False, True])
@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("size", [(96, 80), (40, 200), (400, 33)])
def test_words_in_pixels_are_read(size: tuple[int, int], *, is_rgb: bool, is_packed: bool) -> None:
    data = files.stealth(f"ü {files.A1111}", is_rgb=is_rgb, is_packed=is_packed, size=size)
    assert read_parameters(data) == f"ü {files.A1111}"


def test_novelai_hides_all_its_chunks() -> None:
    found = read_parameters(files.stealth(json.dumps(files.NOVELAI), size=(128, 128)))
    assert found == read_parameters(files.png_of(files.NOVELAI))


def test_no_more_columns_are_decoded_than_may_hold_words(monkeypatch: pytest.MonkeyPatch) -> None:
    data = files.stealth(files.A1111, is_packed=False, size=(200, 50))
    decoded: list[tuple[int, int]] = []

    def watched(*given: Any, **how: Any) -> Image.Image:
        picture = Image.open(*given, **how)
        decoded.append(picture.size)
        return picture

    opening = type("Opening", (), {"open": staticmethod(watched), "Transpose": Image.Transpose, "Image": Image.Image})
    monkeypatch.setattr(stealth, "Image", opening)
    monkeypatch.setattr(stealth, "_MOST_BITS", 50 * 30)
    assert read_parameters(data) == files.A1111
    assert decoded == [(30, 50)]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "I;16", "RGB", "RGBA"])
def test_other_pixels_say_nothing(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (64, 64)).save(file, "PNG")
    assert read_parameters(file.getvalue()) is None


def test_a_length_that_is_not_there_is_nothing() -> None:
    data = files.stealth("x" * 900, is_packed=False, size=(96, 80))
    with Image.open(io.BytesIO(data)) as picture:
        cut = picture.crop((0, 0, 30, 80))
    assert read_parameters(files.saved(cut, "PNG")) is None
