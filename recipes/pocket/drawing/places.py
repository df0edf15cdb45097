"""Random drawings of places, behind the things, and of weather, in front of them; all as SVG."""

import io
import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from recipes.pocket import world

SIDE: Final = 64
VARIANTS: Final = 12
"""Number of drawings of each place at each time of day."""

_SKIES: Final = {
    "day": ("#5cb4f0", "#c8ecff"),
    "sunset": ("#7a3f8f", "#ff9a4a"),
    "night": ("#0a1030", "#26356e"),
}
_SHADES: Final = {"day": 1.0, "sunset": 0.75, "night": 0.42}
"""Brightness of the ground."""

_Drawer = Callable[[Random, str], str]


def _shade(color: str, time: str) -> str:
    factor = _SHADES[time]
    parts = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    tint = (1.1, 0.9, 0.85) if time == "sunset" else (0.9, 0.95, 1.25) if time == "night" else (1, 1, 1)
    return "#" + "".join(f"{min(255, int(part * factor * by)):02x}" for part, by in zip(parts, tint, strict=True))


def _sky(time: str) -> str:
    top, bottom = _SKIES[time]
    return (
        f'<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{top}"/>'
        f'<stop offset="0.75" stop-color="{bottom}"/></linearGradient></defs>'
        '<rect width="64" height="64" fill="url(#sky)"/>'
    )


def _lights(rng: Random, time: str) -> str:
    """The sun by day and at sunset; stars and the moon at night."""
    if time == "night":
        stars = "".join(_dot(rng.uniform(0, 64), rng.uniform(0, 30), 0.6, "#ffffff") for _ in range(14))
        return stars + _dot(rng.uniform(8, 56), rng.uniform(6, 14), 4, "#f4f0c8")
    if time == "sunset":
        return _dot(rng.uniform(10, 54), rng.uniform(26, 32), 7, "#ffd23c")
    return _dot(rng.uniform(6, 58), rng.uniform(5, 12), 4.5, "#ffe14a")


