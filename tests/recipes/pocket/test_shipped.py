"""The shipped model: a plain Stable Diffusion that follows its prompts."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import StableDiffusionImg2ImgPipeline
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from PIL import Image, ImageChops, ImageStat

from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from pipeline.protocol.requests import GenerationRequest
from recipes.pocket import world
from recipes.pocket.drawing import measure
from recipes.pocket.stages import export
from tests.recipes.pocket.easel_pictures import pictures_of

POCKET = Path(__file__).parents[3] / "models" / "pocket"
COUNTED = (
    *("one green star", "two blue stars", "three yellow stars", "four purple stars"),
    *("one orange cookie", "two red cookies", "three green cookies", "four blue cookies"),
    *("one yellow heart", "two purple hearts", "three orange hearts", "four red hearts"),
)


@pytest.fixture(scope="module")
def pipeline() -> Any:
    loaded: Any = StableDiffusionPipeline.from_pretrained(POCKET)
    loaded.scheduler = EulerDiscreteScheduler.from_config(loaded.scheduler.config, timestep_spacing="linspace")
    loaded.set_progress_bar_config(disable=True)
    return loaded


def draw(pipeline: Any, *prompts: str, seed: int = 3, **options: Any) -> list[Image.Image]:
    given = {"num_inference_steps": 10, "guidance_scale": 5.0, "height": 64, "width": 64} | options
    generators = [torch.Generator().manual_seed(seed) for _ in prompts]
    return pipeline(list(prompts), generator=generators, **given).images


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_it_is_small_and_its_words_are_those_of_the_recipe() -> None:
    assert sum(file.stat().st_size for file in POCKET.rglob("*") if file.is_file()) <= export.LARGEST
    kept = json.loads((POCKET / "vocabulary.json").read_text())
    assert kept["words"] == world.vocabulary()
    assert kept["things"] == [thing.name for thing in world.THINGS]
    assert kept["alike"] == world.lone_thing_words()
    for example in kept["examples"]:
        assert set(example.split()) <= set(kept["words"])


def test_what_is_said_of_it_is_true() -> None:
    root = POCKET.parents[1]
    for file in ("README.md", "config/models.toml", "models/pocket/README.md", "playground/launcher.py"):
        said = (root / file).read_text(encoding="utf-8")
        assert f"{len(world.THINGS)} everyday things" in said or f"{len(world.THINGS)} things" in said, file


def test_a_thing_alone_is_drawn_alike_from_every_seed(pipeline: Any) -> None:
    """Notices tell members so. If this changes, remove `alike` from vocabulary.json."""
    prompts = ("a dog", "a house", "a key", "a guitar")
    pairs = zip(draw(pipeline, *prompts, seed=1), draw(pipeline, *prompts, seed=2), strict=True)
    assert min(measure.overlap(one, other) for one, other in pairs) > 0.8


def test_colors_follow_the_prompt(pipeline: Any) -> None:
    colors = ("red", "green", "blue", "yellow", "purple", "orange")
    drawn = draw(pipeline, *(f"a {color} apple" for color in colors))
    assert sum(measure.color(picture) == color for picture, color in zip(drawn, colors, strict=True)) >= 5


def test_numbers_follow_the_prompt(pipeline: Any) -> None:
    prompts = ("one apple", "two apples", "three apples", "four apples")
    assert [measure.count(picture) for picture in draw(pipeline, *prompts)] == [1, 2, 3, 4]


def test_polite_people_get_the_same_thing(pipeline: Any) -> None:
    terse, polite = draw(pipeline, "a blue cat", "could you please draw a blue cat for me")
    assert measure.color(terse) == measure.color(polite) == "blue"


def test_guidance_seeds_and_a_negative_prompt_change_the_picture(pipeline: Any) -> None:
    prompt = "a house in the forest"
    low, usual, high = (draw(pipeline, prompt, guidance_scale=cfg)[0] for cfg in (1.0, 7.0, 15.0))
    assert min(difference(low, usual), difference(usual, high)) > 5
    assert difference(usual, draw(pipeline, prompt, guidance_scale=7.0, seed=4)[0]) > 5
    assert difference(usual, draw(pipeline, prompt, guidance_scale=7.0, negative_prompt=["red"])[0]) > 2


def test_a_negative_prompt_takes_the_color_that_it_names_and_leaves_the_rest(pipeline: Any) -> None:
    things = ("cherry", "tree", "gift", "tulip", "leaf", "tomato", "frog", "heart")
    prompts = [f"a {thing}" for thing in things]
    # In 10 steps one more picture changes its color beside an idle word.
    steps = {"num_inference_steps": 20}
    came = draw(pipeline, *prompts, **steps)
    named = [measure.color(picture) for picture in came]
    without = draw(pipeline, *prompts, negative_prompt=named, **steps)
    assert sum(measure.color(picture) != color for picture, color in zip(without, named, strict=True)) >= 5
    idle = draw(pipeline, *prompts, negative_prompt=["ugly, blurry, bad quality"] * len(prompts), **steps)
    assert sum(measure.color(picture) == color for picture, color in zip(idle, named, strict=True)) >= 6


def test_a_negative_prompt_takes_the_place_that_it_names_and_leaves_the_thing(pipeline: Any) -> None:
    nouns = ("a red car", "a blue hat", "a brown teapot", "a purple butterfly", "a yellow key", "a green frog")
    places = ("beach", "forest", "mountains", "city", "snow", "room")
    prompts = [f"{noun} {world.PLACES[place]}" for noun, place in zip(nouns, places, strict=True)]

    def on_white(*negative: str) -> int:
        pictures = draw(pipeline, *prompts, negative_prompt=[*negative])
        return sum(measure.is_on_white(picture) and bool(measure.thing_mask(picture).any()) for picture in pictures)

    assert on_white(*places) >= 4
    assert on_white(*(world.PLACES[place] for place in places)) >= 4
    assert on_white(*(f"{place}, blurry, ugly" for place in places)) >= 2
    assert on_white(*("ugly" for _ in places)) == 0
    asked = (f"{noun}, {place}" for noun, place in zip(nouns, places, strict=True))
    assert not any(measure.is_on_white(picture) for picture in draw(pipeline, *asked, *(f"a {one}" for one in places)))


def test_a_negative_prompt_takes_night_and_sunset(pipeline: Any) -> None:
    days = [f"a dog {world.PLACES[place]}" for place in ("beach", "meadow", "mountains")]
    for time in ("night", "sunset"):
        prompts = [f"{day} at {time}" for day in days]
        dark, light, day = (
            draw(pipeline, *prompts),
            draw(pipeline, *prompts, negative_prompt=[time] * 3),
            draw(pipeline, *days),
        )
        nearer = [
            difference(two, three) < difference(two, one) for one, two, three in zip(dark, light, day, strict=True)
        ]
        assert sum(nearer) >= 2, time


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "prompts", "least"), [(8, COUNTED[::5], 2), (30, COUNTED[:1], 1)])
def test_every_offered_sampler_draws_in_few_steps_and_in_many(steps: int, prompts: tuple[str, ...], least: int) -> None:
    """`least` is so low that only a fault misses it; the benchmark `samplers` decides which samplers are offered.

    Without guidance the pictures are right as well, in half of the rows.
    """
    numbers = {word: number for number, word in world.NUMBERS.items()}
    wanted = [(numbers[number], color) for number, color, _ in map(str.split, prompts)]
    samplers = load_catalogue(PipelineSettings().catalogue, "pocket").default.offered_samplers
    requests = [
        GenerationRequest(
            prompt=prompt,
            negative_prompt="",
            num_inference_steps=steps,
            guidance_scale=1.0,
            width=64,
            height=64,
            scheduler_name=name,
            seed=3,
            num_images=1,
            model_key="pocket",
        )
        for name in samplers
        for prompt in prompts
    ]
    right = dict.fromkeys(samplers, 0)
    for number, ((picture,), request) in enumerate(zip(pictures_of(requests), requests, strict=True)):
        seen = measure.count(picture), measure.color(picture)
        right[request.scheduler_name] += seen == wanted[number % len(prompts)]
    assert right
    assert min(right.values()) >= least, right


def test_a_picture_can_be_drawn_anew(pipeline: Any) -> None:
    anew: Any = StableDiffusionImg2ImgPipeline.from_pretrained(POCKET)
    anew.scheduler = pipeline.scheduler
    anew.set_progress_bar_config(disable=True)
    first = draw(pipeline, "a red apple")[0]
    options = {"num_inference_steps": 20, "guidance_scale": 5.0, "generator": torch.Generator().manual_seed(1)}
    changed = anew("a green apple", image=first.resize((64, 64)), strength=0.9, **options).images[0]
    assert (measure.color(first), measure.color(changed)) == ("red", "green")
