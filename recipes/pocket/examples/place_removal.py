"""Training examples of the stage `names`: negative prompts that remove a place or a time of day."""

from dataclasses import replace
from random import Random
from typing import Final, NamedTuple

from recipes.pocket import world
from recipes.pocket.drawing import scenes
from recipes.pocket.drawing.scenes import Scene
from recipes.pocket.examples.captions import caption
from recipes.pocket.examples.color_removal import IDLE_WORDS, unrelated_prompt

_PLACES: Final = tuple(place for place in world.PLACES if place not in {"sea", "space"})
_TIMES: Final = tuple(time for time in world.TIMES if time != "day")
NAMES: Final = (*_PLACES, *_TIMES)
"""Names that remove their place or time as a negative prompt.

The darkest places are left out: learnt states removed them in part only, and bleached pictures without them.
"""

_PLACES_SHARE: Final = 0.7
"""Share of the examples that name a place; the others name a time."""

_PLACE_PRESENT_SHARE: Final = 0.8
_TIME_PRESENT_SHARE: Final = 0.75
"""Share of the examples whose scene has the named place or time.

In strong noise the network cannot see it, so it learns the mean over all examples. With a lower share a place stays;
with a higher share a time bleaches pictures without it.
"""

_SINGLE_SHARE: Final = 0.6
"""Share of the scenes with one thing alone, as in most prompts."""

_OTHER_PLACE_SHARE: Final = 0.4
"""Share of the scenes without the name that may have another place."""

_EXTRA_SHARE: Final = 0.25
"""Share of the negative prompts with a second name; also the share with words other than names."""

_LOOK_PHRASES: Final = {
    kind: [words for name, phrases in table.items() for words in (name, *phrases) if name not in {"none", "flat"}]
    for kind, table in (("weather", world.WEATHERS), ("style", world.STYLES))
}
"""Names of all weathers and styles, and their phrases in captions."""

_NAME_PHRASES: Final = frozenset((*_PLACES, *(world.PLACES[place] for place in _PLACES)))


class PlaceCaptions(NamedTuple):
    """Texts of one example.

    Attributes:
        full: caption of the scene.
        edited: caption of the scene without the named place or time.
        unrelated: any other prompt; its states must stay as they are.
        negative: the negative prompt.
        rest: the negative prompt without its names; may be empty.
        name: the first name in the negative prompt.
        second_name: another name in the negative prompt, unrelated to the scene; may be empty.
    """

    full: str
    edited: str
    unrelated: str
    negative: str
    rest: str
    name: str
    second_name: str


def make_example(scene: Scene, rng: Random) -> tuple[Scene, PlaceCaptions]:
    """The scene to draw, and its captions.

    The picture shows the full scene or the edited one, each in half the examples: guidance passes through both.
    Another scene replaces the given one where that does not fit the name.
    """
    name = rng.choice(_PLACES if rng.random() < _PLACES_SHARE else _TIMES)
    is_present = rng.random() < (_PLACE_PRESENT_SHARE if name in _PLACES else _TIME_PRESENT_SHARE)
    is_single = rng.random() < _SINGLE_SHARE
    level = scenes.LEVELS - 1 if is_present or rng.random() < _OTHER_PLACE_SHARE else int(rng.random() < 0.3)
    while not _fits(scene, name, is_present=is_present) or (is_single and len(scene.pasted) > 1):
        scene = scenes.sample_scene(rng, level)
    edited = scene
    if is_present and name in _PLACES:
        scene = replace(scene, time="day", weather="none")
        edited = replace(scene, place=None, background="white")
    elif is_present:
        edited = replace(scene, time="day")
    # The same seed gives both captions the same wording, so that they differ in nothing but the name.
    wording = rng.random()
    texts = [caption(each, Random(wording)) for each in (scene, edited)]
    second_name = rng.choice(NAMES) if rng.random() < _EXTRA_SHARE else ""
    rest = _other_words(rng) if rng.random() < _EXTRA_SHARE else ""
    parts = [*filter(None, (rest, _phrase(name, rng), second_name and _phrase(second_name, rng)))]
    rng.shuffle(parts)
    negative = (", " if rng.random() < 0.8 else " ").join(parts)
    drawn = rng.choice((scene, edited))
    return drawn, PlaceCaptions(texts[0], texts[1], _unrelated_prompt(rng), negative, rest, name, second_name)


def _fits(scene: Scene, name: str, *, is_present: bool) -> bool:
    """Whether the scene has the named place or time, or, where it must not, nothing like it."""
    if is_present:
        return name in (scene.place, scene.time)
    return name not in (scene.place, scene.time) and not (name == "snow" and scene.weather == "snowfall")


def _phrase(name: str, rng: Random) -> str:
    """A name, or its phrase in captions."""
    if rng.random() < 0.75:
        return name
    return world.PLACES[name] if name in world.PLACES else rng.choice(world.TIMES[name])


def _other_words(rng: Random) -> str:
    """Usual words of negative prompts, none of them a name."""
    color, idle = rng.choice(tuple(world.COLORS)), ", ".join(rng.sample(IDLE_WORDS, rng.choice((1, 1, 2, 3))))
    weather, style = (rng.choice(_LOOK_PHRASES[kind]) for kind in ("weather", "style"))
    return rng.choice((color, color, f"{color} background", weather, weather, style, style, idle, idle))


def _unrelated_prompt(rng: Random) -> str:
    """A negative prompt without names, or a prompt with a place, a time or a thing as people ask for it."""
    kind, thing, place = rng.random(), rng.choice(world.THINGS).name, rng.choice(tuple(world.PLACES))
    if kind < 0.3:
        return _other_words(rng)
    if kind < 0.4:
        return f"{rng.choice(('a', 'a', 'the'))} {place}"
    if kind < 0.55:
        color, time = rng.choice(("", *world.COLORS)), rng.choice(("", *_TIMES))
        return ", ".join(filter(None, (f"{color} {thing}".strip(), place, time)))
    while (prompt := unrelated_prompt(rng)) in _NAME_PHRASES:
        pass
    return prompt
