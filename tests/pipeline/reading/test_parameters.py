"""What files say about themselves."""

import io

import pytest
from PIL import Image, PngImagePlugin

from bot.jobs.delivering.fitting import fit
from tests.picture_files import parameters_in


def png(**chunks: str) -> bytes:
    text = PngImagePlugin.PngInfo()
    for name, value in chunks.items():
        text.add_text(name, value)
    file = io.BytesIO()
    Image.effect_noise((96, 96), 90).save(file, "PNG", pnginfo=text)
    return file.getvalue()


@pytest.mark.parametrize("name", ["parameters", "prompt", "Comment"])
def test_the_words_of_a_png_are_read(name: str) -> None:
    assert parameters_in(png(**{name: "a cat\nSteps: 4"})) == "a cat\nSteps: 4"


def test_what_was_made_smaller_still_says_it() -> None:
    ((_, small),) = fit([("a.png", png(parameters="a cat ü\nSteps: 4"))], 5_000)
    assert parameters_in(small) == "a cat ü\nSteps: 4"


@pytest.mark.parametrize("data", [b"", b"no picture", png(), png(parameters="  "), png(parameters="x")[:40]])
def test_what_says_nothing_says_nothing(data: bytes) -> None:
    assert parameters_in(data) is None


def test_half_a_file_says_what_is_in_it() -> None:
    assert parameters_in(png(parameters="x")[:60]) == "x"


def test_nobody_reads_a_whole_book() -> None:
    found = parameters_in(png(parameters="x" * 50_000))
    assert found is not None
    assert len(found) == 20_000
