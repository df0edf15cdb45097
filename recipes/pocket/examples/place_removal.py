"""Scenes told for the stage `names`: once with the place or the time that a negative prompt names, and once without."""

from dataclasses import replace
from random import Random
from typing import Final

from recipes.pocket import world
from recipes.pocket.drawing import scenes
from recipes.pocket.drawing.scenes import Scene
from recipes.pocket.examples.captions import caption
from recipes.pocket.examples.color_removal import IDLE_WORDS, unrelated_prompt

_PLACES: Final = tuple(place for place in world.PLACES if place not in {"sea", "space"})
_TIMES: Final = tuple(time for time in world.TIMES if time != "day")
NAMES: Final = (*_PLACES, *_TIMES)
"""What a negative prompt says to take a place or a time away.

What takes the darkest places away is not enough for them, and too much for pictures without them.
"""

_PLACES_SHARE: Final = 0.7
"""Part of the rows that name a place; the others name a time."""

_PLACE_THERE: Final = 0.8
_TIME_THERE: Final = 0.75
"""Part of the rows in which what is named is there.

Nobody sees in noise whether it is, so that part of the goal is reached there. With less a place stays, and with more
a time bleaches pictures that have nothing of it.
"""

_SINGLE: Final = 0.6
"""Part of the scenes that hold one thing alone, as in most prompts."""

_PLACED: Final = 0.4
"""Part of the scenes without what is named that may have another place."""

_MORE: Final = 0.25
"""Part of the negative prompts that name two things, and that say something else as well."""

_SAID: Final = {
    kind: [words for name, phrases in table.items() for words in (name, *phrases) if name not in {"none", "flat"}]
    for kind, table in (("weather", world.WEATHERS), ("style", world.STYLES))
}
"""A weather or a style, and how captions say it."""

_ALONE: Final = frozenset((*_PLACES, *(world.PLACES[place] for place in _PLACES)))


def make_example(scene: Scene, rng: Random) -> tuple[Scene, tuple[str, str, str, str, str, str, str]]:
    """What is drawn, and seven captions.

    They are: of a scene; of it without what is named; of anything else, to be kept as it is; a negative prompt; it
    without its names; and its names, the second of which may be no words and has nothing to do with the scene. Half
    the pictures show what is left, since guidance comes near it. The scene that was given makes way for another where
    it does not fit the first name.
    """
    name = rng.choice(_PLACES if rng.random() < _PLACES_SHARE else _TIMES)
    is_there = rng.random() < (_PLACE_THERE if name in _PLACES else _TIME_THERE)
    is_single = rng.random() < _SINGLE
    level = scenes.LEVELS - 1 if is_there or rng.random() < _PLACED else int(rng.random() < 0.3)
    while not _fits(scene, name, is_there=is_there) or (is_single and len(scene.pasted) > 1):
        scene = scenes.sample_scene(rng, level)
    left = scene
    if is_there and name in _PLACES:
        scene = replace(scene, time="day", weather="none")
        left = replace(scene, place=None, background="white")
    elif is_there:
        left = replace(scene, time="day")
    # One wording for both, so that nothing else tells them apart.
    wording = rng.random()
    whole, without = (caption(one, Random(wording)) for one in (scene, left))
    second = rng.choice(NAMES) if rng.random() < _MORE else ""
    rest = _no_name(rng) if rng.random() < _MORE else ""
    said = [*filter(None, (rest, _phrase(name, rng), second and _phrase(second, rng)))]
    rng.shuffle(said)
    negative = (", " if rng.random() < 0.8 else " ").join(said)
    return rng.choice((scene, left)), (whole, without, _kept(rng), negative, rest, name, second)


def _fits(scene: Scene, name: str, *, is_there: bool) -> bool:
    """A scene holds what is named, or nothing like it."""
    if is_there:
        return name in (scene.place, scene.time)
    return name not in (scene.place, scene.time) and not (name == "snow" and scene.weather == "snowfall")


def _phrase(name: str, rng: Random) -> str:
    """A name, or how a caption says it."""
    if rng.random() < 0.75:
        return name
    return world.PLACES[name] if name in world.PLACES else rng.choice(world.TIMES[name])


def _no_name(rng: Random) -> str:
    """Something else that people say in a negative prompt."""
    color, idle = rng.choice(tuple(world.COLORS)), ", ".join(rng.sample(IDLE_WORDS, rng.choice((1, 1, 2, 3))))
    weather, style = (rng.choice(_SAID[kind]) for kind in ("weather", "style"))
    return rng.choice((color, color, f"{color} background", weather, weather, style, style, idle, idle))


def _kept(rng: Random) -> str:
    """A negative prompt without names, or a prompt that says a place, a time or a thing as people ask for it."""
    kind, thing, place = rng.random(), rng.choice(world.THINGS).name, rng.choice(tuple(world.PLACES))
    if kind < 0.3:
        return _no_name(rng)
    if kind < 0.4:
        return f"{rng.choice(('a', 'a', 'the'))} {place}"
    if kind < 0.55:
        color, time = rng.choice(("", *world.COLORS)), rng.choice(("", *_TIMES))
        return ", ".join(filter(None, (f"{color} {thing}".strip(), place, time)))
    while (said := unrelated_prompt(rng)) in _ALONE:
        pass
    return said
