"""The stage `evaluate`: measure how well the model follows prompts with held-out combinations."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from PIL import Image

from recipes.pocket import world
from recipes.pocket.drawing import measure, scenes
from recipes.pocket.drawing.painter import Layout, Painter
from recipes.pocket.drawing.scenes import Group, Scene
from recipes.pocket.drawing.sheets import sheet
from recipes.pocket.examples.captions import with_article
from recipes.pocket.judging import negative_prompts, questions
from recipes.pocket.judging.classifiers import Judge
from recipes.pocket.judging.questions import Labeler, Question, draw

_SAME_OVERLAP: Final = 0.8
"""Least overlap of the outlines of two pictures with the same arrangement.

Two drawings of one thing, randomly moved, tilted and mirrored, overlap less in 0.86 of the cases.
"""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A property of pictures: its name, its labeler, and the labeler's reliability as shown on the model card."""

    name: str
    label: Labeler
    reliability: str


def held_out(others: Sequence[str]) -> list[tuple[world.Thing, str]]:
    """All held-out pairs of a thing with one of these colors, places or numbers."""
    return [(thing, other) for thing in world.THINGS for other in others if world.is_held_out(thing.name, other)]


def color_prompts(wording: str) -> list[Question]:
    """Questions with held-out colors of things. `wording` contains {noun}; thing and color are the expected labels."""
    pairs = [(thing, color) for thing, color in held_out(list(world.COLORS)) if thing.colors and color != "white"]
    return [
        Question(
            prompt=wording.format(noun=with_article(f"{color} {thing.name}")), expected=(thing.name, color), seed=seed
        )
        for seed, (thing, color) in enumerate(pairs)
    ]


