"""What comes of every kind of file that somebody may attach."""

import io
import struct

import pytest
from PIL import Image, ImageFile

from pipeline.protocol.reading import MAX_PIXELS, CleanPicture, PictureFault, Unreadable, Wanted
from pipeline.reading.answering import answer
from pipeline.reading.pictures import clean
from tests.pipeline.reading import files


def read(data: bytes) -> tuple[CleanPicture, Image.Image]:
    facts, png = clean(data)
    picture = Image.open(io.BytesIO(png), formats=("PNG",))
    assert picture.mode == "RGB"
    assert picture.size == (facts.width, facts.height)
    return facts, picture


def fault_of(data: bytes) -> PictureFault:
    found, png = answer(data, Wanted.PICTURE)
    assert isinstance(found, Unreadable)
    assert png == b""
    return found.fault


def kinds_of(png: bytes) -> set[bytes]:
    """Kinds of a PNG's chunks."""
    kinds, at = set[bytes](), 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        kinds.add(kind)
        at += 12 + length
    return kinds


@pytest.mark.parametrize("name", files.VALID)
def test_a_picture_of_every_kind_becomes_a_png_of_pixels_alone(name: str) -> None:
    _, png = clean(files.VALID[name])
    assert kinds_of(png) == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize("name", ["png", "png, palette", "apng", "jpeg", "jpeg, cmyk", "webp", "gif", "avif"])
def test_its_colors_stay(name: str) -> None:
    _, picture = read(files.VALID[name])
    assert files.difference(picture, files.colorful()) < 6


@pytest.mark.parametrize(
    ("name", "has_more"),
    [(name, "animated" in name or name == "apng") for name in files.VALID],
)
def test_of_several_frames_the_first_is_taken_and_told(name: str, has_more: bool) -> None:
    facts, picture = read(files.VALID[name])
    assert facts.has_more_frames is has_more
    if has_more:
        assert files.difference(picture, files.colorful()) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright(orientation: int) -> None:
    _, picture = read(files.turned(orientation))
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    wanted = files.colorful()
    wanted = wanted.transpose(turns[orientation]) if orientation in turns else wanted
    assert picture.size == wanted.size
    assert files.difference(picture, wanted) < 6


def test_damaged_exif_data_turns_nothing() -> None:
    data = files.saved(files.colorful(), "JPEG", exif=b"Exif\0\0MM\0*" + b"\xff" * 40)
    assert read(data)[1].size == files.SIZE


def test_where_it_was_taken_is_gone() -> None:
    assert b"Exif" in files.turned(6)
    assert b"Exif" not in clean(files.turned(6))[1]


def test_gray_of_16_bits_is_not_clipped() -> None:
    _, picture = read(files.VALID["png, 16-bit gray"])
    values = [picture.getpixel((column, 5)) for column in range(files.SIZE[0])]
    exact = [round(255 * column / (files.SIZE[0] - 1)) for column in range(files.SIZE[0])]
    assert values == [(value, value, value) for value in exact]


def test_cmyk_goes_through_its_own_profile_and_a_broken_one_is_ignored() -> None:
    red = Image.new("CMYK", files.SIZE, (0, 255, 255, 0))
    plain = read(files.saved(red, "JPEG", quality=95))[1]
    broken = read(files.saved(red, "JPEG", quality=95, icc_profile=b"no profile" * 20))[1]
    assert files.difference(plain, broken) == 0
    profiled = read(files.saved(red, "JPEG", quality=95, icc_profile=files.cmyk_profile()))[1]
    color = profiled.getpixel((5, 5))
    assert isinstance(color, tuple)
    assert color[1] > max(color[0], color[2]) + 60  # the profile's green


def test_what_is_transparent_becomes_white_and_is_told() -> None:
    for name in ("png, alpha", "webp, lossless alpha"):
        facts, picture = read(files.VALID[name])
        assert facts.was_transparent
        assert picture.getpixel((2, 2)) == (0, 0, 255)
        assert picture.getpixel((files.SIZE[0] - 2, 2)) == (255, 255, 255)
    opaque = files.colorful().convert("RGBA")
    assert not read(files.saved(opaque, "PNG"))[0].was_transparent
    palette = files.saved(files.colorful(mode="P"), "GIF", transparency=0)
    assert read(palette)[0].was_transparent


