"""From finished latents to files: decoding on the device, encoding beside the step loop."""

import time
from collections.abc import Callable

import torch
from PIL import Image

from pipeline.engine.jobs import JobName, RunningJob
from pipeline.engine.latents import check_finite
from pipeline.engine.loading import LoadedModel
from pipeline.images.encode import encode_png, parameters_text, resampled, to_picture
from pipeline.protocol.messages import Finished


class Finisher:
    """Finishes one job. `decode` runs where the device is used, then `encode` wherever there is time.

    Args:
        job: denoised to the end.
        model: the model that drew it.
        moved: called after each image.
    """

    def __init__(self, job: RunningJob, model: LoadedModel, moved: Callable[[], None]) -> None:
        self._job = job
        self._model = model
        self._moved = moved
        self._denoise_s = time.monotonic() - job.denoise_started_at
        self._pictures: list[Image.Image] = []

    @property
    def name(self) -> JobName:
        """Whose images these are."""
        return self._job.name

    @torch.inference_mode()
    def decode(self) -> None:
        """Turn latents into pictures, one at a time, which takes the least memory.

        Raises:
            BrokenImage: the pixels hold NaN or infinity.
        """
        for latents in self._job.latents.split(1):
            pixels = self._model.adapter.decode(latents)
            check_finite(pixels)
            if self._model.enlarger is not None:
                pixels = self._model.enlarger.enlarge(pixels)
            self._pictures.append(resampled(to_picture(pixels[0]), self._job.request.upscale))
            self._moved()

    def encode(self) -> Finished:
        """Encode every picture and say the attempt's last word."""
        request = self._job.request
        title = self._model.spec.title
        singles = [request.single(index) for index in range(request.num_images)]
        images = tuple(
            encode_png(picture, parameters_text(single, title), single.last_seed)
            for picture, single in zip(self._pictures, singles, strict=True)
        )
        return Finished(
            job_id=self.name[0],
            attempt=self.name[1],
            images=images,
            notices=self._job.notices,
            denoise_s=self._denoise_s,
            total_s=self._job.elapsed_s(),
        )
