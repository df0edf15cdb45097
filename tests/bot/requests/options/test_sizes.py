"""From a size in words to the nearest that a model can draw here, on a model of round numbers."""

import msgspec
import pytest

from bot.errors import Refused
from bot.requests.options.sizes import is_size, read_size, size_values
from config.settings import LimitSettings
from pipeline.protocol.catalogue.models import Bounds, Defaults, ModelSpec
from pipeline.protocol.catalogue.networks import Enlarger, FolderSource

SPEC = ModelSpec(
    key="some",
    title="Some",
    source=FolderSource(path="/nowhere"),
    family="sd",
    license="",
    defaults=Defaults(width=512, height=512),
    bounds=Bounds(min_side=256, max_side=1_024, max_pixels=1_024 * 1_024),
)
ALL = 1_024 * 1_024


@pytest.mark.parametrize(
    ("size", "max_pixels", "expected", "told"),
    [
        (None, ALL, (512, 512), None),
        ("Square ", ALL, (512, 512), None),
        ("wide", ALL, (680, 384), None),
        ("3:4", ALL, (440, 592), None),
        ("1024x1024", ALL, (1_024, 1_024), None),
        ("1024 * 512", ALL, (1_024, 512), None),
        # Too long, too short, too large: the nearest of the same shape.
        ("2048x1024", ALL, (1_024, 512), "notice-size"),
        ("128x64", ALL, (512, 256), "notice-size"),
        ("1024x512", 512 * 512, (728, 360), "notice-size"),
        ("516x512", ALL, (512, 512), "notice-size"),
        # Rounding went over the limit: the longer side gives way.
        ("512x512", 512 * 512 - 1, (504, 512), "notice-size"),
        ("512x520", 512 * 520 - 1, (512, 512), "notice-size"),
        ("520x512", 512 * 520 - 1, (512, 512), "notice-size"),
        ("512x512", 200 * 200, (256, 256), "notice-size"),
        # No nearest one has the shape.
        ("1:5", ALL, (256, 1_024), "notice-shape"),
        ("1:4", ALL, (256, 1_024), None),
    ],
)
def test_the_nearest_size_is_drawn_and_told_where_it_is_another(
    size: str | None, max_pixels: int, expected: tuple[int, int], told: str | None
) -> None:
    width, height, notice = read_size(size, SPEC, LimitSettings(max_pixels=max_pixels))
    assert ((width, height), None if notice is None else notice.key) == (expected, told)


def test_what_is_told_names_what_was_asked_for_and_what_arrives() -> None:
    enlarged = msgspec.structs.replace(SPEC, enlarger=Enlarger(path="/nowhere", scale=2))
    (*_, notice), (*_, shape) = (read_size(size, enlarged, LimitSettings()) for size in ("128*64", "1 : 5"))
    assert notice is not None
    assert notice.values == {"given": "128×64", "width": 512, "height": 256, "enlarged": "1024×512"}
    assert shape is not None
    assert shape.values == {"given": "1:5", "width": 256, "height": 1_024, "enlarged": "512×2048"}


@pytest.mark.parametrize("size", ["huge" * 20, "0x64", "64x0", "9" * 41 + ":1", ""])
def test_what_is_no_size_is_refused_with_the_usual_one(size: str) -> None:
    with pytest.raises(Refused) as refused:
        read_size(size, SPEC, LimitSettings())
    assert refused.value.key == "refused-size"
    assert refused.value.values == {"given": size[:40], "width": 512, "height": 512, "enlarged": "none"}


@pytest.mark.parametrize(
    ("words", "is_one"),
    [(" Wide ", True), ("16:9", True), ("64 X 72", True), ("9" * 41 + "x1", False), ("64", False), ("big", False)],
)
def test_words_are_a_size_or_not(words: str, is_one: bool) -> None:
    assert is_size(words) is is_one


def test_sides_that_arrive_are_told_where_they_are_others() -> None:
    assert size_values(64, 72, None) == size_values(64, 72, (64, 72)) == {"width": 64, "height": 72, "enlarged": "none"}
    assert size_values(64, 72, (256, 288))["enlarged"] == "256×288"
