"""What a negative prompt takes out of a scene: scenes told once with it and once without it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType
from typing import Any, Final

from recipes.pocket import world
from recipes.pocket.drawing import measure, scenes
from recipes.pocket.drawing.painter import Painter
from recipes.pocket.drawing.scenes import Group, Scene
from recipes.pocket.examples.captions import caption, with_article
from recipes.pocket.examples.wordy_captions import add_idle_words, split_words

REPLACEMENT_COLORS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "red": ("green", "blue", "yellow"),
        "orange": ("blue", "green", "purple"),
        "yellow": ("green", "blue", "red"),
        "green": ("orange", "red", "purple"),
        "turquoise": ("pink", "orange", "yellow"),
        "blue": ("red", "yellow", "orange"),
        "purple": ("yellow", "green", "orange"),
        "pink": ("turquoise", "blue", "green"),
        "brown": ("gray", "blue", "green"),
        "black": ("red", "blue", "green"),
        "gray": ("brown", "red", "blue"),
        "white": ("black", "blue", "red"),
    }
)
"""What comes for a thing's own color: the first that is not held out with it and that is not the background's."""

_MUCH: Final = 0.3
"""Part of a thing's pixels from which on a color is one of its own."""

IDLE_WORDS: Final = (
    "ugly",
    "blurry",
    "bad quality",
    "lowres",
    "people",
    "text",
    "watermark",
    "deformed",
    "low quality",
)
_COLORLESS: Final = ("black and white", "pencil sketch")
_SINGLE: Final = 0.6
"""Part of the scenes that are single things in the middle."""

_PRESENT: Final = 0.64
"""Part of the negative prompts that name something that is there."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A negative prompt, and the scene that it leaves."""

    words: str
    scene: Scene


def own_colors(painter: Painter) -> dict[str, tuple[str, ...]]:
    """The colors of which a thing's own drawing holds much, at least one, the most frequent first."""
    found: dict[str, tuple[str, ...]] = {}
    for thing in world.THINGS:
        sprite = painter.sprites[1 + scenes.thing_number(thing.name) * (1 + len(world.COLORS))]
        shares = measure.color_shares(sprite[:3, sprite[3] > 128].T.cpu().numpy())
        found[thing.name] = tuple(color for color, share in shares.items() if share >= _MUCH) or tuple(shares)[:1]
    return found


