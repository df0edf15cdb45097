"""Finishes jobs: decodes on the device and encodes files, both in the background of the step loop."""

import time
from collections.abc import Callable

import torch
from PIL import Image

from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.finishing.enlarging import enlarged_pixels
from pipeline.engine.finishing.recipes import Recipes
from pipeline.engine.pixels.image_check import ImageCheck, hidden
from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.engine.steps.jobs.pipeline_jobs import DrawingJob
from pipeline.images.encode import encode, resampled, to_picture
from pipeline.images.parameters import parameters_text
from pipeline.protocol.provenance.source_types import source_type_of
from pipeline.protocol.wire.messages import Finished
from pipeline.protocol.wire.outputs import Notice, Output, Rated, Recipe
from pipeline.protocol.wire.settings import ImageOutput


class Finisher:
    """Finishes one job in background threads: first `decode`, which uses the device, then `encode`.

    Args:
        job: a job that is fully denoised.
        output: format of the image files.
        recipes: makes the job's recipe.
        check: the image check.
        decoder: decodes and enlarges.
        note_progress: called after each image as a sign of progress.
    """

    def __init__(
        self,
        job: DrawingJob,
        output: ImageOutput,
        recipes: Recipes,
        check: ImageCheck,
        decoder: Decoder,
        note_progress: Callable[[], None],
    ) -> None:
        self._job = job
        self._model = job.model
        self._output = output
        self._recipes = recipes
        self._check = check
        self._decoder = decoder
        self._note_progress = note_progress
        self._denoise_s = time.monotonic() - job.denoise_started_at
        self._pictures: dict[int, Image.Image] = {}
        self._ratings: dict[int, Rated] = {}

    @property
    def name(self) -> AttemptId:
        """Identifier of the job's attempt."""
        return self._job.name

    @torch.inference_mode()
    def decode(self) -> None:
        """Decode the pictures one at a time to save memory, and drop those that the image check hides.

        Raises:
            BrokenImage: the result is no picture; see `Autoencoder.decode`.
            torch.OutOfMemoryError: no fallback fits the memory.
        """
        for index, decoded in enumerate(self._job.decoded(self._decoder.decode)):
            pixels = enlarged_pixels(self._model, self._decoder, decoded, self._job.paste)
            self._pictures[index] = resampled(to_picture(pixels[0]), self._job.request.upscale)
            self._note_progress()
        self._ratings = dict(enumerate(self._check.ratings([*self._pictures.values()], self._job.checking)))
        for index in hidden(self._ratings, self._job.checking):
            del self._pictures[index]
        self._note_progress()

    def encode(self) -> Finished:
        """Encode the remaining pictures and return the attempt's final event."""
        request = self._job.request
        recipe = self._recipes.of(self._job)
        outputs = self._files(recipe)
        notices = self._job.notices
        if flagged := request.output_count - len(outputs):
            notices += (Notice(key="notice-flagged", values={"count": flagged, "asked": request.output_count}),)
        return Finished(
            job_id=self.name[0],
            attempt=self.name[1],
            outputs=outputs,
            hidden=tuple(rated.rating for index, rated in self._ratings.items() if index not in self._pictures),
            scores=tuple(rated.score for index, rated in self._ratings.items() if index not in self._pictures),
            notices=notices,
            denoise_s=self._denoise_s,
            total_s=self._job.elapsed_s(),
            recipe=recipe,
        )

    def _files(self, recipe: Recipe) -> tuple[Output, ...]:
        """The files of the remaining pictures."""
        request = self._job.request
        title, cache = self._model.spec.title, self._model.spec.first_block_cache
        singles = {index: request.single(index) for index in self._pictures}
        return tuple(
            encode(
                picture,
                parameters_text(singles[index], title, recipe.model_hash, first_block_cache=cache),
                self._output,
                index=index,
                seed=singles[index].last_seed,
                source_type=source_type_of(request),
                rating=self._ratings.get(index, Rated()).rating,
            )
            for index, picture in self._pictures.items()
        )
