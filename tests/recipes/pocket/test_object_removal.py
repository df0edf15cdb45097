"""Examples remove one of two things or a place, which the negative prompt names."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from recipes.pocket import world
from recipes.pocket.drawing import measure, scenes
from recipes.pocket.drawing.painter import Painter
from recipes.pocket.drawing.scenes import Scene
from recipes.pocket.examples.captions import with_article
from recipes.pocket.examples.color_removal import IDLE_WORDS, ColorRemover
from recipes.pocket.examples.object_removal import ObjectCaptions, ObjectRemover
from tests.recipes.pocket.conftest import picture

SIDES = {"on the left": (slice(None), slice(0, 28)), "on the right": (slice(None), slice(36, 64))}


@pytest.fixture(scope="module")
def examples(remover: ColorRemover) -> list[tuple[Scene, ObjectCaptions]]:
    rng, objects = Random(5), ObjectRemover(remover)
    return [objects.make_example(scenes.sample_scene(rng, rng.randrange(scenes.LEVELS)), rng) for _ in range(1500)]


def removals(examples: list[tuple[Scene, ObjectCaptions]]) -> Iterator[tuple[Scene, ObjectCaptions]]:
    """The examples that remove something."""
    return ((scene, captions) for scene, captions in examples if captions[3])


def named(negative: str) -> world.Thing:
    """The thing in a negative prompt, which may also have idle words."""
    (found,) = [
        thing for thing in world.THINGS if {thing.name, thing.many, with_article(thing.name)} & {*negative.split(", ")}
    ]
    return found


def test_of_two_things_the_one_that_is_not_named_is_left_and_its_side_is_said(
    examples: list[tuple[Scene, ObjectCaptions]],
) -> None:
    sides: set[str] = set()
    for _, (_, negative, full, edited) in removals(examples):
        side = next((side for side in world.SIDES.values() if side in edited and side not in full), "")
        if side:
            sides.add(side)
            thing = named(negative)
            assert any(name in full for name in (thing.name, *thing.also)), (negative, full)
            assert f" {thing.name} " not in f" {edited.replace(',', '')} ", (negative, edited)
    assert sides == {*world.SIDES.values()}


def test_what_is_left_is_drawn_where_it_is_said_to_stand(
    examples: list[tuple[Scene, ObjectCaptions]], painter: Painter
) -> None:
    seen = 0
    for scene, (_, _, _, edited) in removals(examples):
        if scene.side in {"left", "right"} and not scene.place and seen < 20:
            seen += 1
            ((rows, columns),) = (where for side, where in SIDES.items() if side in edited)
            mask = measure.thing_mask(picture(painter, scene))
            assert mask[rows, columns].sum() > mask.sum() / 2
    assert seen == 20


def test_every_place_is_removed_and_its_caption_omits_it(examples: list[tuple[Scene, ObjectCaptions]]) -> None:
    removed: set[str] = set()
    for scene, (_, negative, full, edited) in removals(examples):
        for place, phrase in world.PLACES.items():
            if phrase in full and phrase not in edited:
                removed.add(place)
                assert place in negative or phrase in negative
                assert (scene.time, scene.weather) == ("day", "none")
    assert removed == {*world.PLACES}


def test_other_negative_prompts_keep_their_effect_or_have_none(
    examples: list[tuple[Scene, ObjectCaptions]],
) -> None:
    kept = [captions for _, captions in examples if captions[1] == captions[2]]
    quiet = [captions for _, captions in examples if not captions[2]]
    assert kept
    assert {captions[1] for captions in quiet} <= {*world.COLORS, *IDLE_WORDS}
    assert all(captions[1] not in captions[0] for captions in quiet)
    # A bare name of a thing alone stays a prompt.
    assert {thing.name for thing in world.THINGS} & {captions[0] for _, captions in examples}
    assert np.mean([captions[0] == "" for _, captions in examples]) == pytest.approx(0.1, abs=0.03)


def test_nothing_that_is_held_out_is_drawn(examples: list[tuple[Scene, ObjectCaptions]]) -> None:
    assert not any(scenes.is_held_out(group, scene.place) for scene, _ in removals(examples) for group in scene.groups)