@dataclass(frozen=True)
class ColorRemover:
    """Tells scenes for the stage `negatives`. Its colors are those of `own_colors`."""

    own: Mapping[str, tuple[str, ...]]

    def make_example(self, scene: Scene, rng: Random) -> tuple[Scene, tuple[str, str, str, str]]:
        """What is drawn, and four captions.

        They are: of a scene; of what the negative prompt leaves of it; the negative prompt; and of anything else, to
        be kept as it is. Half the pictures show what is left, since guidance comes near it. Most scenes are single
        things in the middle, as in prompts; the rest is the scene that was given.
        """
        if rng.random() < _SINGLE:
            scene = scenes.sample_scene(rng, 0 if rng.random() < 0.8 else 1)
        left, said = scene, list[str]()
        found = [*self.edits(scene, rng)]
        if found and rng.random() < _PRESENT:
            looks = [one for one in found if one.words not in world.COLORS]
            one = rng.choice(looks if looks and rng.random() < 0.8 else found)
            left, said = one.scene, [one.words]
        if not said or rng.random() < 0.1:
            said.insert(rng.randrange(len(said) + 1), rng.choice(self.absent_words(scene, rng)))
        negative = (", " if rng.random() < 0.8 else " ").join(said)
        # One wording for both, so that nothing else tells them apart.
        wording = rng.random()
        whole, rest = (caption(one, Random(wording)) for one in (scene, left))
        return rng.choice((scene, left)), (whole, rest, negative, unrelated_prompt(rng))

    def edits(self, scene: Scene, rng: Random) -> Iterator[Edit]:
        """Edits of a scene: of the color of its paper, of each of its looks, and of each color of its things."""
        paper = "" if scene.place else scene.background
        if paper not in {"", "white"}:
            yield Edit(words=f"{paper} background", scene=replace(scene, background="white"))
        yield from _looks_to_take(scene, rng)
        if scene.style not in _COLORLESS:
            colors = {color for group in scene.groups for color in self._colors(group)} - {paper}
            for color in sorted(colors):
                yield Edit(words=color, scene=self._recolored(scene, color))

    def absent_words(self, scene: Scene, rng: Random) -> tuple[str, ...]:
        """Words of one kind, by chance, of which the scene holds nothing."""
        seen = {color for group in scene.groups for color in (group.color, *self.own[group.thing])}
        grays = ("black", "gray", "white") if scene.style in _COLORLESS else ()
        colors = tuple(color for color in world.COLORS if color not in {*seen, *grays, scene.background})
        snow = ("snow", "snowfall") if scene.place == "snow" else ()
        times = tuple(time for time in world.TIMES if time not in {"day", scene.time})
        weathers = tuple(name for name in world.WEATHERS if name not in {"none", scene.weather, *snow})
        styles = tuple(name for name in world.STYLES if name not in {"flat", scene.style})
        return rng.choice([kind for kind in (*[colors] * 6, times, weathers, styles, IDLE_WORDS) if kind])

    def _colors(self, group: Group) -> tuple[str, ...]:
        """The colors that a negative prompt can take from a group."""
        if not world.THINGS[scenes.thing_number(group.thing)].colors:
            return ()
        return (group.color,) if group.color else self.own[group.thing]

    def _recolored(self, scene: Scene, color: str) -> Scene:
        """The scene with another color for each thing that has this one."""
        paper = None if scene.place else scene.background
        groups = tuple(
            replace(group, color=self._other(group, color, paper)) if color in self._colors(group) else group
            for group in scene.groups
        )
        colors = [group.color for group in groups for _ in range(group.number)]
        pasted = tuple(replace(one, color=new) for one, new in zip(scene.pasted, colors, strict=True))
        return replace(scene, groups=groups, pasted=pasted)

    def _other(self, group: Group, color: str, paper: str | None) -> str | None:
        """A thing's own color (None) instead of one that it was given, and another instead of its own."""
        own = self.own[group.thing]
        if color not in own:
            return None
        others = [other for other in REPLACEMENT_COLORS[color] if other not in {paper, *own}] or REPLACEMENT_COLORS[
            color
        ]
        return next((other for other in others if not world.is_held_out(group.thing, other)), others[0])


def _looks_to_take(scene: Scene, rng: Random) -> Iterator[Edit]:
    """Time, weather and style, where they are not as usual."""
    looks: tuple[tuple[str, str, Mapping[str, tuple[str, ...]]], ...] = (
        ("time", "day", world.TIMES),
        ("weather", "none", world.WEATHERS),
        ("style", "flat", world.STYLES),
    )
    for field, usual, phrases in looks:
        name = getattr(scene, field)
        if name != usual:
            change: dict[str, Any] = {field: usual}
            yield Edit(words=rng.choice((name, *phrases[name])), scene=replace(scene, **change))


def unrelated_prompt(rng: Random) -> str:
    """A place or a thing alone, which people draw rather than avoid, or a caption among idle words."""
    kind = rng.random()
    if kind < 0.25:
        place = rng.choice(list(world.PLACES))
        return rng.choice((place, f"a {place}", world.PLACES[place]))
    if kind < 0.45:
        thing = rng.choice(world.THINGS)
        return rng.choice((thing.name, with_article(thing.name), thing.many))
    said = caption(scenes.sample_scene(rng, rng.randrange(scenes.LEVELS)), rng)
    return " ".join(word for word, _ in add_idle_words(split_words(said), rng))
