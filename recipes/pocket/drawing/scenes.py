"""Random scenes, in levels of difficulty."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType
from typing import Final

from recipes.pocket import world
from recipes.pocket.drawing import places

LEVELS: Final = 4
"""0: single things on white. 1: colors, sizes, sides. 2: numbers, two things, places. 3: time, weather, style."""

MAX_PASTED: Final = 4
_DIRECTIONS: Final[Mapping[str | None, tuple[int, int]]] = MappingProxyType(
    {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}
)
_THING_NUMBER: Final = {thing.name: index for index, thing in enumerate(world.THINGS)}
_COLOR_NAMES: Final = tuple(world.COLORS)


@dataclass(frozen=True, kw_only=True)
class Pasted:
    """A drawing pasted into the picture. Centre and side are fractions of the picture's side; tilt is in radians."""

    thing: str
    color: str | None
    x: float
    y: float
    side: float
    tilt: float = 0.0
    mirrored: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """One to four equal things. The color None is the thing's own."""

    thing: str
    color: str | None = None
    number: int = 1
    size: str = "normal"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The content of a picture. Its background is a place or a color.

    Attributes:
        groups: one group, or two groups with a relation.
        relation: relation of the first group to the second, a key of `world.RELATIONS`.
        side: side of a single thing, a key of `world.SIDES`; None is the middle.
    """

    groups: tuple[Group, ...]
    pasted: tuple[Pasted, ...]
    relation: str = ""
    side: str | None = None
    background: str = "white"
    place: str | None = None
    time: str = "day"
    weather: str = "none"
    style: str = "flat"
    variant: int = 0


def thing_number(name: str) -> int:
    """Index of a thing in the atlas."""
    return _THING_NUMBER[name]


def color_number(name: str | None) -> int:
    """Index of a color in the atlas; 0 is the thing's own color."""
    return 0 if name is None else 1 + _COLOR_NAMES.index(name)


def sample_scene(rng: Random, level: int, *, exact: bool = False) -> Scene:
    """A random scene without held-out combinations.

    Args:
        rng: source of randomness.
        level: level of difficulty, below LEVELS.
        exact: whether scenes of level 0 move, tilt and mirror nothing; that makes the beginning easier.
    """
    while True:
        scene = _any_scene(rng, level, exact=exact and level == 0)
        if not any(is_held_out(group, scene.place) for group in scene.groups):
            return scene


def is_held_out(group: Group, place: str | None) -> bool:
    """Whether training never draws this thing with this color, number or place."""
    others = [word for word in (group.color, place, world.NUMBERS[group.number] if group.number > 1 else None) if word]
    return any(world.is_held_out(group.thing, other) for other in others)


def _any_scene(rng: Random, level: int, *, exact: bool) -> Scene:
    place = rng.choice(tuple(world.PLACES)) if level >= 2 and rng.random() < 0.5 else None
    background = "white" if level == 0 or rng.random() < 0.4 else rng.choice(_COLOR_NAMES)
    kind = rng.choices(("single", "many", "pair"), (5, 3, 2) if level >= 2 else (1, 0, 0))[0]
    first = _group(rng, level, background if place is None else None)
    groups, relation, side = (first,), "", None
    if kind == "many":
        groups = (Group(thing=first.thing, color=first.color, number=rng.choice((2, 3, 4))),)
    elif kind == "pair":
        second = _group(rng, level, background if place is None else None)
        groups = (Group(thing=first.thing, color=first.color), Group(thing=second.thing, color=second.color))
        relation = rng.choices(tuple(world.RELATIONS), (4, 3, 2, 2))[0]
    elif level >= 1 and first.size != "big" and rng.random() < 0.3:
        side = rng.choice(tuple(world.SIDES))
    is_open = place in world.OPEN_PLACES and level >= 3
    style = rng.choices(tuple(world.STYLES), (14, 1, 1, 1, 1))[0] if level >= 3 else "flat"
    return Scene(
        groups=groups,
        pasted=arrange(rng, groups, relation, side, on_ground=place is not None, exact=exact),
        relation=relation,
        side=side,
        background=background,
        place=place,
        time=rng.choices(tuple(world.TIMES), (6, 2, 3))[0] if is_open else "day",
        weather=rng.choices(tuple(world.WEATHERS), (7, 1, 1, 1))[0] if is_open and style == "flat" else "none",
        style=style,
        variant=rng.randrange(places.VARIANTS),
    )


