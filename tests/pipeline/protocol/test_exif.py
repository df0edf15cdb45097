"""Where A1111 and the galleries look for the text about a picture that has no chunks."""

import io

import pytest
from PIL import ExifTags, Image

from pipeline.protocol.exif import exif_with


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP"])
def test_the_text_is_the_users_comment_with_both_byte_orders_alike(image_format: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, image_format, exif=exif_with("a äpple 🍎"))
    read = Image.open(file).getexif()
    assert read.endian == ">", "the data is big-endian"
    assert read.get_ifd(ExifTags.IFD.Exif) == {
        ExifTags.Base.UserComment: b"UNICODE\0" + "a äpple 🍎".encode("utf-16-be")
    }


def test_without_a_text_nothing_is_said() -> None:
    assert not dict(exif_with(""))
