"""A negative prompt removes its concept from a scene, and nothing else."""

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


def sampled_scenes(count: int) -> Iterator[tuple[Scene, Random]]:
    rng = Random(5)
    for _ in range(count):
        yield scenes.sample_scene(rng, scenes.LEVELS - 1), rng


def words_in_captions(scene: Scene) -> set[str]:
    """All words in twelve captions of a scene."""
    return {word for seed in range(12) for word in wordy_captions.split_words(caption(scene, Random(seed)))} - {","}


def test_own_colors_of_a_drawing_are_found(remover: ColorRemover) -> None:
    assert {remover.own[thing.name] for thing in world.THINGS} == {("red",)}


def test_an_edited_scene_is_drawn_in_its_own_colors_without_the_removed_one(remover: ColorRemover) -> None:
    for scene, rng in sampled_scenes(300):
        for edit in remover.edits(scene, rng):
            groups, pasted = edit.scene.groups, edit.scene.pasted
            colors = [group.color for group in groups for _ in range(group.number)]
            assert [one.color for one in pasted] == colors
            assert edit.words not in colors
            plain_red = [g for g in groups if not g.color and world.THINGS[scenes.thing_number(g.thing)].colors]
            assert edit.words != "red" or not plain_red


def test_captions_of_an_edited_scene_omit_the_removed_look(remover: ColorRemover) -> None:
    kinds: set[str] = set()
    for scene, rng in sampled_scenes(300):
        for edit in remover.edits(scene, rng):
            if edit.words not in world.COLORS:
                kinds |= {key for key in LOOKS if vars(edit.scene)[key] != vars(scene)[key]}
                words = words_in_captions(edit.scene)
                named = set(edit.words.split()) & words_in_captions(scene) - {
                    "a",
                    "an",
                    "the",
                    "in",
                    "on",
                    "at",
                    "it",
                    "and",
                }
                assert named, edit.words
                assert not named <= words or "black" in named, (edit.words, words)
    assert kinds == {*LOOKS}


def test_a_removed_color_is_not_visible(remover: ColorRemover, painter: Painter) -> None:
    for group, color in ((Group(thing="apple"), "red"), (Group(thing="apple", color="blue"), "blue")):
        scene = plain(group)
        assert measure.color(picture(painter, scene)) == color
        (edited,) = {edit.scene for edit in remover.edits(scene, Random(1)) if edit.words == color}
        assert measure.color(picture(painter, edited)) != color


def test_absent_words_name_nothing_in_the_scene(remover: ColorRemover) -> None:
    for scene, rng in sampled_scenes(400):
        for words in remover.absent_words(scene, rng):
            assert words in {"black and white", "white"} or not set(words.split()) & words_in_captions(scene), words
            assert words != "red" or all(group.color for group in scene.groups)


def test_a_batch_has_four_captions_per_picture_in_any_process(data: Path, remover: ColorRemover) -> None:
    plan, tokenizer = BatchPlan(size=4, make_example=remover.make_example), text_encoder.load_tokenizer(data)
    (one,) = batches(plan, tokenizer, seed=1, first=3, last=4, workers=0)
    (other,) = batches(plan, tokenizer, seed=1, first=3, last=4, workers=1)
    assert one.tokens.shape == (4, 4, 77)
    assert one.tokens.equal(other.tokens)
    assert one.layout.affines.equal(other.layout.affines)
