"""Scenes told for the stage `things`: with what a negative prompt names and without it, and some to be left alone."""

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from recipes.pocket import world
from recipes.pocket.drawing import scenes
from recipes.pocket.drawing.scenes import Group, Scene
from recipes.pocket.examples import place_removal
from recipes.pocket.examples.batches import EMPTY_SHARE
from recipes.pocket.examples.captions import caption, with_article
from recipes.pocket.examples.color_removal import IDLE_WORDS, ColorRemover

_PAIRS: Final = 0.45
_PLACES: Final = 0.1
"""Part of the rows that take one of two things away, and a place; the others keep what other negative prompts do."""

_PLAIN: Final = 0.7
"""Part of the pairs that lie on white paper."""

_COLORED: Final = 0.3
"""Part of their things that come in another color than their own, if they can."""

_NAMES: Final = 0.3
"""Part of the other negative prompts that are those of the stage `names`; the rest are those of `negatives`."""

_BARE: Final = 0.35
"""Part of the captions of a thing alone that are its name alone, which is a negative prompt, too."""

_AMONG: Final = 0.2
"""Part of the negative prompts that say something idle beside what they name."""

_QUIET: Final = frozenset((*world.COLORS, *IDLE_WORDS))
"""Negative prompts that are no prompts, so that they can leave alone what has nothing of them."""

Captions = tuple[str, str, str, str]


@dataclass(frozen=True)
class ObjectRemover:
    """Tells scenes for the stage `things`. The taker is that of the stage `negatives`."""

    colors: ColorRemover

    def make_example(self, scene: Scene, rng: Random) -> tuple[Scene, Captions]:
        """What is drawn, and four captions.

        They are: what is drawn; a negative prompt; and two that say what it takes away, once with it and once without.
        The two are empty where nothing is to be taken, and the first is the negative prompt itself where that is to
        work as it did. Half the pictures show what is left, since guidance comes near it.
        """
        kind = rng.random()
        if kind >= _PAIRS + _PLACES:
            return self._other(scene, rng)
        whole, left, name = _pair(rng) if kind < _PAIRS else _place(rng)
        # One wording for both as far as it goes, so that little else tells them apart.
        wording = rng.random()
        told = [caption(one, Random(wording)) for one in (whole, left)]
        drawn = rng.choice((whole, left))
        return drawn, (_said(drawn, rng), _among(name, rng), told[0], told[1])

    def _other(self, scene: Scene, rng: Random) -> tuple[Scene, Captions]:
        """A negative prompt of an earlier stage, which works as it did, or leaves alone what has nothing of it."""
        if rng.random() < _NAMES:
            drawn, (whole, left, _, negative, _, name, _) = place_removal.make_example(scene, rng)
            if whole == left or name not in world.PLACES:
                return drawn, (_said(drawn, rng), negative, negative, "")
        drawn, (whole, left, negative, _) = self.colors.make_example(scene, rng)
        is_quiet = whole == left and negative in _QUIET
        return drawn, (_said(drawn, rng), negative, "" if is_quiet else negative, "")


def _pair(rng: Random) -> tuple[Scene, Scene, str]:
    """Two things, one of them where it stands, and the name of the other."""
    place, background = None, "white"
    if rng.random() > _PLAIN:
        place = rng.choice((None, *world.PLACES))
        background = "white" if place else rng.choice(tuple(world.COLORS))
    groups = _groups(rng, place, background)
    relation = rng.choices(tuple(world.RELATIONS), (4, 3, 2, 2))[0]
    pasted = scenes.arrange(rng, groups, relation, None, on_ground=place is not None)
    whole = Scene(groups=groups, pasted=pasted, relation=relation, place=place, background=background)
    # Told without its side, what is left would stand in the middle, and the name of the other would have to move it.
    kept = rng.randrange(2)
    side = world.RELATION_SIDES[relation][kept]
    left = replace(whole, groups=groups[kept : kept + 1], pasted=pasted[kept : kept + 1], relation="", side=side)
    gone = world.THINGS[scenes.thing_number(groups[1 - kept].thing)]
    name = gone.name if rng.random() < 0.8 else rng.choice((with_article(gone.name), gone.many))
    return whole, left, name


def _groups(rng: Random, place: str | None, background: str) -> tuple[Group, ...]:
    """Two different things in a place or on paper of this color."""
    colors = [color for color in world.COLORS if place or color != background]
    while True:
        groups = tuple(
            Group(thing=thing.name, color=rng.choice(colors) if thing.colors and rng.random() < _COLORED else None)
            for thing in rng.sample(world.THINGS, 2)
        )
        if not any(scenes.is_held_out(group, place) for group in groups):
            return groups


def _place(rng: Random) -> tuple[Scene, Scene, str]:
    """A scene in a place, the same on paper, and the place as it is said; the darkest come most often."""
    name = rng.choice((*world.PLACES, *("sea", "space") * 2))
    scene = scenes.sample_scene(rng, scenes.LEVELS - 1)
    while scene.place != name:
        scene = scenes.sample_scene(rng, scenes.LEVELS - 1)
    whole = replace(scene, time="day", weather="none")
    left = replace(whole, place=None, background="white")
    return whole, left, name if rng.random() < 0.75 else world.PLACES[name]


def _among(name: str, rng: Random) -> str:
    """A name, now and then among something idle."""
    if rng.random() > _AMONG:
        return name
    words = [name, *rng.sample(IDLE_WORDS, rng.choice((1, 2)))]
    return ", ".join(rng.sample(words, len(words)))


def _said(scene: Scene, rng: Random) -> str:
    """A caption, of a thing alone often its name alone; now and then empty, as in the stage `unet`."""
    if rng.random() < EMPTY_SHARE:
        return ""
    group = scene.groups[0]
    is_plain = replace(scene, pasted=(), variant=0) == Scene(groups=(Group(thing=group.thing),), pasted=())
    return group.thing if is_plain and rng.random() < _BARE else caption(scene, rng)