def evaluate(pipeline: StableDiffusionPipeline, folder: Path, *, most: int, judge_steps: int) -> dict[str, str]:
    """Draw pictures, judge them, and write the figures and a contact sheet.

    Args:
        pipeline: the pipeline to evaluate, on the CPU.
        folder: folder of the atlas and of the judges' weights.
        most: most pictures of each kind of prompt; half of it for each kind of negative prompt.
        judge_steps: batches in the training of the judge of things. The judge of places trains a quarter as long.

    Returns:
        Figures of the model card, by name.
    """
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config, timestep_spacing="linspace")
    pipeline.set_progress_bar_config(disable=True)
    painter = Painter(folder / "atlas.npz", torch.device("cpu"))
    things = Judge(painter, "thing", steps=judge_steps, file=folder / "judge-thing.pt")
    places = Judge(painter, "place", steps=max(1, judge_steps // 4), file=folder / "judge-place.pt")
    of_object = Criterion(
        name="object", label=questions.labeler_of(things), reliability=f"the judge itself {things.accuracy:.2f}"
    )
    of_color = Criterion(name="color", label=measure.color, reliability=f"drawings {_color_reliability(painter):.2f}")
    of_number = Criterion(
        name="number", label=measure.count, reliability=f"drawings {_number_reliability(painter):.2f}"
    )
    of_place = Criterion(
        name="place", label=questions.labeler_of(places), reliability=f"the judge itself {places.accuracy:.2f}"
    )
    kinds: list[tuple[str, list[Question], tuple[Criterion, ...]]] = [
        ("as in training", color_prompts("{noun}"), (of_object, of_color)),
        ("in other words", color_prompts("could you please paint me {noun} for my friend"), (of_object, of_color)),
        ("one to four", number_prompts(), (of_number,)),
        ("ten places", place_prompts(), (of_place,)),
    ]
    shown: list[Image.Image] = []
    figures: dict[str, str] = {}
    for kind, prompts, criteria in kinds:
        asked = Random(0).sample(prompts, min(most, len(prompts)))
        pictures = draw(pipeline, asked)
        shown += pictures[:12]
        for number, criterion in enumerate(criteria):
            right = sum(criterion.label(one) == two.expected[number] for one, two in zip(pictures, asked, strict=True))
            figures[f"{criterion.name}, {kind}"] = f"{right / len(asked):.2f} of {len(asked)} ({criterion.reliability})"
    figures |= negative_prompts.evaluate(pipeline, questions.labeler_of(things), max(1, most // 2))
    figures["another arrangement from another seed"] = _arrangements(pipeline, painter, most)
    figures["mean difference of CFG 1 and 7, 7 and 15"] = _guidance(pipeline)
    sheet(shown).save(folder / "contact-sheet.png", optimize=True)
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def number_prompts() -> list[Question]:
    """Questions with held-out numbers of things, and with single things."""
    words = {word: count for count, word in world.NUMBERS.items()}
    many = [
        Question(prompt=f"{word} {thing.many}", expected=(words[word],), seed=seed)
        for seed, (thing, word) in enumerate(held_out(list(words)))
        if words[word] > 1
    ]
    single = [
        Question(prompt=f"one {thing.name}", expected=(1,), seed=seed)
        for seed, thing in enumerate(world.THINGS)
        if seed % 9 == 0
    ]
    return many + single


def place_prompts() -> list[Question]:
    """Questions with held-out places of things."""
    return [
        Question(prompt=f"{with_article(thing.name)} {world.PLACES[place]}", expected=(place,), seed=seed)
        for seed, (thing, place) in enumerate(held_out(list(world.PLACES)))
    ]


def _drawn(painter: Painter, drawn: Sequence[Scene]) -> list[Image.Image]:
    pixels = ((painter.draw(Layout.of(drawn)) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    return [Image.fromarray(picture) for picture in pixels]


def _plain_scene(rng: Random, group: Group) -> Scene:
    pasted = scenes.arrange(rng, (group,), "", None, on_ground=False)
    return Scene(groups=(group,), pasted=pasted)


def _color_reliability(painter: Painter) -> float:
    """Accuracy of the color measurement on drawings of the training, an upper bound for the model."""
    rng = Random(2)
    wanted = [one.expected for one in color_prompts("{noun}")]
    groups = [Group(thing=str(thing), color=str(color)) for thing, color in wanted]
    pictures = _drawn(painter, [_plain_scene(rng, group) for group in groups])
    right = [measure.color(picture) == group.color for picture, group in zip(pictures, groups, strict=True)]
    return sum(right) / len(right)


def _number_reliability(painter: Painter) -> float:
    rng = Random(3)
    groups = [Group(thing=thing.name, number=1 + seed % 4) for seed, thing in enumerate(world.THINGS)]
    pictures = _drawn(painter, [_plain_scene(rng, group) for group in groups])
    right = [measure.count(picture) == group.number for picture, group in zip(pictures, groups, strict=True)]
    return sum(right) / len(right)


def _arrangements(pipeline: Any, painter: Painter, most: int) -> str:
    """The share of lone things whose outlines differ between two seeds."""
    things = Random(4).sample(world.THINGS, min(most, len(world.THINGS)))
    seeds = [
        draw(pipeline, [Question(prompt=with_article(thing.name), seed=seed) for thing in things]) for seed in (1, 2)
    ]
    rng = Random(5)
    checked = [_drawn(painter, [_plain_scene(rng, Group(thing=thing.name)) for thing in things]) for _ in range(2)]
    moved, drawings = (
        sum(measure.overlap(one, other) < _SAME_OVERLAP for one, other in zip(*pair, strict=True)) / len(things)
        for pair in (seeds, checked)
    )
    return f"{moved:.2f} of {len(things)} (drawings {drawings:.2f})"


def _guidance(pipeline: Any) -> str:
    meadows = [Question(prompt=f"{with_article(thing.name)} in a meadow", seed=7) for thing in world.THINGS[::16]]
    drawn = [
        np.stack([np.asarray(picture) for picture in draw(pipeline, meadows, cfg)]).astype(float) for cfg in (1, 7, 15)
    ]
    first, second = (np.abs(drawn[k] - drawn[k + 1]).mean() / 255 for k in (0, 1))
    return f"{first:.3f} and {second:.3f} of full range"
