"""A finished picture on the processor, against diffusers' own pipeline and OpenVINO GenAI with the same weights.

Each side encodes a prompt that it has not seen, draws with Euler and CFG, decodes and writes PNG, in one thread. Easel
draws with `accelerator = "openvino"` and without. Sides take turns in one process. Figures are CPU seconds of all its
threads, which other programs hardly prolong. Easel remembers the encoded empty negative prompt, as in service.
"""

import importlib.util
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.bench import Bench, bare_pipeline, request
from benchmarks.genai import GenAi, export
from benchmarks.report import Report

# After `bench`, which sets the waiting of torch's threads before torch is imported.
import numpy as np  # isort: skip
import torch
from numpy.typing import NDArray
from PIL import Image

from pipeline.protocol.wire.settings import Acceleration

GOALS: Final[Mapping[int, float]] = {1: 2.5, 4: 2.0}
"""Least ratio of diffusers' seconds to Easel's, by number of pictures."""
GENAI_GOAL: Final = 1.0
PAIRS: Final = 7
STEPS: Final = 20
SIDE: Final = 64
GUIDANCE_SCALE: Final = 5.0
THREADS: Final = 1
_GOAL_TEXT: Final = (
    f"diffusers / Easel with OpenVINO >= {GOALS[1]} for one picture and >= {GOALS[4]} for four, "
    f"OpenVINO GenAI / Easel >= {GENAI_GOAL:g}"
)
_COLORS: Final = ("red", "blue", "green", "yellow")
_THINGS: Final = ("apple", "star", "house", "fish")

Side = Callable[[str, int, int], NDArray[np.uint8] | None]
"""Draws a prompt, so many pictures, from a seed, and writes PNG; the pictures [n, h, w, 3], if they are at hand."""


def run() -> Report:
    """Measure the turns. Without GenAI's package its part of the goal does not hold."""
    seconds: dict[tuple[str, int], list[float]] = {}
    differences: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        sides = _sides(Path(folder))
        for turn in range(PAIRS + 1):
            prompt = f"a {_COLORS[turn % 4]} {_THINGS[turn // 4 % 4]} and a {_THINGS[(turn + 1) % 4]}"
            for images in GOALS:
                drawn: dict[str, NDArray[np.uint8] | None] = {}
                for name, side in sides.items():
                    began = time.process_time()
                    drawn[name] = side(prompt, images, turn)
                    # The first turn compiles and warms up.
                    seconds.setdefault((name, images), []).append(time.process_time() - began)
                theirs, own = drawn.get("genai"), drawn["diffusers"]
                if images == 1 and theirs is not None and own is not None:
                    differences.append(float(np.abs(theirs.astype(float) - own).mean()))
    return _report({key: found[1:] for key, found in seconds.items()}, differences)


def _report(seconds: Mapping[tuple[str, int], list[float]], differences: list[float]) -> Report:
    def ratios(other: str, images: int, ours: str = "openvino") -> list[float]:
        pairs = zip(seconds.get((other, images), []), seconds[ours, images], strict=False)
        return [theirs / own for theirs, own in pairs]

    detail: dict[str, float | int | str] = {}
    for images in GOALS:
        for other, ours in (("diffusers", "openvino"), ("genai", "openvino"), ("diffusers", "torch")):
            if found := ratios(other, images, ours):
                detail[f"{other}_over_{ours}_{images}"] = statistics.median(found)
        for name in ("diffusers", "torch", "openvino", "genai"):
            if found := seconds.get((name, images)):
                detail[f"{name}_{images}_ms_per_picture"] = 1_000 * min(found) / images
    if differences:
        detail["genai_differs_from_diffusers"] = statistics.median(differences)
    else:
        detail["missing"] = "OpenVINO GenAI is not installed: uv sync"
    holds = all(float(detail[f"diffusers_over_openvino_{images}"]) >= goal for images, goal in GOALS.items())
    one = ratios("diffusers", 1)
    return Report(
        name="peers",
        goal=_GOAL_TEXT,
        value=statistics.median(one),
        holds=holds and all(float(detail.get(f"genai_over_openvino_{images}", 0)) >= GENAI_GOAL for images in GOALS),
        median=statistics.median(one),
        minimum=min(one),
        pairs=PAIRS,
        detail={**detail, "threads": THREADS, "steps": STEPS},
    )


def _sides(folder: Path) -> dict[str, Side]:
    """Every side by its name; GenAI only where its package is installed."""
    bare = bare_pipeline()
    sides: dict[str, Side] = {
        "diffusers": _of_diffusers(bare),
        "torch": _of_easel(Bench(1, threads=THREADS)),
        "openvino": _of_easel(Bench(1, threads=THREADS, acceleration=Acceleration(accelerator="openvino"))),
    }
    if importlib.util.find_spec("openvino_genai") is not None:
        export(bare, folder)
        pipelines = {
            images: GenAi(folder, images=images, side=SIDE, guidance_scale=GUIDANCE_SCALE, threads=THREADS)
            for images in GOALS
        }
        sides["genai"] = lambda prompt, images, seed: _written(pipelines[images].draw(prompt, STEPS, seed))
    return sides


def _of_diffusers(pipeline: Any) -> Side:
    def draw(prompt: str, images: int, seed: int) -> NDArray[np.uint8]:
        torch.set_num_threads(THREADS)
        pictures = pipeline(
            prompt,
            negative_prompt="",
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE_SCALE,
            num_images_per_prompt=images,
            height=SIDE,
            width=SIDE,
            generator=torch.Generator().manual_seed(seed),
        ).images
        return _written(np.stack([np.asarray(picture) for picture in pictures]))

    return draw


def _of_easel(bench: Bench) -> Side:
    def draw(prompt: str, images: int, seed: int) -> None:
        torch.set_num_threads(THREADS)
        bench.draw([request(prompt=prompt, num_images=images, num_inference_steps=STEPS, seed=seed)])

    return draw


def _written(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    for picture in pictures:
        Image.fromarray(picture).save(io.BytesIO(), "PNG")
    return pictures
