"""Width and height in pixels: from a name, a ratio or two sides to the nearest size that a model can draw."""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.errors import Refused
from config.settings import LimitSettings
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

SIZES: Final[Mapping[str, str]] = MappingProxyType(
    {"square": "1:1", "portrait": "3:4", "landscape": "4:3", "wide": "16:9", "tall": "9:16"}
)
"""Named sizes and their aspect ratios. The area is that of the model's default size."""

_MAX_SIDE_DIGITS: Final = 40
"""Most digits of a side that is read. Longer numbers are no sizes."""
_SAME_SHAPE: Final = 0.02
"""Greatest relative difference between two shapes of which members need not be told."""
_SIDES = re.compile(rf"([0-9]{{1,{_MAX_SIDE_DIGITS}}}) ?([x\u00d7*:]) ?([0-9]{{1,{_MAX_SIDE_DIGITS}}})")


def is_size(words: str) -> bool:
    """Whether the text is a named size, a ratio, or two sides."""
    wanted = words.strip().casefold()
    return wanted in SIZES or _SIDES.fullmatch(wanted) is not None


def read_size(size: str | None, spec: ModelSpec, limits: LimitSettings) -> tuple[int, int, Notice | None]:
    """Width and height in pixels, and a notice if they differ from the request.

    Args:
        size: a name, a ratio or WIDTHxHEIGHT; None is the model's default.
        spec: the model.
        limits: the host's limits.

    Raises:
        Refused: the text is no size.
    """
    if size is None:
        return spec.defaults.width, spec.defaults.height, None
    wanted = SIZES.get(size.strip().casefold(), size.strip().casefold())
    match = _SIDES.fullmatch(wanted)
    if match is None or not int(match[1]) or not int(match[3]):
        usual = (spec.defaults.width, spec.defaults.height)
        raise Refused("refused-size", given=size[:40], **size_values(*usual, spec.delivered(*usual)))
    first, second = int(match[1]), int(match[3])
    is_ratio = match[2] == ":"
    width, height, is_shape_kept = _fit(*(_of_area(first, second, spec) if is_ratio else (first, second)), spec, limits)
    if is_shape_kept if is_ratio else (width, height) == (first, second):
        return width, height, None
    key, given = ("notice-shape", f"{first}:{second}") if is_ratio else ("notice-size", f"{first}\u00d7{second}")
    values = {"given": given, **size_values(width, height, spec.delivered(width, height))}
    return width, height, Notice(key=key, values=values)


def shaped_size(width: int, height: int, spec: ModelSpec, limits: LimitSettings) -> str:
    """The size, in words of `read_size`, that a model draws nearest to this shape."""
    sides = _fit(*_of_area(width, height, spec), spec, limits)
    return f"{sides[0]}x{sides[1]}"


def fit_sides(width: float, height: float, spec: ModelSpec, limits: LimitSettings) -> tuple[int, int] | None:
    """The size of this shape nearest to these sides that a model draws; None if it draws no such shape."""
    *sides, is_shape_kept = _fit(width, height, spec, limits)
    return (sides[0], sides[1]) if is_shape_kept else None


def size_values(width: int, height: int, delivered: tuple[int, int] | None) -> dict[str, str | int]:
    """Values for the sentence `size`: the drawn sides, and the delivered ones if they differ."""
    is_enlarged = delivered is not None and delivered != (width, height)
    enlarged = "\u00d7".join(map(str, delivered)) if delivered is not None and is_enlarged else "none"
    return {"width": width, "height": height, "enlarged": enlarged}


def delivered_sides(request: GenerationRequest, spec: ModelSpec | None) -> tuple[int, int] | None:
    """Width and height of a request's pictures in pixels; None if that depends on a model that is gone."""
    scale = 1 if request.upscale is None else request.upscale.scale
    if request.whole is not None:
        return request.whole[0] * scale, request.whole[1] * scale
    return None if spec is None else spec.delivered(scale * request.width, scale * request.height)


def size_values_of(request: GenerationRequest, delivered: tuple[int, int] | None) -> dict[str, str | int]:
    """Values for the sentence `size` about a request; of a picture of which a window is drawn, its own sides."""
    if request.whole is not None and delivered is not None:
        return size_values(*delivered, None)
    return size_values(request.width, request.height, delivered)


def _of_area(first: int, second: int, spec: ModelSpec) -> tuple[float, float]:
    """Sides of the given ratio with the area of the model's default size."""
    area = spec.defaults.width * spec.defaults.height
    return math.sqrt(area * first / second), math.sqrt(area * second / first)


def _fit(width: float, height: float, spec: ModelSpec, limits: LimitSettings) -> tuple[int, int, bool]:
    """The nearest size of the same shape within the bounds, in multiples that the model's family can draw.

    The last value says whether the shape was kept, as far as multiples allow.
    """
    only = None if spec.drawn_by is None else spec.drawn_by.nearest_size(width, height)
    if only is not None:
        return *only, math.isclose(only[0] / only[1], width / height, rel_tol=_SAME_SHAPE)
    bounds, multiple = spec.bounds, spec.facts.size_multiple
    max_pixels = min(bounds.max_pixels, limits.max_pixels)
    scale = max(1.0, bounds.min_side / min(width, height))
    scale = min(scale, bounds.max_side / (max(width, height)), math.sqrt(max_pixels / (width * height)))
    nearest = [round(side * scale / multiple) * multiple for side in (width, height)]
    sides = [min(max(side, bounds.min_side), bounds.max_side) for side in nearest]
    is_shape_kept = sides == nearest
    while sides[0] * sides[1] > max_pixels and max(sides) > bounds.min_side:
        sides[sides.index(max(sides))] -= multiple
    return sides[0], sides[1], is_shape_kept
