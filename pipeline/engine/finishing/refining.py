"""Second pass of an upscaled picture: decode, enlarge, encode, add noise, and denoise the last steps again."""

from collections.abc import Callable

import torch
from diffusers.utils.torch_utils import randn_tensor
from torch.nn.functional import interpolate

from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.finishing.enlarging import enlarged_pixels
from pipeline.engine.finishing.init_images import MASKED
from pipeline.engine.sampling.schedulers import begin_late
from pipeline.engine.sampling.tiling import tiling_of
from pipeline.engine.steps.jobs.denoising import DenoisingJob


@torch.inference_mode()
def enlarged(job: DenoisingJob, decoder: Decoder, note_progress: Callable[[], None]) -> torch.Tensor:
    """Latents [images, c, h, w] of a job's pictures, enlarged to the size of its second pass.

    Args:
        job: a job whose first pass is denoised; the extra channels of an inpainting model are set.
        decoder: decodes, enlarges and encodes.
        note_progress: called after each image as a sign of progress.

    Raises:
        BrokenImage: pixels or latents hold NaN or infinity.
        torch.OutOfMemoryError: no fallback fits the memory.
    """
    if job.next_pass is None:
        raise AssertionError("The job has no further pass.")
    size = (job.next_pass.height, job.next_pass.width)
    images: list[torch.Tensor] = []
    for image in job.latents.split(1):
        images.append(_enlarged(job, decoder, image, size))
        note_progress()
    if job.extra is not None:
        job.extra = _extra_for_all(job, decoder, size)
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
    job.pass_index += 1
    job.scheduler = job.model.adapter.build_scheduler(job.sampler, job.passes[job.pass_index], job.generators)
    job.evaluation = job.first_evaluation
    noise = randn_tensor(tuple(known.shape), generator=job.generators, device=known.device, dtype=known.dtype)
    job.latents = begin_late(job.scheduler, known, noise, job.evaluation)
    job.tiling = tiling_of(job.passes[job.pass_index], job.model.adapter.scale_factor, known)
    job.prediction = job.model_input = None
    # The second pass refines the whole picture.
    job.kept = job.paste = None


def _extra_for_all(job: DenoisingJob, decoder: Decoder, size: tuple[int, int]) -> torch.Tensor:
    """Extra channels of an inpainting model that draws a whole picture anew: no pixel of it is known."""
    masked = decoder.encode(job.model, torch.full((1, 3, *size), MASKED)).to(job.latents)
    extra = torch.cat([torch.ones_like(masked[:, :1]), masked], dim=1)
    return extra.expand(len(job.latents), -1, -1, -1)


def _enlarged(job: DenoisingJob, decoder: Decoder, latents: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Latents [1, c, h, w] of the picture at a larger size (height, width) in pixels."""
    # The enlarger comes first: its edges stay sharper than a filter's even when its result is scaled down afterwards.
    pixels = enlarged_pixels(job.model, decoder, decoder.decode(job.model, latents), job.paste)
    resized = interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, 1)
    return decoder.encode(job.model, resized)