def _group(rng: Random, level: int, background: str | None) -> Group:
    thing = rng.choice(world.THINGS)
    color = None
    if level >= 1 and thing.colors and rng.random() < 0.5:
        color = rng.choice([name for name in _COLOR_NAMES if name != background])
    size = rng.choices(tuple(world.SIZES), (2, 6, 2))[0] if level >= 1 else "normal"
    return Group(thing=thing.name, color=color, size=size)


def arrange(
    rng: Random, groups: tuple[Group, ...], relation: str, side: str | None, *, on_ground: bool, exact: bool = False
) -> tuple[Pasted, ...]:
    """Place each thing of the groups in the picture.

    Args:
        rng: source of small moves, tilts and mirroring.
        groups: see Scene.
        relation: see Scene.
        side: see Scene.
        on_ground: whether a single thing stands lower, as on the ground of a place.
        exact: whether to move, tilt and mirror nothing.
    """
    spots = _pair_spots(relation) if relation else _spots(groups[0], side, rng, on_ground=on_ground)
    names = [group for group in groups for _ in range(group.number)]
    pasted: list[Pasted] = []
    for group, (x, y, size) in zip(names, spots, strict=True):
        wobble = 0.0 if exact else 0.035
        pasted.append(
            Pasted(
                thing=group.thing,
                color=group.color,
                x=x + rng.uniform(-wobble, wobble),
                y=y + rng.uniform(-wobble, wobble),
                side=size * (1.0 if exact else rng.uniform(0.92, 1.08)),
                tilt=0.0 if exact else rng.choice((0.0, rng.uniform(-0.26, 0.26))),
                mirrored=not exact and rng.random() < 0.5,
            )
        )
    return tuple(pasted)


def _pair_spots(relation: str) -> list[tuple[float, float, float]]:
    if relation == "above":
        return [(0.5, 0.26, 0.46), (0.5, 0.75, 0.46)]
    if relation == "below":
        return [(0.5, 0.75, 0.46), (0.5, 0.26, 0.46)]
    return [(0.27, 0.52, 0.47), (0.74, 0.52, 0.47)]


def _spots(group: Group, side: str | None, rng: Random, *, on_ground: bool) -> list[tuple[float, float, float]]:
    """Centre (x, y) and side of each thing in a group."""
    match group.number:
        case 1:
            size = {"small": 0.4, "normal": 0.66, "big": 0.94}[group.size]
            if side is not None:
                size = min(size, 0.5)
            across, down = _DIRECTIONS.get(side, (0, 0))
            reach = 0.5 - size / 2
            lower = 0.08 if on_ground and side is None and group.size != "big" else 0.0
            return [(0.5 + across * reach, 0.5 + lower + down * reach, size)]
        case 2:
            return [(0.27, 0.52, 0.46), (0.73, 0.52, 0.46)]
        case 3:
            if rng.random() < 0.5:
                return [(0.5, 0.28, 0.42), (0.26, 0.72, 0.42), (0.74, 0.72, 0.42)]
            return [(0.18, 0.5, 0.33), (0.5, 0.5, 0.33), (0.82, 0.5, 0.33)]
        case _:
            return [(x, y, 0.42) for y in (0.27, 0.74) for x in (0.27, 0.74)]


def twin(scene: Scene, rng: Random) -> Scene:
    """The same scene with other things."""
    groups = tuple(replace(group, thing=rng.choice(world.THINGS).name) for group in scene.groups)
    names = [group.thing for group in groups for _ in range(group.number)]
    pasted = tuple(replace(one, thing=name) for one, name in zip(scene.pasted, names, strict=True))
    return replace(scene, groups=groups, pasted=pasted)


def affine(pasted: Pasted) -> tuple[float, float, float, float, float, float]:
    """The 2 x 3 matrix, by rows, from coordinates in the picture to those in the drawing; both are in [-1, 1]."""
    cosine, sine = math.cos(pasted.tilt) / pasted.side, math.sin(pasted.tilt) / pasted.side
    flip = -1.0 if pasted.mirrored else 1.0
    x, y = 2 * pasted.x - 1, 2 * pasted.y - 1
    return (
        flip * cosine,
        flip * sine,
        -flip * (cosine * x + sine * y),
        -sine,
        cosine,
        sine * x - cosine * y,
    )  # fmt: skip - a matrix reads by its rows
