"""The share of right pictures of the shipped model in few steps, for each sampler. It decides which are offered.

The judge of things trains on drawings. `python -m recipes.pocket sprites` fetches them.
"""

import io
import statistics
from random import Random
from typing import Final

import torch
from PIL import Image

from benchmarks.bench import Bench, request
from benchmarks.report import Report
from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from pipeline.protocol.samplers.table import offered_samplers
from recipes.pocket.__main__ import FOLDER
from recipes.pocket.drawing import measure
from recipes.pocket.drawing.painter import Painter
from recipes.pocket.judging import questions
from recipes.pocket.judging.classifiers import Judge
from recipes.pocket.judging.evaluate import color_prompts, number_prompts
from recipes.pocket.judging.questions import Labeler, Question

STEPS: Final = 8
LEAST: Final = 0.6
COLORS: Final = 48
JUDGE_STEPS: Final = 1500
AT_ONCE: Final = 8


def run() -> Report:
    """Draw held-out colors and numbers in few steps with every sampler, and judge them as the evaluation does.

    Raises:
        SystemExit: the drawings are missing.
    """
    atlas = FOLDER / "atlas.npz"
    if not atlas.exists():
        raise SystemExit("The judge learns from drawings. Fetch them with: python -m recipes.pocket sprites")
    bench = Bench(max_running=AT_ONCE)
    painter = Painter(atlas, torch.device("cpu"))
    thing_of = questions.labeler_of(Judge(painter, "thing", steps=JUDGE_STEPS, file=FOLDER / "judge-thing.pt"))
    colored = Random(0).sample(color_prompts("{noun}"), COLORS)  # noqa: S311 - a choice of prompts is no secret
    numbered = number_prompts()
    shares: dict[str, tuple[float, float, float]] = {}
    for name in offered_samplers("diffusion"):
        pictures = _drawn(bench, name, colored)
        shares[name] = (
            _right(thing_of, pictures, colored, 0),
            _right(measure.color, pictures, colored, 1),
            _right(measure.count, _drawn(bench, name, numbered), numbered, 0),
        )
    spec = load_catalogue(PipelineSettings().catalogue, "pocket").default
    offered = {name: shares[name] for name in spec.offered_samplers}
    least = [min(share) for share in offered.values()]
    value = min(least)
    return Report(
        name="samplers",
        goal=f"each offered sampler draws >= {LEAST} of things, colors and numbers right in {STEPS} steps",
        value=value,
        holds=value >= LEAST,
        median=statistics.median(least),
        minimum=value,
        pairs=COLORS + len(numbered),
        detail={
            name if name in offered else f"{name}, not offered": "thing {:.2f}, color {:.2f}, number {:.2f}".format(
                *each
            )
            for name, each in shares.items()
        },
    )


def _drawn(bench: Bench, sampler: str, asked: list[Question]) -> list[Image.Image]:
    wanted = {"scheduler_name": sampler, "num_inference_steps": STEPS}
    jobs = [request(prompt=one.prompt, seed=one.seed, **wanted) for one in asked]
    finished = bench.draw(jobs)[1]
    return [Image.open(io.BytesIO(finished[number].outputs[0].data)) for number in range(len(jobs))]


def _right(label: Labeler, pictures: list[Image.Image], asked: list[Question], number: int) -> float:
    """The share of pictures with the expected label; `number` is its index in the question."""
    return sum(label(one) == two.expected[number] for one, two in zip(pictures, asked, strict=True)) / len(asked)
