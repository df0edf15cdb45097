"""Training examples of the stage `things`: negative prompts that remove one of two things, or a place.

Other examples keep the effect of the negative prompts of earlier stages.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Final, NamedTuple

from recipes.pocket import world
from recipes.pocket.drawing import scenes
from recipes.pocket.drawing.scenes import Group, Scene
from recipes.pocket.examples import place_removal
from recipes.pocket.examples.batches import EMPTY_SHARE
from recipes.pocket.examples.captions import caption, with_article
from recipes.pocket.examples.color_removal import IDLE_WORDS, ColorRemover

_PAIR_SHARE: Final = 0.45
"""Share of the examples that remove one of two things."""

_PLACE_SHARE: Final = 0.1
"""Share of the examples that remove a place. All others keep the effect of earlier negative prompts."""

_PAPER_SHARE: Final = 0.7
"""Share of the pairs on white paper."""

_COLORED_SHARE: Final = 0.3
"""Share of the things in a pair with a color other than their own."""

_NAMES_SHARE: Final = 0.3
"""Share of the earlier negative prompts that come from the stage `names`; the rest come from `negatives`."""

_BARE_NAME_SHARE: Final = 0.35
"""Share of the captions of one plain thing that are its bare name. Such a name is a negative prompt as well."""

_IDLE_SHARE: Final = 0.2
"""Share of the negative prompts with idle words beside the name."""

_NEVER_PROMPTS: Final = frozenset((*world.COLORS, *IDLE_WORDS))
"""Negative prompts that nobody uses as prompts. They may lose all effect where they name nothing in the picture."""


class ObjectCaptions(NamedTuple):
    """Texts of one example.

    Attributes:
        drawn: caption of the picture; may be empty.
        negative: the negative prompt.
        full: caption of the scene with the concept of the negative prompt. Empty if there is nothing to remove. The
            negative prompt itself if its effect must stay.
        edited: caption of the scene without the concept; empty if `full` is no caption.
    """

    drawn: str
    negative: str
    full: str
    edited: str


@dataclass(frozen=True)
class ObjectRemover:
    """Makes the examples of the stage `things`. `colors` makes those of the stage `negatives`."""

    colors: ColorRemover

    def make_example(self, scene: Scene, rng: Random) -> tuple[Scene, ObjectCaptions]:
        """The scene to draw, and its captions.

        The picture shows the full scene or the edited one, each in half the examples: guidance passes through both.
        """
        kind = rng.random()
        if kind >= _PAIR_SHARE + _PLACE_SHARE:
            return self._earlier_example(scene, rng)
        full, edited, name = _pair(rng) if kind < _PAIR_SHARE else _place(rng)
        # The same seed gives both captions the same wording, so that they differ in little but the name.
        wording = rng.random()
        texts = [caption(each, Random(wording)) for each in (full, edited)]
        drawn = rng.choice((full, edited))
        return drawn, ObjectCaptions(_drawn_caption(drawn, rng), _with_idle_words(name, rng), texts[0], texts[1])

    def _earlier_example(self, scene: Scene, rng: Random) -> tuple[Scene, ObjectCaptions]:
        """An example with a negative prompt of an earlier stage."""
        if rng.random() < _NAMES_SHARE:
            drawn, earlier = place_removal.make_example(scene, rng)
            if earlier.full == earlier.edited or earlier.name not in world.PLACES:
                return drawn, ObjectCaptions(_drawn_caption(drawn, rng), earlier.negative, earlier.negative, "")
        drawn, (full, edited, negative, _) = self.colors.make_example(scene, rng)
        loses_effect = full == edited and negative in _NEVER_PROMPTS
        return drawn, ObjectCaptions(_drawn_caption(drawn, rng), negative, "" if loses_effect else negative, "")


def _pair(rng: Random) -> tuple[Scene, Scene, str]:
    """A scene of two things, the same with one of them removed, and the removed thing's name."""
    place, background = None, "white"
    if rng.random() > _PAPER_SHARE:
        place = rng.choice((None, *world.PLACES))
        background = "white" if place else rng.choice(tuple(world.COLORS))
    groups = _groups(rng, place, background)
    relation = rng.choices(tuple(world.RELATIONS), (4, 3, 2, 2))[0]
    pasted = scenes.arrange(rng, groups, relation, None, on_ground=place is not None)
    full = Scene(groups=groups, pasted=pasted, relation=relation, place=place, background=background)
    # The caption names the remaining thing's side. Without it the thing would stand in the middle, so that the negative
    # prompt would have to move it.
    kept = rng.randrange(2)
    side = world.RELATION_SIDES[relation][kept]
    edited = replace(full, groups=groups[kept : kept + 1], pasted=pasted[kept : kept + 1], relation="", side=side)
    removed = world.THINGS[scenes.thing_number(groups[1 - kept].thing)]
    name = removed.name if rng.random() < 0.8 else rng.choice((with_article(removed.name), removed.many))
    return full, edited, name


def _groups(rng: Random, place: str | None, background: str) -> tuple[Group, ...]:
    """Two different things in a place, or on a background of this color."""
    colors = [color for color in world.COLORS if place or color != background]
    while True:
        groups = tuple(
            Group(
                thing=thing.name, color=rng.choice(colors) if thing.colors and rng.random() < _COLORED_SHARE else None
            )
            for thing in rng.sample(world.THINGS, 2)
        )
        if not any(scenes.is_held_out(group, place) for group in groups):
            return groups


def _place(rng: Random) -> tuple[Scene, Scene, str]:
    """A scene in a place, the same on white paper, and the place's name or phrase; dark places come most often."""
    name = rng.choice((*world.PLACES, *("sea", "space") * 2))
    scene = scenes.sample_scene(rng, scenes.LEVELS - 1)
    while scene.place != name:
        scene = scenes.sample_scene(rng, scenes.LEVELS - 1)
    full = replace(scene, time="day", weather="none")
    edited = replace(full, place=None, background="white")
    return full, edited, name if rng.random() < 0.75 else world.PLACES[name]


def _with_idle_words(name: str, rng: Random) -> str:
    """A name, sometimes among idle words."""
    if rng.random() > _IDLE_SHARE:
        return name
    words = [name, *rng.sample(IDLE_WORDS, rng.choice((1, 2)))]
    return ", ".join(rng.sample(words, len(words)))


def _drawn_caption(scene: Scene, rng: Random) -> str:
    """A caption of the picture: sometimes empty as in the stage `unet`, often the bare name of one plain thing."""
    if rng.random() < EMPTY_SHARE:
        return ""
    group = scene.groups[0]
    is_plain = replace(scene, pasted=(), variant=0) == Scene(groups=(Group(thing=group.thing),), pasted=())
    return group.thing if is_plain and rng.random() < _BARE_NAME_SHARE else caption(scene, rng)
