"""Captions of scenes, in many wordings."""

from random import Random
from typing import Final

from recipes.pocket import world
from recipes.pocket.drawing.scenes import Group, Scene

_THINGS: Final = {thing.name: thing for thing in world.THINGS}
_OPENINGS: Final = ("a picture of", "a drawing of", "an emoji of", "a flat drawing of")

_LINKED: Final = ("in ", "on ", "at ", "as ", "under ", "by ", "while ")
"""Beginnings of details without a comma before them."""


def caption(scene: Scene, rng: Random) -> str:
    """A random caption of a scene. Every caption names all unusual features of the scene."""
    subject = f" {scene.relation and world.RELATIONS[scene.relation]} ".join(
        _named(group, rng) for group in scene.groups
    )
    if rng.random() < 0.15:
        subject = f"{rng.choice(_OPENINGS)} {subject}"
    details = [world.SIDES[scene.side]] if scene.side else []
    if scene.place:
        details.append(world.PLACES[scene.place])
        if scene.place in world.OPEN_PLACES:
            details += [rng.choice(world.TIMES[scene.time]), rng.choice(world.WEATHERS[scene.weather])]
    elif scene.background != "white" or rng.random() < 0.3:
        ground = f"{scene.background} background"
        details.append(rng.choice((f"on {with_article(ground)}", ground)))
    details.append(rng.choice(world.STYLES[scene.style]))
    text, comma = subject, rng.random() < 0.3
    for detail in filter(None, details):
        text += f"{',' if comma or not detail.startswith(_LINKED) else ''} {detail}"
    return text


def _named(group: Group, rng: Random) -> str:
    """The name of a group with its number, size and color."""
    thing = _THINGS[group.thing]
    words = [rng.choice(world.SIZES[group.size]), group.color or ""]
    if group.number > 1:
        return " ".join(filter(None, [world.NUMBERS[group.number], *words, thing.many]))
    name = rng.choice(thing.also) if thing.also and rng.random() < 0.25 else thing.name
    noun = " ".join(filter(None, [*words, name]))
    if rng.random() < 0.1:
        return f"one {noun}"
    return noun if rng.random() < 0.2 or thing.many == thing.name else with_article(noun)


def with_article(noun: str) -> str:
    """A noun with `a` or `an`."""
    return f"{'an' if noun[0] in 'aeio' or noun.startswith('um') else 'a'} {noun}"
