"""Prompts as the evaluation asks them, and their pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from PIL import Image
from rich.progress import track

from recipes.pocket.judging.classifiers import Classifier

STEPS: Final = 20
CFG: Final = 5.0
_BATCH: Final = 8

Labeler = Callable[[Image.Image], object]
"""What a picture shows, in the same terms as what was asked for."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A prompt, and what its picture has to show: an answer to each question."""

    prompt: str
    expected: tuple[object, ...] = ()
    seed: int
    negative: str = ""


def draw(pipeline: Any, asked: Sequence[Question], cfg: float = CFG) -> list[Image.Image]:
    """One picture for each."""
    pictures: list[Image.Image] = []
    for at in track(range(0, len(asked), _BATCH), description="Drawing"):
        part = asked[at : at + _BATCH]
        pictures += pipeline(
            [one.prompt for one in part],
            negative_prompt=[one.negative for one in part],
            num_inference_steps=STEPS,
            guidance_scale=cfg,
            height=64,
            width=64,
            generator=[torch.Generator().manual_seed(one.seed) for one in part],
        ).images
    return pictures


def labeler_of(judge: Classifier) -> Labeler:
    """A judge's name for one picture."""

    def told(picture: Image.Image) -> str:
        pixels = torch.from_numpy(np.asarray(picture.convert("RGB")).copy()).permute(2, 0, 1)[None]
        return judge.name(pixels.float() / 127.5 - 1)[0]

    return told
