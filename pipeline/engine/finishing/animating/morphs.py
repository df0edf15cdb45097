"""Draws the frames of a morph's rounds, and finishes it as an animation with a still."""

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from PIL import Image
from typing_extensions import override

from pipeline.engine.finishing.animating.files import with_still
from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.finishing.enlarging import enlarged_pixels
from pipeline.engine.finishing.finisher import Finisher
from pipeline.engine.finishing.recipes import Recipes
from pipeline.engine.pixels.image_check import ImageCheck, hidden
from pipeline.engine.steps.jobs.morph_jobs import MorphJob, distance
from pipeline.images.animation import animated, in_a_row
from pipeline.images.encode import encode, to_picture
from pipeline.images.label import labeled
from pipeline.images.parameters import parameters_text
from pipeline.protocol.passes import MORPH_KEYS
from pipeline.protocol.provenance.source_types import source_type_of
from pipeline.protocol.requests import MorphRequest, narrowed
from pipeline.protocol.wire.outputs import Output, Rating, Recipe
from pipeline.protocol.wire.settings import ImageOutput

_MEAN_MS: Final = 90
_LEAST_MS, _MOST_MS = 40, 200
"""Milliseconds that a frame is shown on average, and at least and at most; a larger change gets more of them."""
_END_MS: Final = 600
_SIDE: Final = 512
"""Longer side of a frame in the animation, in pixels."""


@torch.inference_mode()
def frames_of_round(job: MorphJob, decoder: Decoder, note_progress: Callable[[], None]) -> list[Image.Image]:
    """The pictures of a morph's present round, as the plain jobs of these words would deliver them.

    Args:
        job: a job whose round is denoised.
        decoder: decodes and enlarges.
        note_progress: called after each picture as a sign of progress.

    Raises:
        BrokenImage: pixels hold NaN or infinity.
        torch.OutOfMemoryError: no fallback fits the memory.
    """
    frames: list[Image.Image] = []
    for latents in job.latents.split(1):
        pixels = enlarged_pixels(job.model, decoder, decoder.decode(job.model, latents), None)
        frames.append(to_picture(pixels[0]))
        note_progress()
    return frames


def begin_next_round(job: MorphJob, frames: Sequence[Image.Image]) -> None:
    """Keep the frames of a morph's round, and begin the next one."""
    job.begin_next(frames)


class MorphFinisher(Finisher):
    """Finishes a morph; `Finisher` explains the arguments."""

    def __init__(
        self,
        job: MorphJob,
        output: ImageOutput,
        recipes: Recipes,
        check: ImageCheck,
        decoder: Decoder,
        note_progress: Callable[[], None],
    ) -> None:
        super().__init__(job, output, recipes, check, decoder, note_progress)
        self._morph = job
        self._frames: list[Image.Image] = []

    @override
    def decode(self) -> None:
        """Draw the frames of the last round. If the image check hides one frame, nothing is shown.

        Raises:
            BrokenImage: the result is no picture; see `Autoencoder.decode`.
            torch.OutOfMemoryError: no fallback fits the memory.
        """
        job = self._morph
        job.keep(frames_of_round(job, self._decoder, self._note_progress))
        self._frames = [job.drawn[place] for place in sorted(job.drawn)]
        ratings = dict(enumerate(self._check.ratings(self._frames, job.checking)))
        worst = max(ratings.values(), key=lambda rated: ([*Rating].index(rated.rating), rated.score))
        self._ratings = {0: worst, 1: worst}
        if not hidden(ratings, job.checking):
            self._pictures = {0: self._frames[0], 1: self._frames[-1]}
        self._note_progress()

    @override
    def _files(self, recipe: Recipe) -> tuple[Output, ...]:
        """The animation, then its keys in a row."""
        if not self._pictures:
            return ()
        request = narrowed(self._job.request, MorphRequest)
        source_type, rating = source_type_of(request), self._ratings[0].rating
        parameters = ", ".join(
            (
                parameters_text(request, self._model.spec.title, recipe.model_hash),
                f"Morph to: {json.dumps(request.end_prompt, ensure_ascii=False)}",
                f"Morph seed: {request.end_seed}, Frames: {request.frames}",
            )
        )
        frames = self._frames
        if self._output.has_label:
            frames = [Image.fromarray(labeled(np.asarray(frame))) for frame in frames]
        scale = min(1.0, _SIDE / max(frames[0].size))
        width, height = (round(side * scale) for side in frames[0].size)
        shown = [frame.resize((width, height), Image.Resampling.LANCZOS) for frame in frames] if scale < 1 else frames
        times = durations_ms(self._frames)
        if request.is_returning:
            shown, times = [*shown, *shown[-2:0:-1]], [*times, *times[-2:0:-1]]
        data = animated(
            shown,
            times,
            self._output.animation,
            parameters=parameters if self._output.has_parameters else "",
            source_type=source_type,
        )
        keys = [self._frames[round(key * (len(frames) - 1) / (MORPH_KEYS - 1))] for key in range(MORPH_KEYS)]
        still = encode(
            in_a_row(keys), parameters, self._output, index=1, seed=0, source_type=source_type, rating=rating
        )
        return with_still(data, self._output, (width, height), still, rating)


def durations_ms(frames: Sequence[Image.Image]) -> list[int]:
    """Milliseconds of each frame: in proportion to the change that follows it; the ends stay longer."""
    changes = [distance(one, other) for one, other in itertools.pairwise(frames)]
    mean = sum(changes) / len(changes) or 1.0
    times = [max(_LEAST_MS, min(_MOST_MS, round(_MEAN_MS * change / mean))) for change in changes]
    return [_END_MS, *times[1:], _END_MS]
