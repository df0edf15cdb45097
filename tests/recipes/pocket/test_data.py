"""The training data of the pocket model: drawings in all colors, random scenes, and their captions."""

import re
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image

from recipes.pocket import world
from recipes.pocket.drawing import measure, scenes, sprites
from recipes.pocket.drawing.painter import Painter
from recipes.pocket.drawing.scenes import Group, Scene
from recipes.pocket.examples.batches import BatchPlan, batches
from recipes.pocket.examples.captions import caption
from recipes.pocket.stages import text_encoder
from tests.recipes.pocket.conftest import drawing, picture, plain

GREEN = (44, 160, 62)


def test_a_recolored_drawing_has_the_new_color_and_its_old_outline() -> None:
    own = sprites.render(drawing(0))
    green = sprites.recolor(own, GREEN)
    assert (green[..., 3] == own[..., 3]).all()
    assert np.abs(green[32, 32, :3].astype(int) - GREEN).max() < 25
    assert own[32, 32, 0] > 200


def test_a_gray_drawing_can_be_colored_and_keeps_its_shades() -> None:
    own = sprites.render(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="16" fill="#909090"/>'
        '<rect y="16" width="32" height="16" fill="#c0c0c0"/></svg>'
    )
    colored = sprites.recolor(own, GREEN).astype(int)
    assert colored[16, 32, 1] > colored[16, 32, 0] + 60
    assert colored[48, 32].sum() > colored[16, 32].sum() + 30


def test_a_drawing_that_the_package_lost_is_named() -> None:
    with pytest.raises(sprites.NoDrawings, match="red-apple"):
        sprites.make_atlas({})


def test_iconify_files_become_whole_documents() -> None:
    assert "viewBox" in sprites.as_svg({"icons": {"a": {"body": "<path/>"}}, "width": 24, "height": 24})["a"]


@pytest.mark.parametrize("level", range(scenes.LEVELS))
def test_nothing_that_is_held_out_is_ever_drawn(level: int) -> None:
    rng = Random(level)
    for _ in range(400):
        scene = scenes.sample_scene(rng, level)
        for group in scene.groups:
            words = [word for word in (group.color, scene.place) if word]
            words += [world.NUMBERS[group.number]] if group.number > 1 else []
            assert not any(world.is_held_out(group.thing, word) for word in words)
        assert len(scene.pasted) == sum(group.number for group in scene.groups) <= scenes.MAX_PASTED


def test_a_caption_says_everything_in_words_of_the_vocabulary() -> None:
    rng, known = Random(3), set(world.vocabulary())
    for _ in range(400):
        scene = scenes.sample_scene(rng, scenes.LEVELS - 1)
        words = caption(scene, rng)
        assert set(re.findall(r"[^\s,]+", words)) <= known, words
        for group in scene.groups:
            assert group.color is None or group.color in words
            assert group.number == 1 or world.NUMBERS[group.number] in words
        assert scene.place is None or world.PLACES[scene.place] in words
        assert scene.style == "flat" or scene.style.split()[0] in words


def test_what_is_said_can_be_seen(painter: Painter) -> None:
    for count in (1, 2, 3, 4):
        assert measure.count(picture(painter, plain(Group(thing="apple", number=count)))) == count
    for color in ("red", "green", "blue", "yellow", "purple"):
        assert measure.color(picture(painter, plain(Group(thing="apple", color=color)))) == color


def test_outlines_are_compared_by_what_they_cover(painter: Painter) -> None:
    group = Group(thing="cherry")
    arranged = [scenes.arrange(Random(seed), (group,), "", None, on_ground=False) for seed in (1, 2)]
    one, other = (picture(painter, plain(group, pasted=pasted)) for pasted in arranged)
    assert measure.overlap(one, one) == 1
    assert 0.2 < measure.overlap(one, other) == measure.overlap(other, one) < 0.95
    paper = Image.new("RGB", one.size, "white")
    assert measure.overlap(one, paper) == 0
    assert measure.overlap(paper, paper) == 1


def test_a_thing_on_the_left_is_on_the_left(painter: Painter) -> None:
    group = Group(thing="apple", size="small")
    pasted = scenes.arrange(Random(2), (group,), "", "left", on_ground=False)
    mask = measure.thing_mask(picture(painter, Scene(groups=(group,), pasted=pasted, side="left")))
    assert mask[:, :32].sum() > 0
    assert mask[:, 32:].sum() == 0


def test_styles_and_weather_change_the_picture(painter: Painter) -> None:
    scene = plain(Group(thing="apple"), place="meadow")
    usual = np.asarray(picture(painter, scene)).astype(int)
    for style in world.STYLES:
        changed = np.asarray(picture(painter, replace(scene, style=style))).astype(int)
        assert (np.abs(changed - usual).mean() > 3) == (style != "flat")
    gray = np.asarray(picture(painter, replace(scene, style="black and white")))
    assert (gray[..., 0] == gray[..., 2]).all()
    for weather in ("rain", "snowfall", "fog"):
        assert np.abs(np.asarray(picture(painter, replace(scene, weather=weather))).astype(int) - usual).mean() > 1


def test_twins_differ_in_their_things_alone() -> None:
    rng = Random(4)
    scene = scenes.sample_scene(rng, 3)
    other = scenes.twin(scene, rng)
    assert (other.place, other.background, other.style) == (scene.place, scene.background, scene.style)
    assert [one.x for one in other.pasted] == [one.x for one in scene.pasted]


def test_batches_are_the_same_wherever_a_run_begins_again(data: Path) -> None:
    tokenizer = text_encoder.load_tokenizer(data)
    plan = BatchPlan(size=4, rise_steps=8, empty_share=0.3)
    whole = list(batches(plan, tokenizer, seed=1, first=0, last=6, workers=0))
    rest = list(batches(plan, tokenizer, seed=1, first=4, last=6, workers=1))
    assert len(whole) == 6
    for one, other in zip(whole[4:], rest, strict=True):
        assert one.tokens.equal(other.tokens)
        assert one.layout.affines.equal(other.layout.affines)
    assert not whole[0].tokens.equal(whole[1].tokens)


def test_batches_composed_between_the_steps_leave_the_training_its_threads(data: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        list(batches(BatchPlan(size=1), text_encoder.load_tokenizer(data), seed=1, first=0, last=1, workers=0))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_things_alone_are_drawn_in_one_arrangement_only_at_first(data: Path) -> None:
    plan, tokenizer = BatchPlan(size=16, rise_steps=100), text_encoder.load_tokenizer(data)

    def arrangements(first: int, last: int) -> set[tuple[float, ...]]:
        feed = batches(plan, tokenizer, seed=1, first=first, last=last, workers=0)
        return {tuple(one[0].flatten().tolist()) for batch in feed for one in batch.layout.affines}

    (exact,) = arrangements(18, 20)
    assert exact in arrangements(90, 100)
    assert exact not in arrangements(100, 110)


def test_every_prompt_fits_the_tokenizer_and_unknown_words_are_spelt(data: Path) -> None:
    tokenizer = text_encoder.load_tokenizer(data)
    assert tokenizer.model_max_length == 77
    known = tokenizer("a red apple").input_ids
    assert len(known) == 5
    assert len(tokenizer("ein carburettor").input_ids) > 5
    assert str(tokenizer.decode(known[1:-1])).split() == ["a", "red", "apple"]
