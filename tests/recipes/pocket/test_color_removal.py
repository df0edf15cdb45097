"""What a negative prompt takes out of a scene is gone from it, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from recipes.pocket import world
from recipes.pocket.drawing import measure, scenes
from recipes.pocket.drawing.painter import Painter
from recipes.pocket.drawing.scenes import Group, Scene
from recipes.pocket.examples import wordy_captions
from recipes.pocket.examples.batches import BatchPlan, batches
from recipes.pocket.examples.captions import caption
from recipes.pocket.examples.color_removal import ColorRemover
from recipes.pocket.stages import text_encoder
from tests.recipes.pocket.conftest import picture, plain

LOOKS = ("background", "time", "weather", "style")


def lots(count: int) -> Iterator[tuple[Scene, Random]]:
    rng = Random(5)
    for _ in range(count):
        yield scenes.sample_scene(rng, scenes.LEVELS - 1), rng


def said_of(scene: Scene) -> set[str]:
    """Everything that twelve wordings of a scene say."""
    return {word for seed in range(12) for word in wordy_captions.split_words(caption(scene, Random(seed)))} - {","}


def test_the_colors_of_a_drawing_are_found(remover: ColorRemover) -> None:
    assert {remover.own[thing.name] for thing in world.THINGS} == {("red",)}


def test_a_scene_is_drawn_in_the_colors_that_it_says_and_not_in_the_one_that_was_taken(remover: ColorRemover) -> None:
    for scene, rng in lots(300):
        for taken in remover.edits(scene, rng):
            groups, pasted = taken.scene.groups, taken.scene.pasted
            colors = [group.color for group in groups for _ in range(group.number)]
            assert [one.color for one in pasted] == colors
            assert taken.words not in colors
            plain_red = [g for g in groups if not g.color and world.THINGS[scenes.thing_number(g.thing)].colors]
            assert taken.words != "red" or not plain_red


def test_looks_that_were_taken_are_said_no_more(remover: ColorRemover) -> None:
    kinds: set[str] = set()
    for scene, rng in lots(300):
        for taken in remover.edits(scene, rng):
            if taken.words not in world.COLORS:
                kinds |= {key for key in LOOKS if vars(taken.scene)[key] != vars(scene)[key]}
                said = said_of(taken.scene)
                named = set(taken.words.split()) & said_of(scene) - {"a", "an", "the", "in", "on", "at", "it", "and"}
                assert named, taken.words
                assert not named <= said or "black" in named, (taken.words, said)
    assert kinds == {*LOOKS}


def test_a_color_that_was_taken_cannot_be_seen(remover: ColorRemover, painter: Painter) -> None:
    for group, color in ((Group(thing="apple"), "red"), (Group(thing="apple", color="blue"), "blue")):
        scene = plain(group)
        assert measure.color(picture(painter, scene)) == color
        (left,) = {taken.scene for taken in remover.edits(scene, Random(1)) if taken.words == color}
        assert measure.color(picture(painter, left)) != color


def test_words_of_what_is_not_there_name_nothing_that_is(remover: ColorRemover) -> None:
    for scene, rng in lots(400):
        for words in remover.absent_words(scene, rng):
            assert words in {"black and white", "white"} or not set(words.split()) & said_of(scene), words
            assert words != "red" or all(group.color for group in scene.groups)


def test_a_batch_has_four_captions_for_each_picture_wherever_it_is_composed(data: Path, remover: ColorRemover) -> None:
    plan, tokenizer = BatchPlan(size=4, make_example=remover.make_example), text_encoder.load_tokenizer(data)
    (one,) = batches(plan, tokenizer, seed=1, first=3, last=4, workers=0)
    (other,) = batches(plan, tokenizer, seed=1, first=3, last=4, workers=1)
    assert one.tokens.shape == (4, 4, 77)
    assert one.tokens.equal(other.tokens)
    assert one.layout.affines.equal(other.layout.affines)