def _dot(x: float, y: float, radius: float, color: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{color}"/>'


def _box(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'


def _shape(points: list[tuple[float, float]], color: str) -> str:
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="{color}"/>'


def _hills(rng: Random, height: float, swing: float, color: str) -> str:
    """Ground with a wavy edge, `height` pixels from the top."""
    phase, waves = rng.uniform(0, 6.3), rng.uniform(0.8, 1.8)
    edge = [(x, height + swing * math.sin(phase + waves * x / 10)) for x in range(0, 65, 4)]
    return _shape([(0, 64), *edge, (64, 64)], color)


def _beach(rng: Random, time: str) -> str:
    shore = rng.uniform(40, 46)
    return (
        _box(0, 32, 64, 32, _shade("#2f8fd0", time))
        + _hills(rng, shore, 1.5, _shade("#ffffff", time))
        + _hills(rng, shore + 2, 1.5, _shade("#f2d897", time))
    )


def _forest(rng: Random, time: str) -> str:
    parts = [_box(0, 24, 64, 40, _shade("#1f5c33", time))]
    for x in range(-2, 68, 7):
        at, top = x + rng.uniform(-2, 2), rng.uniform(6, 16)
        parts.append(_box(at - 1, 34, 2, 12, _shade("#5a3a20", time)))
        color = _shade(rng.choice(("#2f7d40", "#276b38", "#3a8f4c")), time)
        parts.append(_shape([(at, top), (at - 6, 38), (at + 6, 38)], color))
    return "".join(parts) + _hills(rng, 44, 1, _shade("#3f7a35", time))


def _desert(rng: Random, time: str) -> str:
    return (
        _hills(rng, 34, 4, _shade("#e0a860", time))
        + _hills(rng, 42, 3, _shade("#edbd76", time))
        + _hills(rng, 52, 2, _shade("#d89c52", time))
    )


def _mountains(rng: Random, time: str) -> str:
    parts: list[str] = []
    for x in (rng.uniform(4, 16), rng.uniform(26, 38), rng.uniform(48, 60)):
        top = rng.uniform(10, 20)
        parts.append(_shape([(x, top), (x - 22, 52), (x + 22, 52)], _shade("#7a8296", time)))
        parts.append(_shape([(x, top), (x - 6, top + 11), (x, top + 8), (x + 6, top + 11)], _shade("#ffffff", time)))
    return "".join(parts) + _hills(rng, 47, 1.5, _shade("#6f9a5a", time))


def _city(rng: Random, time: str) -> str:
    parts: list[str] = []
    x = -2.0
    while x < 64:
        width, top = rng.uniform(8, 13), rng.uniform(8, 28)
        parts.append(_box(x, top, width, 48 - top, _shade(rng.choice(("#8a94a8", "#6d7688", "#a39a92")), time)))
        lit = "#ffe27a" if time != "day" else "#d4ecf8"
        parts += [
            _box(x + column, row, 2, 2, lit)
            for row in range(int(top) + 3, 44, 5)
            for column in range(2, int(width) - 2, 4)
        ]
        x += width + 0.5
    return "".join(parts) + _box(0, 48, 64, 16, _shade("#55585f", time)) + _box(0, 55, 64, 1.5, _shade("#f0f0e0", time))


def _meadow(rng: Random, time: str) -> str:
    flowers = "".join(
        _dot(rng.uniform(0, 64), rng.uniform(42, 63), 1, _shade(rng.choice(("#ffffff", "#ffe14a", "#f27ab0")), time))
        for _ in range(16)
    )
    return _hills(rng, 34, 3, _shade("#8fcf5a", time)) + _hills(rng, 40, 2, _shade("#6cb93f", time)) + flowers


def _snow(rng: Random, time: str) -> str:
    trees = "".join(
        _shape([(x, 22), (x - 4, 36), (x + 4, 36)], _shade("#4a7a6a", time)) for x in rng.sample(range(4, 62, 6), 4)
    )
    return trees + _hills(rng, 35, 3, _shade("#dfeaf6", time)) + _hills(rng, 42, 2, _shade("#f8fcff", time))


def _sea(rng: Random, time: str) -> str:  # noqa: ARG001 - the light of day ends at the surface
    water = _box(0, 0, 64, 64, "#1668a8") + _box(0, 0, 64, 20, "#2a86c4") + _box(0, 0, 64, 8, "#48a4dc")
    weeds = "".join(_box(x, rng.uniform(38, 48), 2, 20, "#2f9a5a") for x in rng.sample(range(2, 62, 4), 5))
    bubbles = "".join(_dot(rng.uniform(2, 62), rng.uniform(4, 44), rng.uniform(0.8, 1.8), "#a8dcf4") for _ in range(9))
    return water + weeds + _hills(rng, 55, 1.5, "#d8c088") + bubbles


def _space(rng: Random, time: str) -> str:  # noqa: ARG001 - it is always night
    stars = "".join(_dot(rng.uniform(0, 64), rng.uniform(0, 64), rng.uniform(0.4, 0.9), "#ffffff") for _ in range(34))
    planet = _dot(
        rng.uniform(6, 58), rng.choice((8, 56)), rng.uniform(4, 8), rng.choice(("#c8743c", "#7a5ac8", "#4a9ab0"))
    )
    return _box(0, 0, 64, 64, "#0c0a24") + stars + planet


def _room(rng: Random, time: str) -> str:  # noqa: ARG001 - its lamp is on
    wall = rng.choice(("#f0e0c0", "#e6d0d0", "#cfe0dc"))
    window = rng.choice((8, 38))
    frame = _box(window, 8, 18, 18, "#ffffff") + _box(window + 1.5, 9.5, 15, 15, "#8cc8f0")
    bars = _box(window + 8.2, 8, 1.6, 18, "#ffffff") + _box(window, 16.2, 18, 1.6, "#ffffff")
    return _box(0, 0, 64, 46, wall) + frame + bars + _box(0, 44, 64, 20, "#a9713f") + _box(0, 44, 64, 2, "#7d5230")


_DRAWERS: Final[dict[str, _Drawer]] = {
    "beach": _beach,
    "forest": _forest,
    "desert": _desert,
    "mountains": _mountains,
    "city": _city,
    "meadow": _meadow,
    "snow": _snow,
    "sea": _sea,
    "space": _space,
    "room": _room,
}


def _rasterized(body: str) -> NDArray[np.uint8]:
    """Render SVG shapes as RGBA [SIDE, SIDE, 4]."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">{body}</svg>'
    image = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE)))
    return np.asarray(image.convert("RGBA"))


def make_atlas(seed: int) -> NDArray[np.uint8]:
    """Draw every place at every time of day.

    Returns:
        RGB [places, times, VARIANTS, SIDE, SIDE, 3].
    """
    rng = Random(seed)
    atlas = np.zeros((len(world.PLACES), len(world.TIMES), VARIANTS, SIDE, SIDE, 3), dtype=np.uint8)
    for place, name in enumerate(world.PLACES):
        for time, time_name in enumerate(world.TIMES):
            for variant in range(VARIANTS):
                sky = _sky(time_name) + _lights(rng, time_name)
                atlas[place, time, variant] = _rasterized(sky + _DRAWERS[name](rng, time_name))[..., :3]
    return atlas


def make_weathers(seed: int) -> NDArray[np.uint8]:
    """Draw the overlays of each weather; those of the first, "none", are empty.

    Returns:
        RGBA [weathers, VARIANTS, SIDE, SIDE, 4], not premultiplied.
    """
    rng = Random(seed)
    drawn = [[_rasterized(body) for body in _weather(name, rng)] for name in world.WEATHERS]
    return np.array(drawn, dtype=np.uint8)


def _weather(name: str, rng: Random) -> Iterator[str]:
    for _ in range(VARIANTS):
        spots = [(rng.uniform(-4, 66), rng.uniform(-4, 66)) for _ in range(34)]
        match name:
            case "rain":
                streak = '<path d="M{:.1f} {:.1f}l-2.5 6" stroke="#cfe4f4" stroke-opacity="0.85" stroke-width="1"/>'
                yield _veil("#5a6a7c", 0.3) + "".join(streak.format(x, y) for x, y in spots)
            case "snowfall":
                yield "".join(_dot(x, y, rng.uniform(0.9, 1.6), "#ffffff") for x, y in spots)
            case "fog":
                yield _veil("#e4e8ec", rng.uniform(0.5, 0.62))
            case _:
                yield ""


def _veil(color: str, opacity: float) -> str:
    return f'<rect width="64" height="64" fill="{color}" fill-opacity="{opacity:.2f}"/>'
