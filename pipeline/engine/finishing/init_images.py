"""First pass from a member's picture (img2img): read it, encode it, add noise, and denoise the last steps."""

import time

import torch

from pipeline.engine.failures import InvalidRequest
from pipeline.engine.families.autoencoder import Posterior
from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.sampling.latents import first_noise
from pipeline.engine.sampling.schedulers import begin_late
from pipeline.engine.steps.jobs import DenoisingJob
from pipeline.images.decode import UnreadablePicture, fitted, read_png, to_pixels
from pipeline.protocol.messages import Submit
from pipeline.protocol.requests import GenerationRequest, narrowed


def init_image_of(submit: Submit) -> bytes | None:
    """PNG file of a request's init image; None when the request has none.

    Raises:
        InvalidRequest: the message lacks the file.
    """
    init_image = narrowed(submit.request, GenerationRequest).init_image
    if init_image is None:
        return None
    if init_image.sha256 not in submit.pictures:
        raise InvalidRequest("The picture to start from did not come with the request.")
    return submit.pictures[init_image.sha256]


@torch.inference_mode()
def encoded(job: DenoisingJob, file: bytes, decoder: Decoder) -> Posterior:
    """Distribution of the latents of a job's init image, which is cropped to the size of the first pass.

    Args:
        job: a job whose first pass starts from a picture.
        file: the picture as a PNG file.
        decoder: encodes.

    Raises:
        InvalidRequest: the file cannot be read.
        BrokenImage: the distribution holds NaN or infinity.
        torch.OutOfMemoryError: no fallback fits the memory.
    """
    try:
        picture = read_png(file)
    except UnreadablePicture as error:
        raise InvalidRequest(str(error)) from error
    first = job.passes[0]
    return decoder.posterior(job.model, to_pixels(fitted(picture, first.width, first.height)))


@torch.inference_mode()
def begin_from_picture(job: DenoisingJob, posterior: Posterior) -> None:
    """Set a job up for its first pass.

    This follows diffusers' image-to-image pipelines: each image's generator draws the latents of the picture, then the
    noise. The scheduler begins at the first step that is drawn, and the latents get the noise level of that step.

    Args:
        job: a job before its first evaluation; it is changed in place.
        posterior: distribution of its picture's latents; see `encoded`.
    """
    known = posterior.sample(job.generators, job.latents.dtype)
    noise = first_noise(job.request, tuple(known.shape), job.generators, known.device, known.dtype)
    job.latents = begin_late(job.scheduler, known, noise, job.evaluation)
    job.denoise_started_at = time.monotonic()