@pytest.mark.parametrize(
    ("size", "expected"), [((2_048, 300), (2_048, 300)), ((4_096, 1_024), (2_048, 512)), ((700, 3_000), (478, 2_048))]
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_one_becomes_smaller_in_its_shape(kind: str, size: tuple[int, int], expected: tuple[int, int]) -> None:
    _, picture = read(files.saved(files.colorful(size), kind))
    assert picture.size == expected
    assert files.difference(picture, files.colorful(expected)) < 4


@pytest.mark.parametrize(
    ("size", "fraction", "expected"),
    [
        ((6_000, 5_000), (3_000, 2_500), (2_048, 1_707)),
        ((4_032, 3_024), (2_016, 1_512), (2_016, 1_512)),
        ((2_880, 3_840), (1_440, 1_920), (1_440, 1_920)),
        ((3_838, 2_000), (3_838, 2_000), (2_048, 1_067)),
        ((1_200, 8_001), (300, 2_001), (300, 2_001)),
        ((2_000, 400), (2_000, 400), (2_000, 400)),
    ],
)
def test_a_large_jpeg_is_decoded_at_a_fraction(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], fraction: tuple[int, int], expected: tuple[int, int]
) -> None:
    decoded: list[tuple[int, int]] = []
    load = ImageFile.ImageFile.load

    def watched(picture: ImageFile.ImageFile) -> object:
        decoded.append(picture.size)
        return load(picture)

    data = files.saved(Image.new("RGB", size), "JPEG")
    monkeypatch.setattr(ImageFile.ImageFile, "load", watched)
    facts, _ = clean(data)
    assert decoded[-1] == fraction
    assert (facts.width, facts.height) == expected
    assert facts.was_shrunk == (size != expected)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", PictureFault.FORMAT),
        (b"no picture", PictureFault.FORMAT),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='64' height='64'/>", PictureFault.FORMAT),
        (b"%PDF-1.7\n", PictureFault.FORMAT),
        (b"8BPS\0\1" + bytes(100), PictureFault.FORMAT),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n", PictureFault.FORMAT),
        (files.saved(files.colorful(), "TIFF"), PictureFault.FORMAT),
        (files.saved(files.colorful(), "BMP"), PictureFault.FORMAT),
        (files.heic(), PictureFault.HEIC),
        (files.heic(b"hevc"), PictureFault.HEIC),
        (files.raw_png((20_000, 20_000), pixels=b""), PictureFault.PIXELS),
        (files.raw_png((13_000, 13_000), pixels=b""), PictureFault.PIXELS),
        (files.raw_png((9_400, 9_400), depth=1, color=0, pixels=b""), PictureFault.PIXELS),
        (files.raw_png((6_325, 6_325), depth=1, color=0, pixels=b""), PictureFault.PIXELS),
        (files.raw_png((16_385, 2_100), depth=1, color=0, pixels=b""), PictureFault.SIDES),
        (files.saved(Image.new("L", (15, 15)), "PNG"), PictureFault.SIDES),
        (files.saved(Image.new("L", (16, 129)), "PNG"), PictureFault.RATIO),
        (files.saved(Image.new("L", (129, 16)), "PNG"), PictureFault.RATIO),
        (files.raw_png((64, 64), pixels=b"no zlib"), PictureFault.UNREADABLE),
        *((files.VALID[name][: len(files.VALID[name]) * 2 // 3], PictureFault.UNREADABLE) for name in ("png", "jpeg")),
    ],
)
def test_what_is_not_read_has_a_reason(data: bytes, fault: PictureFault) -> None:
    assert fault_of(data) is fault


@pytest.mark.parametrize("size", [(16, 16), (16, 128), (128, 16), (16_384, 2_048)])
def test_the_bounds_themselves_are_read(size: tuple[int, int]) -> None:
    pixels = files.zeros(size[1] * (size[0] // 8 + 1))
    assert isinstance(answer(files.raw_png(size, depth=1, color=0, pixels=pixels), Wanted.PICTURE)[0], CleanPicture)


def test_as_many_pixels_as_are_read_are_read() -> None:
    pixels = files.zeros(6_324 * 792)
    facts, _ = read(files.raw_png((6_324, 6_324), depth=1, color=0, pixels=pixels))
    assert (facts.width, facts.height) == (2_048, 2_048)


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_a_bomb_beside_the_pixels_is_not_inflated(kind: bytes) -> None:
    bomb = files.chunk(kind, b"name\0\0" + files.zeros(200_000_000))
    found, _ = answer(files.raw_png((64, 64), pixels=files.zeros(64 * 193), extra=bomb), Wanted.PICTURE)
    assert isinstance(found, Unreadable)


def test_pillow_is_as_before() -> None:
    """Other parts of a process may use it too, as in these tests."""
    before = Image.MAX_IMAGE_PIXELS
    clean(files.VALID["png"])
    fault_of(files.raw_png((20_000, 20_000), pixels=b""))
    assert before == Image.MAX_IMAGE_PIXELS != MAX_PIXELS


def test_what_stands_behind_the_picture_is_gone() -> None:
    data = files.VALID["png"] + b"<script>alert(1)</script>" * 50
    _, png = clean(data)
    assert png == clean(files.VALID["png"])[1]
    assert b"script" not in png


def test_an_avif_with_the_brand_of_heic_among_its_own_is_read() -> None:
    assert b"mif1" in files.VALID["avif"][:40]
    assert read(files.VALID["avif"])[1].size == files.SIZE
