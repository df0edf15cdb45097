"""What is painted on a copy is found again, whatever a phone did to the file, and nothing else is."""

import io
import itertools
import random

import pytest
from PIL import Image, ImageDraw, ImageFilter

from pipeline.protocol.reading import CleanPicture, PictureFault, Unreadable, Wanted, joined
from pipeline.reading.answering import answer
from tests.pipeline.reading import files

SIZE = (768, 576)
COLORS = {"red": (230, 20, 30), "gray": (128, 128, 128), "black": (0, 0, 0)}


def scene(seed: int = 5) -> Image.Image:
    """A bright picture with edges, colors and fine noise, as photographs have."""
    numbers = random.Random(seed)
    picture = Image.blend(files.colorful(SIZE), Image.new("RGB", SIZE, (255, 245, 200)), 0.75)
    draw = ImageDraw.Draw(picture)
    for _ in range(40):
        x, y = numbers.randrange(SIZE[0]), numbers.randrange(SIZE[1])
        color = (numbers.randrange(190, 256), numbers.randrange(190, 256), numbers.randrange(150, 256))
        draw.ellipse((x, y, x + numbers.randrange(10, 120), y + numbers.randrange(10, 120)), fill=color)
    noise = Image.effect_noise(SIZE, 12)
    return Image.blend(picture.filter(ImageFilter.GaussianBlur(0.6)), Image.merge("RGB", [noise] * 3), 0.08)


def stroke(size: tuple[int, int] = SIZE) -> Image.Image:
    """A thick scribble, as a finger draws it."""
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    draw.line([(200, 150), (330, 210), (240, 280), (400, 330)], fill=255, width=46, joint="curve")
    for at in ((200, 150), (330, 210), (240, 280), (400, 330)):
        draw.ellipse((at[0] - 23, at[1] - 23, at[0] + 23, at[1] + 23), fill=255)
    return mask


def painted(picture: Image.Image, mask: Image.Image, color: tuple[int, int, int]) -> Image.Image:
    copy = picture.copy()
    copy.paste(color, mask=mask)
    return copy


def ask(ours: Image.Image, theirs: bytes) -> Image.Image | PictureFault:
    found, png = answer(bytes(joined(files.saved(ours, "PNG"), bytearray(theirs))), Wanted.MARKS)
    if isinstance(found, Unreadable):
        return found.fault
    assert isinstance(found, CleanPicture)
    mask = Image.open(io.BytesIO(png), formats=("PNG",))
    assert (mask.mode, mask.size) == ("RGB", (found.width, found.height))
    assert mask.size == ours.size
    gray = mask.convert("L")
    assert {value for value, count in enumerate(gray.histogram()) if count} <= {0, 255}
    return gray


def overlap(first: Image.Image | PictureFault, second: Image.Image) -> float:
    """Intersection over union of two masks."""
    assert isinstance(first, Image.Image)
    pairs = list(zip(first.tobytes(), second.tobytes(), strict=True))
    return sum(a and b for a, b in ((a > 0, b > 0) for a, b in pairs)) / sum(a > 0 or b > 0 for a, b in pairs)


@pytest.mark.parametrize(("color", "quality", "scale"), [*itertools.product(COLORS, (60, 70, 80), (0.7, 1.0, 1.2))])
def test_paint_is_found_through_jpeg_and_a_resize(color: str, quality: int, scale: float) -> None:
    picture = scene()
    copy = painted(picture, stroke(), COLORS[color])
    copy = copy.resize((round(SIZE[0] * scale), round(SIZE[1] * scale)), Image.Resampling.BICUBIC)
    assert overlap(ask(picture, files.saved(copy, "JPEG", quality=quality)), stroke()) >= 0.95


@pytest.mark.parametrize(("quality", "scale"), [*itertools.product((60, 80), (0.7, 1.2))])
def test_a_copy_without_paint_marks_nothing(quality: int, scale: float) -> None:
    copy = scene().resize((round(SIZE[0] * scale), round(SIZE[1] * scale)), Image.Resampling.BICUBIC)
    assert ask(scene(), files.saved(copy, "JPEG", quality=quality)) is PictureFault.UNMARKED


def test_a_ring_marks_what_it_encloses() -> None:
    ring, disk = Image.new("L", SIZE), Image.new("L", SIZE)
    ImageDraw.Draw(ring).ellipse((100, 100, 400, 350), outline=255, width=14)
    ImageDraw.Draw(disk).ellipse((100, 100, 400, 350), fill=255)
    assert overlap(ask(scene(), files.saved(painted(scene(), ring, COLORS["red"]), "JPEG", quality=80)), disk) >= 0.95


def test_a_black_and_white_picture_is_a_mask_itself_and_white_changes() -> None:
    plain = stroke((1_536, 1_152)).resize((384, 288))
    wanted = plain.resize(SIZE, Image.Resampling.BILINEAR).point([0] * 128 + [255] * 128)
    for data in (files.saved(plain, "PNG"), files.saved(plain.convert("RGB"), "JPEG", quality=60)):
        assert overlap(ask(scene(), data), wanted) >= 0.95


def test_a_black_and_white_picture_of_ours_is_compared() -> None:
    ours = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(ours).rectangle((300, 300, 500, 500), fill="black")
    copy = painted(ours, stroke(), (0, 0, 0))
    copy.paste("black", (300, 300, 501, 501))
    found = ask(ours, files.saved(copy, "PNG"))
    assert isinstance(found, Image.Image)
    assert found.getpixel((600, 50)) == 0
    assert found.getpixel((200, 150)) == 255


def test_what_was_erased_is_marked() -> None:
    copy = scene().convert("RGBA")
    copy.paste((0, 0, 0, 0), mask=stroke())
    assert overlap(ask(scene(), files.saved(copy, "PNG")), stroke()) == 1.0


def test_another_shape_and_another_file_are_refused() -> None:
    assert ask(scene(), files.saved(scene().crop((0, 0, 700, 576)), "JPEG")) is PictureFault.SHAPE
    assert ask(scene(), b"no picture") is PictureFault.FORMAT
    assert ask(scene(), files.VALID["jpeg"][:300]) is PictureFault.UNREADABLE
