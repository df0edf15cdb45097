"""Reading the pictures that a job is given."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.images.decode import UnreadablePicture, fitted, read_png, to_pixels
from pipeline.images.encode import to_picture
from pipeline.protocol.limits import MAX_INPUT_SIDE


def file_of(picture: Image.Image, kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    picture.save(data, kind)
    return data.getvalue()


def stripes(width: int, height: int) -> Image.Image:
    """Red in the left eighth, blue in the right one, green between them."""
    picture = Image.new("RGB", (width, height), "lime")
    picture.paste("red", (0, 0, width // 8, height))
    picture.paste("blue", (width - width // 8, 0, width, height))
    return picture


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_a_png_of_any_kind_is_read_as_rgb(mode: str) -> None:
    picture = read_png(file_of(stripes(20, 10).convert(mode)))
    assert (picture.mode, picture.size) == ("RGB", (20, 10))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "cannot be read"),
        (b"no picture", "cannot be read"),
        (file_of(stripes(20, 10), "JPEG"), "cannot be read"),
        (file_of(stripes(200, 100))[:-60], "cannot be read"),
        (file_of(Image.new("1", (MAX_INPUT_SIDE + 1, 8))), f"{MAX_INPUT_SIDE + 1} x 8 pixels is too large"),
        (file_of(Image.new("1", (14_000, 14_000))), "cannot be read|is too large"),
    ],
)
def test_what_is_no_such_picture_is_refused_in_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadablePicture, match=sentence):
        read_png(data)


def test_the_largest_picture_is_read() -> None:
    assert read_png(file_of(Image.new("RGB", (MAX_INPUT_SIDE, 8)))).size == (MAX_INPUT_SIDE, 8)


def test_a_picture_of_another_shape_is_cropped_around_its_center_and_not_stretched() -> None:
    wide = np.asarray(fitted(stripes(100, 50), 50, 50))
    assert wide.shape == (50, 50, 3)
    assert (wide == (0, 255, 0)).all()
    tall = np.asarray(fitted(stripes(100, 50).rotate(90, expand=True), 20, 20))
    assert (tall == (0, 255, 0)).all()


def test_a_picture_of_the_size_keeps_its_bytes() -> None:
    picture = stripes(40, 24)
    assert fitted(picture, 40, 24).tobytes() == picture.tobytes()


def test_pixels_become_the_same_picture_again() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8))
    pixels = to_pixels(picture)
    assert (pixels.shape, pixels.dtype) == ((1, 3, 16, 24), torch.float32)
    assert to_picture(pixels[0]).tobytes() == picture.tobytes()
