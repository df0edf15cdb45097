"""Training examples of the stage `negatives`: negative prompts that remove a color, a time, weather or a style."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType
from typing import Any, Final, NamedTuple

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
"""Replacements of each color, the preferred one first. Held-out colors and the background's color are skipped."""

_OWN_COLOR_SHARE: Final = 0.3
"""Least share of a thing's pixels in a color of its own."""

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
"""Words of usual negative prompts that remove nothing from a scene."""

_COLORLESS_STYLES: Final = ("black and white", "pencil sketch")
_SINGLE_SHARE: Final = 0.6
"""Share of the scenes with one thing in the middle."""

_PRESENT_SHARE: Final = 0.64
"""Share of the negative prompts that name something in the scene."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A negative prompt, and the scene without its concept."""

    words: str
    scene: Scene


class ColorCaptions(NamedTuple):
    """Texts of one example.

    Attributes:
        full: caption of the whole scene.
        edited: caption of the scene without the concept of the negative prompt.
        negative: the negative prompt.
        unrelated: any other prompt; its states must stay as they are.
    """

    full: str
    edited: str
    negative: str
    unrelated: str


def own_colors(painter: Painter) -> dict[str, tuple[str, ...]]:
    """The main colors of each thing's drawing: at least one, the most frequent first."""
    found: dict[str, tuple[str, ...]] = {}
    for thing in world.THINGS:
        sprite = painter.sprites[1 + scenes.thing_number(thing.name) * (1 + len(world.COLORS))]
        shares = measure.color_shares(sprite[:3, sprite[3] > 128].T.cpu().numpy())
        found[thing.name] = (
            tuple(color for color, share in shares.items() if share >= _OWN_COLOR_SHARE) or tuple(shares)[:1]
        )
    return found


@dataclass(frozen=True)
class ColorRemover:
    """Makes the examples of the stage `negatives`. `own` comes from `own_colors`."""

    own: Mapping[str, tuple[str, ...]]

    def make_example(self, scene: Scene, rng: Random) -> tuple[Scene, ColorCaptions]:
        """The scene to draw, and its captions.

        The picture shows the full scene or the edited one, each in half the examples: guidance passes through both.
        A single thing replaces the given scene in most examples, since most prompts ask for one.
        """
        if rng.random() < _SINGLE_SHARE:
            scene = scenes.sample_scene(rng, 0 if rng.random() < 0.8 else 1)
        edited, named = scene, list[str]()
        edits = [*self.edits(scene, rng)]
        if edits and rng.random() < _PRESENT_SHARE:
            looks = [edit for edit in edits if edit.words not in world.COLORS]
            edit = rng.choice(looks if looks and rng.random() < 0.8 else edits)
            edited, named = edit.scene, [edit.words]
        if not named or rng.random() < 0.1:
            named.insert(rng.randrange(len(named) + 1), rng.choice(self.absent_words(scene, rng)))
        negative = (", " if rng.random() < 0.8 else " ").join(named)
        # The same seed gives both captions the same wording, so that they differ in nothing but the concept.
        wording = rng.random()
        texts = [caption(each, Random(wording)) for each in (scene, edited)]
        return rng.choice((scene, edited)), ColorCaptions(texts[0], texts[1], negative, unrelated_prompt(rng))

    def edits(self, scene: Scene, rng: Random) -> Iterator[Edit]:
        """Edits of a scene: of the color of its paper, of each of its looks, and of each color of its things."""
        paper = "" if scene.place else scene.background
        if paper not in {"", "white"}:
            yield Edit(words=f"{paper} background", scene=replace(scene, background="white"))
        yield from _look_edits(scene, rng)
        if scene.style not in _COLORLESS_STYLES:
            colors = {color for group in scene.groups for color in self._colors(group)} - {paper}
            for color in sorted(colors):
                yield Edit(words=color, scene=self._recolored(scene, color))

    def absent_words(self, scene: Scene, rng: Random) -> tuple[str, ...]:
        """Words of one random kind that name nothing in the scene."""
        seen = {color for group in scene.groups for color in (group.color, *self.own[group.thing])}
        grays = ("black", "gray", "white") if scene.style in _COLORLESS_STYLES else ()
        colors = tuple(color for color in world.COLORS if color not in {*seen, *grays, scene.background})
        snow = ("snow", "snowfall") if scene.place == "snow" else ()
        times = tuple(time for time in world.TIMES if time not in {"day", scene.time})
        weathers = tuple(name for name in world.WEATHERS if name not in {"none", scene.weather, *snow})
        styles = tuple(name for name in world.STYLES if name not in {"flat", scene.style})
        return rng.choice([kind for kind in (*[colors] * 6, times, weathers, styles, IDLE_WORDS) if kind])

    def _colors(self, group: Group) -> tuple[str, ...]:
        """The colors that a negative prompt can remove from a group."""
        if not world.THINGS[scenes.thing_number(group.thing)].colors:
            return ()
        return (group.color,) if group.color else self.own[group.thing]

    def _recolored(self, scene: Scene, color: str) -> Scene:
        """The scene with this color replaced on every thing."""
        paper = None if scene.place else scene.background
        groups = tuple(
            replace(group, color=self._other(group, color, paper)) if color in self._colors(group) else group
            for group in scene.groups
        )
        colors = [group.color for group in groups for _ in range(group.number)]
        pasted = tuple(replace(one, color=new) for one, new in zip(scene.pasted, colors, strict=True))
        return replace(scene, groups=groups, pasted=pasted)

    def _other(self, group: Group, color: str, paper: str | None) -> str | None:
        """The color that replaces `color`: None (the thing's own) where the thing was recolored, else another one."""
        own = self.own[group.thing]
        if color not in own:
            return None
        others = [other for other in REPLACEMENT_COLORS[color] if other not in {paper, *own}] or REPLACEMENT_COLORS[
            color
        ]
        return next((other for other in others if not world.is_held_out(group.thing, other)), others[0])


def _look_edits(scene: Scene, rng: Random) -> Iterator[Edit]:
    """Edits of time, weather and style, where the scene has an unusual one."""
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
    """A place alone, a thing alone, or a caption among idle words: prompts that must keep their meaning."""
    kind = rng.random()
    if kind < 0.25:
        place = rng.choice(list(world.PLACES))
        return rng.choice((place, f"a {place}", world.PLACES[place]))
    if kind < 0.45:
        thing = rng.choice(world.THINGS)
        return rng.choice((thing.name, with_article(thing.name), thing.many))
    terse = caption(scenes.sample_scene(rng, rng.randrange(scenes.LEVELS)), rng)
    return " ".join(word for word, _ in add_idle_words(split_words(terse), rng))
