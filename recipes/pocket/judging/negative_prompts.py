"""The evaluation of negative prompts: do they remove their concept, and nothing else?"""

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

IsRemoved = Callable[[Image.Image, "Case"], bool]
"""Whether a picture lacks the concept of the case's negative prompt."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A question with a negative prompt, the same prompt without its concept, and the thing in the picture."""

    question: Question
    rest: str
    thing: str

    def with_negative(self, negative: str) -> Question:
        """The question with another negative prompt."""
        return replace(self.question, negative=negative)


def evaluate(pipeline: Any, thing_of: Labeler, most: int) -> dict[str, str]:
    """Draw pictures with and without negative prompts, and judge them.

    Args:
        pipeline: the pipeline to evaluate.
        thing_of: labeler of things.
        most: most pictures of each kind of negative prompt.

    Returns:
        Figures of the model card, by name: the share of pictures without the concept, and the share of pictures with
        the right thing.
    """
    figures: dict[str, str] = {}
    third = max(1, most // 3)
    cases = _own_colors(pipeline, most)
    for name, (found, is_removed) in {
        "the color that a thing came in": (cases, _has_other_color),
        "the color that was asked for": (_prompted_colors(most), _has_other_color),
        "the place": (_places(most), _lies_on_paper),
        "one of two things": (_pairs(most), _is_single),
    }.items():
        pictures = draw(pipeline, [case.question for case in found])
        removed = sum(is_removed(picture, case) for picture, case in zip(pictures, found, strict=True))
        right = sum(thing_of(picture) == case.thing for picture, case in zip(pictures, found, strict=True))
        figures[f"a negative prompt takes away {name}"] = _figure(removed, right, len(found))
    looks = {
        "night": _times("night", third),
        "sunset": _times("sunset", third),
        "a style or the weather": _looks(third),
    }
    for name, found in looks.items():
        figures[f"a negative prompt takes away {name}"] = _nearer_to_rest(pipeline, found)
    idle = ["beach", "ugly, blurry, bad quality", "night", "rain", "pixel art", *world.COLORS]
    for name, words in (("names nothing of the picture", idle), ("names a place or a time that is not there", NAMES)):
        figures[f"a negative prompt that {name} leaves its color"] = _left_alone(pipeline, thing_of, cases, words)
    return figures


def _figure(hits: int, right: int, count: int) -> str:
    count = max(1, count)
    return f"{hits / count:.2f} of {count}; {right / count:.2f} of the things named right"


def _colored() -> list[world.Thing]:
    return [thing for thing in world.THINGS if thing.colors]


def _has_other_color(picture: Image.Image, case: Case) -> bool:
    return measure.color(picture) != case.question.negative


def _lies_on_paper(picture: Image.Image, case: Case) -> bool:
    del case
    return measure.is_on_white(picture)


def _is_single(picture: Image.Image, case: Case) -> bool:
    del case
    return measure.count(picture) == 1


def _own_colors(pipeline: Any, most: int) -> list[Case]:
    """Cases of plain things. The negative prompt is the color that the model gives the thing without one."""
    things = _colored()[:most]
    plain = [Question(prompt=with_article(thing.name), seed=_FIRST_SEED + seed) for seed, thing in enumerate(things)]
    came = [measure.color(picture) for picture in draw(pipeline, plain)]
    return [
        Case(question=replace(one, negative=color), rest=one.prompt, thing=thing.name)
        for one, color, thing in zip(plain, came, things, strict=True)
        if color
    ]


def _prompted_colors(most: int) -> list[Case]:
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
    """Cases of two things. The negative prompt names the second one or, in every other case, the first."""
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
    """Cases of styles, on paper, and of weathers, in open places."""
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
    return Case(question=Question(prompt=prompt, negative=negative, seed=seed), rest=rest, thing=thing.name)


def _nearer_to_rest(pipeline: Any, cases: Sequence[Case]) -> str:
    """The share of pictures that are nearer to the picture of the rest than to the picture of the whole prompt."""
    drawn, bare = draw(pipeline, [case.question for case in cases]), [case.with_negative("") for case in cases]
    full = draw(pipeline, bare)
    rest = draw(pipeline, [replace(one, prompt=case.rest) for one, case in zip(bare, cases, strict=True)])
    nearer = sum(_difference(a, c) < _difference(a, b) for a, b, c in zip(drawn, full, rest, strict=True))
    return f"{nearer / max(1, len(cases)):.2f} of {len(cases)} (nearer to the picture without it)"


def _difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one).astype(float) - np.asarray(other)).mean())


def _left_alone(pipeline: Any, thing_of: Labeler, cases: Sequence[Case], words: Sequence[str]) -> str:
    """The share of things that keep their color. The negative prompt is a random word other than the thing's color."""
    rng = Random(2)
    questions = [
        case.with_negative(rng.choice([word for word in words if word != case.question.negative])) for case in cases
    ]
    pictures = draw(pipeline, questions)
    same = sum(measure.color(picture) == case.question.negative for picture, case in zip(pictures, cases, strict=True))
    right = sum(thing_of(picture) == case.thing for picture, case in zip(pictures, cases, strict=True))
    return _figure(same, right, len(cases))
