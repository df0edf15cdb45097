"""Questions to the model: prompts with the expected content of their pictures."""

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
"""From a picture to a label, such as a thing, a color or a number. It is compared with the expected label."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A prompt, and the expected labels of its picture, one for each criterion."""

    prompt: str
    expected: tuple[object, ...] = ()
    seed: int
    negative: str = ""


def draw(pipeline: Any, questions: Sequence[Question], cfg: float = CFG) -> list[Image.Image]:
    """Draw one picture for each question."""
    pictures: list[Image.Image] = []
    for at in track(range(0, len(questions), _BATCH), description="Drawing"):
        part = questions[at : at + _BATCH]
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


def labeler_of(classifier: Classifier) -> Labeler:
    """A labeler that asks a classifier."""

    def label(picture: Image.Image) -> str:
        pixels = torch.from_numpy(np.asarray(picture.convert("RGB")).copy()).permute(2, 0, 1)[None]
        return classifier.classify(pixels.float() / 127.5 - 1)[0]

    return label
