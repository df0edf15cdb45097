"""Copies of a blocked picture are found, and other pictures are not."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from pipeline.engine.pixels.blocked import is_blocked
from pipeline.images.fingerprint import look
from pipeline.protocol.provenance.fingerprints import BLOCKED_LOOK_BYTES
from tests.pipeline.reading import files


def scene(seed: int) -> Image.Image:
    """A picture of soft parts and edges, as drawings and photographs have them."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (7, 9, 3), np.uint8))
    picture = coarse.resize((360, 280), Image.Resampling.BICUBIC)
    for _ in range(6):
        left, top, width, height = (int(number) for number in random.integers(20, 200, 4))
        picture.paste(
            tuple(int(number) for number in random.integers(0, 256, 3)), (left, top, left + width, top + height)
        )
    return picture


def look_of(picture: Image.Image) -> bytes:
    return look(np.asarray(picture))[:BLOCKED_LOOK_BYTES]


def saved(picture: Image.Image, form: str, quality: int) -> Image.Image:
    with Image.open(io.BytesIO(files.saved(picture, form, quality=quality))) as opened:
        return opened.convert("RGB")


def cut(picture: Image.Image, part: float) -> Image.Image:
    """The picture without this part at each edge."""
    width, height = picture.size
    left, top = round(width * part), round(height * part)
    return picture.crop((left, top, width - left, height - top))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "the same": lambda picture: picture,
    "JPEG of low quality": lambda picture: saved(picture, "JPEG", 30),
    "WebP": lambda picture: saved(picture, "WEBP", 50),
    "a third of its size": lambda picture: picture.resize((120, 93)),
    "twice its size": lambda picture: picture.resize((720, 560), Image.Resampling.LANCZOS),
    "squeezed": lambda picture: picture.resize((256, 256)),
    "small and saved badly": lambda picture: saved(picture.resize((180, 140)), "JPEG", 40),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "without colors": lambda picture: picture.convert("L").convert("RGB"),
    "mirrored": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "a hundredth cut off at each edge": lambda picture: cut(picture, 0.01),
}


@pytest.mark.parametrize("change", COPIES)
def test_a_copy_is_found(change: str) -> None:
    for seed in range(20):
        picture = scene(seed)
        others = [look_of(scene(100 + other)) for other in range(3)]
        assert is_blocked(COPIES[change](picture), [*others, look_of(picture)]), seed


def test_other_pictures_are_not_found() -> None:
    scenes = [scene(seed) for seed in range(60)]
    looks = [*map(look_of, scenes)]
    assert [seed for seed in range(60) if is_blocked(scenes[seed], looks[:seed] + looks[seed + 1 :])] == []


def test_without_a_list_nothing_is_blocked() -> None:
    assert not is_blocked(scene(1), [])
