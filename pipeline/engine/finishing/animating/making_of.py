"""Finishes the making-of of a picture: each step as a frame, and the finished picture as the still."""

from collections.abc import Callable
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
from pipeline.engine.steps.jobs.traced_jobs import TracedJob
from pipeline.images.animation import animated, side_by_side
from pipeline.images.encode import encode, to_picture
from pipeline.images.label import labeled
from pipeline.images.parameters import parameters_text
from pipeline.protocol.provenance.source_types import source_type_of
from pipeline.protocol.wire.outputs import Output, Recipe
from pipeline.protocol.wire.settings import ImageOutput

_STEP_MS: Final = 250
_LAST_MS: Final = 2_000
"""Milliseconds that a step is shown, and that the finished picture is."""


class MakingOfFinisher(Finisher):
    """Finishes a traced job; `Finisher` explains the arguments."""

    def __init__(
        self,
        job: TracedJob,
        output: ImageOutput,
        recipes: Recipes,
        check: ImageCheck,
        decoder: Decoder,
        note_progress: Callable[[], None],
    ) -> None:
        super().__init__(job, output, recipes, check, decoder, note_progress)
        self._traced = job
        self._frames: list[Image.Image] = []

    @override
    @torch.inference_mode()
    def decode(self) -> None:
        """Decode the finished picture, and what each step began with and took it to be.

        A hidden picture has no making-of. A step that the image check hides is left out.

        Raises:
            BrokenImage: the result is no picture; see `Autoencoder.decode`.
            torch.OutOfMemoryError: no fallback fits the memory.
        """
        super().decode()
        if not self._pictures:
            self._ratings[1] = self._ratings[0]
            return
        # The two files show the same picture.
        self._pictures[1], self._ratings[1] = self._pictures[0], self._ratings[0]
        total = self._job.total_steps
        shown = self._traced.shown_steps
        likely = [self._decoded(step.likely) for step in shown]
        ratings = dict(enumerate(self._check.ratings(likely, self._job.checking)))
        left_out = hidden(ratings, self._job.checking)
        for place, step in enumerate(shown):
            if place not in left_out:
                self._frames.append(side_by_side(self._decoded(step.given), likely[place], step.number, total))
        self._frames.append(side_by_side(self._pictures[0], self._pictures[0], total, total))

    def _decoded(self, latents: torch.Tensor) -> Image.Image:
        pixels = enlarged_pixels(self._model, self._decoder, self._decoder.decode(self._model, latents), None)
        self._note_progress()
        return to_picture(pixels[0])

    @override
    def _files(self, recipe: Recipe) -> tuple[Output, ...]:
        """The animation, then the finished picture as the plain job delivers it."""
        if not self._pictures:
            return ()
        request, rating = self._job.request, self._ratings[0].rating
        parameters = parameters_text(request, self._model.spec.title, recipe.model_hash)
        source_type = source_type_of(request)
        frames = self._frames
        if self._output.has_label:
            frames = [Image.fromarray(labeled(np.asarray(frame))) for frame in frames]
        data = animated(
            frames,
            [*[_STEP_MS] * (len(frames) - 1), _LAST_MS],
            self._output.animation,
            parameters=parameters if self._output.has_parameters else "",
            source_type=source_type,
        )
        still = encode(
            self._pictures[0], parameters, self._output, index=1, seed=0, source_type=source_type, rating=rating
        )
        return with_still(data, self._output, frames[0].size, still, rating)
