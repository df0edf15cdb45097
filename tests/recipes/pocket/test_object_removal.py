"""One of two things, or a place, is told and drawn with what a negative prompt names and without it."""

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
def told(remover: ColorRemover) -> list[tuple[Scene, ObjectCaptions]]:
    rng, objects = Random(5), ObjectRemover(remover)
    return [objects.make_example(scenes.sample_scene(rng, rng.randrange(scenes.LEVELS)), rng) for _ in range(1500)]


def taken(told: list[tuple[Scene, ObjectCaptions]]) -> Iterator[tuple[Scene, ObjectCaptions]]:
    """The rows in which something goes."""
    return ((scene, captions) for scene, captions in told if captions[3])


def named(negative: str) -> world.Thing:
    """The thing that a negative prompt names, maybe among idle words."""
    (found,) = [
        thing for thing in world.THINGS if {thing.name, thing.many, with_article(thing.name)} & {*negative.split(", ")}
    ]
    return found


def test_of_two_things_the_one_that_is_not_named_is_left_and_its_side_is_said(
    told: list[tuple[Scene, ObjectCaptions]],
) -> None:
    sides: set[str] = set()
    for _, (_, negative, whole, left) in taken(told):
        side = next((side for side in world.SIDES.values() if side in left and side not in whole), "")
        if side:
            sides.add(side)
            thing = named(negative)
            assert any(name in whole for name in (thing.name, *thing.also)), (negative, whole)
            assert f" {thing.name} " not in f" {left.replace(',', '')} ", (negative, left)
    assert sides == {*world.SIDES.values()}


def test_what_is_left_is_drawn_where_it_is_said_to_stand(
    told: list[tuple[Scene, ObjectCaptions]], painter: Painter
) -> None:
    seen = 0
    for scene, (_, _, _, left) in taken(told):
        if scene.side in {"left", "right"} and not scene.place and seen < 20:
            seen += 1
            ((rows, columns),) = (where for side, where in SIDES.items() if side in left)
            mask = measure.thing_mask(picture(painter, scene))
            assert mask[rows, columns].sum() > mask.sum() / 2
    assert seen == 20


def test_every_place_goes_and_is_said_no_more(told: list[tuple[Scene, ObjectCaptions]]) -> None:
    gone: set[str] = set()
    for scene, (_, negative, whole, left) in taken(told):
        for place, phrase in world.PLACES.items():
            if phrase in whole and phrase not in left:
                gone.add(place)
                assert place in negative or phrase in negative
                assert (scene.time, scene.weather) == ("day", "none")
    assert gone == {*world.PLACES}


def test_other_negative_prompts_are_kept_or_leave_alone_what_has_nothing_of_them(
    told: list[tuple[Scene, ObjectCaptions]],
) -> None:
    kept = [captions for _, captions in told if captions[1] == captions[2]]
    quiet = [captions for _, captions in told if not captions[2]]
    assert kept
    assert {captions[1] for captions in quiet} <= {*world.COLORS, *IDLE_WORDS}
    assert all(captions[1] not in captions[0] for captions in quiet)
    # A bare name of a thing alone stays a prompt.
    assert {thing.name for thing in world.THINGS} & {captions[0] for _, captions in told}
    assert np.mean([captions[0] == "" for _, captions in told]) == pytest.approx(0.1, abs=0.03)


def test_nothing_that_is_held_out_is_drawn(told: list[tuple[Scene, ObjectCaptions]]) -> None:
    assert not any(scenes.is_held_out(group, scene.place) for scene, _ in taken(told) for group in scene.groups)
