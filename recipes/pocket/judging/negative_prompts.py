"""What a negative prompt takes out of a picture, and what it leaves, on prompts of the evaluation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import numpy as np
from PIL import Image

from recipes.pocket import world
from recipes.pocket.drawing import measure
from recipes.pocket.examples.captions import with_article
from recipes.pocket.examples.place_removal import NAMES
from recipes.pocket.judging.questions import Labeler, Question, draw

_FIRST_SEED: Final = 5

Gone = Callable[[Image.Image, "Case"], bool]
"""Whether a picture is rid of what the case's negative prompt names."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A prompt, what its negative prompt names, and the prompt that says the rest."""

    asked: Question
    rest: str
    thing: str

    def drawn_with(self, negative: str) -> Question:
        """What is drawn with this negative prompt."""
        return replace(self.asked, negative=negative)


def evaluate(pipeline: Any, named: Labeler, most: int) -> dict[str, str]:
    """Draw with and without negative prompts.

    Args:
        pipeline: what is judged.
        named: tells the thing of a picture.
        most: pictures of each kind of negative prompt, at most.

    Returns:
        Lines of the model card: how much of what was named is gone, and how many things are still named right.
    """
    figures: dict[str, str] = {}
    third = max(1, most // 3)
    cases = _own_colors(pipeline, most)
    for name, (found, gone) in {
        "the color that a thing came in": (cases, _has_other_color),
        "the color that was asked for": (_said_colors(most), _has_other_color),
        "the place": (_places(most), _lies_on_paper),
        "one of two things": (_pairs(most), _is_single),
    }.items():
        pictures = draw(pipeline, [case.asked for case in found])
        rid = sum(gone(picture, case) for picture, case in zip(pictures, found, strict=True))
        right = sum(named(picture) == case.thing for picture, case in zip(pictures, found, strict=True))
        figures[f"a negative prompt takes away {name}"] = _told(rid, right, len(found))
    looks = {
        "night": _times("night", third),
        "sunset": _times("sunset", third),
        "a style or the weather": _looks(third),
    }
    for name, found in looks.items():
        figures[f"a negative prompt takes away {name}"] = _closer(pipeline, found)
    idle = ["beach", "ugly, blurry, bad quality", "night", "rain", "pixel art", *world.COLORS]
    for name, words in (("names nothing of the picture", idle), ("names a place or a time that is not there", NAMES)):
        figures[f"a negative prompt that {name} leaves its color"] = _left_alone(pipeline, named, cases, words)
    return figures


def _told(rid: int, right: int, count: int) -> str:
    count = max(1, count)
    return f"{rid / count:.2f} of {count}; {right / count:.2f} of the things named right"


def _colored() -> list[world.Thing]:
    return [thing for thing in world.THINGS if thing.colors]


def _has_other_color(picture: Image.Image, case: Case) -> bool:
    return measure.color(picture) != case.asked.negative


def _lies_on_paper(picture: Image.Image, case: Case) -> bool:
    del case
    return measure.is_on_white(picture)


def _is_single(picture: Image.Image, case: Case) -> bool:
    del case
    return measure.count(picture) == 1


def _own_colors(pipeline: Any, most: int) -> list[Case]:
    """Things as they come, and the color they came in as the negative prompt."""
    things = _colored()[:most]
    plain = [Question(prompt=with_article(thing.name), seed=_FIRST_SEED + seed) for seed, thing in enumerate(things)]
    came = [measure.color(picture) for picture in draw(pipeline, plain)]
    return [
        Case(asked=replace(one, negative=color), rest=one.prompt, thing=thing.name)
        for one, color, thing in zip(plain, came, things, strict=True)
        if color
    ]


def _said_colors(most: int) -> list[Case]:
    colors = [color for color in world.COLORS if color != "white"]
    found: list[Case] = []
    for seed, thing in enumerate(_sample(most)):
        color = colors[seed % len(colors)]
        prompt = with_article(f"{color} {thing.name}")
        found.append(_case(prompt, color, with_article(thing.name), thing, seed))
    return found


def _places(most: int) -> list[Case]:
    names = list(world.PLACES)
    return [
        _case(f"{noun} {world.PLACES[place]}", place, noun, thing, seed)
        for seed, thing in enumerate(_sample(most))
        for noun, place in ((with_article(thing.name), names[seed % len(names)]),)
    ]


def _pairs(most: int) -> list[Case]:
    """Two things, of which the second is named, and in every other prompt the first."""
    things = _sample(most)
    found: list[Case] = []
    for seed, pair in enumerate(zip(things, things[1:] + things[:1], strict=True)):
        prompt = " and ".join(with_article(thing.name) for thing in pair)
        kept, gone = pair if seed % 2 == 0 else reversed(pair)
        found.append(_case(prompt, gone.name, with_article(kept.name), kept, seed))
    return found


def _times(time: str, most: int) -> list[Case]:
    found: list[Case] = []
    for seed, thing in enumerate(_sample(most)):
        rest = f"{with_article(thing.name)} {world.PLACES[world.OPEN_PLACES[seed % len(world.OPEN_PLACES)]]}"
        found.append(_case(f"{rest} {world.TIMES[time][0]}", time, rest, thing, seed))
    return found


def _looks(most: int) -> list[Case]:
    """Styles of things on paper, and weather in open places."""
    styles = [(words[0], "") for name, words in world.STYLES.items() if name != "flat"]
    weathers = [(words[0], " " + world.PLACES["meadow"]) for name, words in world.WEATHERS.items() if name != "none"]
    found: list[Case] = []
    for seed, thing in enumerate(_sample(most)):
        words, place = [*styles, *weathers][seed % (len(styles) + len(weathers))]
        rest = f"{with_article(thing.name)}{place}"
        found.append(_case(f"{rest} {words}" if place else f"{rest}, {words}", words, rest, thing, seed))
    return found


def _sample(most: int) -> list[world.Thing]:
    things = _colored()
    return Random(1).sample(things, min(most, len(things)))


def _case(prompt: str, negative: str, rest: str, thing: world.Thing, seed: int) -> Case:
    return Case(asked=Question(prompt=prompt, negative=negative, seed=seed), rest=rest, thing=thing.name)


def _closer(pipeline: Any, cases: Sequence[Case]) -> str:
    """How many pictures come nearer to the picture without the words than to the one with them, pixel by pixel."""
    drawn, bare = draw(pipeline, [case.asked for case in cases]), [case.drawn_with("") for case in cases]
    whole = draw(pipeline, bare)
    rest = draw(pipeline, [replace(one, prompt=case.rest) for one, case in zip(bare, cases, strict=True)])
    nearer = sum(_apart(a, c) < _apart(a, b) for a, b, c in zip(drawn, whole, rest, strict=True))
    return f"{nearer / max(1, len(cases)):.2f} of {len(cases)} (nearer to the picture without it)"


def _apart(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one).astype(float) - np.asarray(other)).mean())


def _left_alone(pipeline: Any, named: Labeler, cases: Sequence[Case], words: Sequence[str]) -> str:
    """Things drawn as before, with any of these words but their own color as the negative prompt."""
    rng = Random(2)
    asked = [case.drawn_with(rng.choice([word for word in words if word != case.asked.negative])) for case in cases]
    pictures = draw(pipeline, asked)
    same = sum(measure.color(picture) == case.asked.negative for picture, case in zip(pictures, cases, strict=True))
    right = sum(named(picture) == case.thing for picture, case in zip(pictures, cases, strict=True))
    return _told(same, right, len(cases))
