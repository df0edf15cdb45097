"""Second pass of an upscaled picture: decode, enlarge, encode, add noise, and denoise the last steps again."""

from collections.abc import Callable

import torch
from diffusers.utils.torch_utils import randn_tensor
from torch.nn.functional import interpolate

from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.sampling.schedulers import begin_late
from pipeline.engine.steps.jobs import DenoisingJob


@torch.inference_mode()
def enlarged(job: DenoisingJob, decoder: Decoder, moved: Callable[[], None]) -> torch.Tensor:
    """Latents [images, c, h, w] of a job's pictures, enlarged to the size of its second pass.

    Args:
        job: a job whose first pass is denoised.
        decoder: decodes, enlarges and encodes.
        moved: called after each image as a sign of progress.

    Raises:
        BrokenImage: pixels or latents hold NaN or infinity.
        torch.OutOfMemoryError: no fallback fits the memory.
    """
    request = job.request
    if request.upscale is None:
        raise AssertionError("Nothing was asked to be upscaled.")
    size = (request.height * request.upscale.scale, request.width * request.upscale.scale)
    images: list[torch.Tensor] = []
    for image in job.latents.split(1):
        images.append(_enlarged(job.model, decoder, image, size))
        moved()
    return torch.cat(images).to(job.latents)


@torch.inference_mode()
def begin_refining(job: DenoisingJob, known: torch.Tensor) -> None:
    """Set a job up for its second pass.

    This follows diffusers' image-to-image pipeline: only the fraction `strength` of the steps is run, and the latents
    get the noise level of the first of them. The noise comes from each image's own generator.

    Args:
        job: a job whose first pass is denoised; it is changed in place.
        known: latents of its pictures at the second size; see `enlarged`.
    """
    request, adapter = job.request, job.model.adapter
    steps, left = request.num_inference_steps, request.refining_steps
    height, width = (side * adapter.scale_factor for side in known.shape[2:])
    scheduler = adapter.build_scheduler(job.sampler, steps, job.generators, height=height, width=width)
    first = (steps - left) * scheduler.order
    noise = randn_tensor(tuple(known.shape), generator=job.generators, device=known.device, dtype=known.dtype)
    job.scheduler = scheduler
    job.latents = begin_late(scheduler, known, noise, first)
    job.steps_before, job.evaluation, job.first_evaluation = steps, first, first
    job.prediction = job.model_input = None


def _enlarged(model: LoadedModel, decoder: Decoder, latents: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Latents [1, c, h, w] of the picture at a larger size (height, width) in pixels."""
    # The enlarger comes first: its edges stay sharper than a filter's even when its result is scaled down afterwards.
    pixels = decoder.enlarge(model, decoder.decode(model, latents))
    resized = interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, 1)
    return decoder.encode(model, resized)
