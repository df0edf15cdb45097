"""From finished latents to files: decoding on the device, encoding beside the step loop."""

import time
from collections.abc import Callable

import torch
from PIL import Image

from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.finishing.recipes import Recipes
from pipeline.engine.pixels.safety_checker import SafetyChecker
from pipeline.engine.steps.jobs import AttemptId
from pipeline.engine.steps.pipeline_jobs import AnyJob
from pipeline.images.encode import encode, resampled, to_picture
from pipeline.images.parameters import parameters_text
from pipeline.protocol.messages import Finished, ImageOutput, Notice


class Finisher:
    """Finishes one job, beside the step loop: `decode` where the device is used, then `encode` wherever there is time.

    Args:
        job: denoised to the end.
        output: how images are written.
        recipes: of finished jobs.
        checker: of pictures; None where they are not checked.
        decoder: where they are decoded.
        moved: called after each image.
    """

    def __init__(
        self,
        job: AnyJob,
        output: ImageOutput,
        recipes: Recipes,
        checker: SafetyChecker | None,
        decoder: Decoder,
        moved: Callable[[], None],
    ) -> None:
        self._job = job
        self._model = job.model
        self._output = output
        self._recipes = recipes
        self._checker = checker
        self._decoder = decoder
        self._moved = moved
        self._denoise_s = time.monotonic() - job.denoise_started_at
        self._pictures: dict[int, Image.Image] = {}

    @property
    def name(self) -> AttemptId:
        """Whose images these are."""
        return self._job.name

    @torch.inference_mode()
    def decode(self) -> None:
        """Turn latents into pictures, one at a time, which takes the least memory, and drop those that are flagged.

        Raises:
            BrokenImage: there is no picture in them.
            torch.OutOfMemoryError: the device has no room for any fallback.
        """
        for index, decoded in enumerate(self._job.decoded(self._decoder.decode)):
            pixels = self._decoder.enlarge(self._model, decoded)
            self._pictures[index] = resampled(to_picture(pixels[0]), self._job.request.upscale)
            self._moved()
        if self._checker is not None:
            flags = self._checker.flagged([*self._pictures.values()])
            self._pictures = {index: self._pictures[index] for index, flag in enumerate(flags) if not flag}
            self._moved()

    def encode(self) -> Finished:
        """Encode what may be shown and say the attempt's last word."""
        request = self._job.request
        recipe = self._recipes.of(self._job)
        title = self._model.spec.title
        singles = {index: request.single(index) for index in self._pictures}
        images = tuple(
            encode(
                picture,
                parameters_text(singles[index], title, recipe.model_hash),
                self._output,
                index=index,
                seed=singles[index].last_seed,
            )
            for index, picture in self._pictures.items()
        )
        notices = self._job.notices
        if flagged := request.num_images - len(images):
            notices += (Notice(key="notice-flagged", values={"count": flagged, "asked": request.num_images}),)
        return Finished(
            job_id=self.name[0],
            attempt=self.name[1],
            images=images,
            notices=notices,
            denoise_s=self._denoise_s,
            total_s=self._job.elapsed_s(),
            recipe=recipe,
        )
