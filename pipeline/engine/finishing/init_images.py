"""First pass from a member's picture: read it, encode it, add noise, and denoise the last steps.

All of it is drawn anew (img2img), or a part of it (inpainting, outpainting). An edit starts from noise, and its picture
stands beside the latents. All follow diffusers' pipelines. Their order of draws counts: each image's generator draws
the latents of the picture, then the noise, then the latents of the masked picture, even where only its draw is used.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate

from pipeline.engine.failures import InvalidRequest
from pipeline.engine.families.autoencoder import Posterior
from pipeline.engine.finishing.controls import prepared_controls
from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.finishing.reference_images import attended, padded_notices
from pipeline.engine.models.controls import LoadedControlNetwork
from pipeline.engine.models.upscalers import LoadedUpscaler
from pipeline.engine.references.rows import JobReference
from pipeline.engine.sampling.latents import first_noise
from pipeline.engine.sampling.schedulers import begin_at, begin_late, first_latents
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.engine.steps.jobs.given_pictures import file_of, picture_in
from pipeline.engine.steps.jobs.picture_state import Kept
from pipeline.images.canvas import grown
from pipeline.images.decode import fitted, to_pixels
from pipeline.images.pasting import Paste
from pipeline.protocol import limits
from pipeline.protocol.requests import GenerationRequest, narrowed
from pipeline.protocol.wire.messages import Submit
from pipeline.protocol.wire.outputs import Notice

MASKED: Final = 0.5
"""Value of a masked pixel, from 0 to 1."""


class GivenPictures(msgspec.Struct, frozen=True, kw_only=True):
    """PNG files of a request.

    Attributes:
        init_image: the init image; None when the request has none.
        mask: the mask; None when the request has none.
        files: all files of the request, by their SHA-256.
    """

    init_image: bytes | None = None
    mask: bytes | None = None
    files: Mapping[str, bytes] = MappingProxyType({})


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class Encoded:
    """Pictures of a job's first pass as latents.

    Attributes:
        init_image: distribution of the init image's latents; None without one.
        masked: distribution of the latents of the init image without the part that is drawn anew; None when all of it
            is drawn anew and the model takes no mask.
        mask: the part that is drawn anew, [1, 1, h, w].
        references: what the model sees of reference pictures.
        notices: facts about the pictures for the requester.
        edited: latents of the picture that is changed, [1, c, h, w], without the network's scale; None without one.
    """

    init_image: Posterior | None
    masked: Posterior | None
    mask: torch.Tensor
    references: tuple[JobReference, ...]
    notices: tuple[Notice, ...]
    edited: torch.Tensor | None = None


def given_pictures(submit: Submit) -> GivenPictures:
    """PNG files of a request's inputs.

    Raises:
        InvalidRequest: the message lacks a file.
    """
    request = narrowed(submit.request, GenerationRequest)
    files = {each.sha256: file_of(submit, each) for each in request.inputs}
    start, mask = request.init_image, request.mask
    return GivenPictures(
        init_image=None if start is None else files[start.sha256],
        mask=None if mask is None else files[mask.sha256],
        files=files,
    )


def needs_pictures(job: DenoisingJob) -> bool:
    """True when a job needs `encoded` before its first step: it has a picture, or its model always takes one."""
    request = job.request
    has_guides = bool(request.references or request.controls)
    return request.init_image is not None or has_guides or job.model.adapter.extra_channels > 0


@torch.inference_mode()
def encoded(job: DenoisingJob, given: GivenPictures, decoder: Decoder, note_progress: Callable[[], None]) -> Encoded:
    """Encode the pictures of a job's first pass, and prepare the job's paste and its control pictures.

    Args:
        job: a job that needs pictures; its `paste` and its `controls` are set.
        given: the files.
        decoder: encodes.
        note_progress: called as a sign of progress while a picture is enlarged.

    Raises:
        InvalidRequest: a file cannot be read, nothing is to be drawn anew, or the model has no layers for a use.
        ModelUnavailable: a reference adapter was trained for another model or with another encoder.
        BrokenImage: a distribution holds NaN or infinity.
        torch.OutOfMemoryError: no fallback fits the memory.
    """
    job.controls = prepared_controls(job, given.files)
    first, inpaint = job.passes[0], job.request.inpaint
    picture = None if given.init_image is None else _enlarged(job, picture_in(given.init_image), note_progress)
    mask = torch.ones((1, 1, first.height, first.width), dtype=torch.bool)
    if picture is not None and inpaint is not None:
        mask_picture = None if given.mask is None else picture_in(given.mask)
        job.paste = Paste(picture, mask_picture, inpaint, first.width, first.height)
        canvas = job.paste.canvas(first.width, first.height)
        if not canvas.mask.any():
            raise InvalidRequest("Nothing is left of the part that is to be drawn anew.")
        # A margin overlaps the picture by one latent, so that the model draws across the seam.
        overlap = 0 if inpaint.outpaint is None else job.model.adapter.scale_factor
        mask = torch.from_numpy(grown(canvas.mask, overlap))[None, None]
        picture = canvas.picture
    pixels = None if picture is None else to_pixels(fitted(picture, first.width, first.height))
    references = [(each, picture_in(given.files[each.sha256])) for each in job.request.references]
    masked = None
    if inpaint is not None or _takes_mask(job):
        gray = torch.full((1, 3, first.height, first.width), MASKED)
        masked = gray if pixels is None else torch.where(mask, gray, pixels)
    return Encoded(
        init_image=None if pixels is None else decoder.posterior(job.model, pixels),
        masked=None if masked is None else decoder.posterior(job.model, masked),
        mask=interpolate(mask.float(), tuple(job.latents.shape[2:])).bool().to(job.latents.device),
        references=attended(job, references),
        notices=padded_notices([picture for _, picture in references]),
        edited=_edited(job, given.files[job.request.edits[0].sha256], decoder) if job.request.edits else None,
    )


@torch.inference_mode()
def begin_from_picture(job: DenoisingJob, pictures: Encoded) -> None:
    """Set a job up for its first pass.

    The scheduler begins at the first step that is drawn, and the latents get the noise level of that step. When only a
    part is drawn anew, a strength of 1 begins with noise alone.

    Args:
        job: a job before its first evaluation; it is changed in place.
        pictures: its pictures; see `encoded`.
    """
    init_image = job.request.init_image
    if init_image is not None and pictures.init_image is not None:
        _add_noise(job, pictures, pictures.init_image, init_image.strength)
    if pictures.masked is not None:
        masked = pictures.masked.sample(job.generators, job.latents.dtype)
        if _takes_mask(job):
            job.extra = torch.cat([pictures.mask.to(masked).expand(len(masked), -1, -1, -1), masked], dim=1)
    if pictures.edited is not None:
        job.extra = pictures.edited.to(job.latents).expand(len(job.latents), -1, -1, -1)
    job.references, job.given_notices = pictures.references, pictures.notices
    # Adapters, encoders and preprocessors have done their part, so the cache may drop them. A control net runs in every
    # step.
    job.networks = {key: each for key, each in job.networks.items() if isinstance(each, LoadedControlNetwork)}
    job.denoise_started_at = time.monotonic()


def _enlarged(job: DenoisingJob, picture: Image.Image, note_progress: Callable[[], None]) -> Image.Image:
    """The init image, enlarged by its upscaler to the size of the first pass, or as far as offered scales go."""
    upscaler = None if job.request.init_image is None else job.networks.get(job.request.init_image.network)
    if not isinstance(upscaler, LoadedUpscaler):
        return picture
    needed = max(job.passes[0].width / picture.width, job.passes[0].height / picture.height)
    scale = next((each for each in limits.UPSCALES if each >= needed), limits.UPSCALES[-1])
    enlarging = upscaler.begin(np.asarray(picture), scale)
    while enlarging.advance():
        note_progress()
    return Image.fromarray(enlarging.larger)


def _takes_mask(job: DenoisingJob) -> bool:
    """True for an inpainting model."""
    adapter = job.model.adapter
    return adapter.extra_channels > 0 and not adapter.is_editing


def _edited(job: DenoisingJob, file: bytes, decoder: Decoder) -> torch.Tensor:
    """Latents of the picture that an edit changes: the likeliest ones, as its VAE gives them."""
    first = job.passes[0]
    pixels = to_pixels(fitted(picture_in(file), first.width, first.height))
    return job.model.adapter.unscaled(decoder.posterior(job.model, pixels).mean)


def _add_noise(job: DenoisingJob, pictures: Encoded, posterior: Posterior, strength: float) -> None:
    """Draw the init image's latents and the noise, and set the job's latents."""
    takes_mask = _takes_mask(job)
    is_pure_noise = strength == 1.0 and pictures.masked is not None
    known = job.latents
    if not (is_pure_noise and takes_mask):
        known = posterior.sample(job.generators, job.latents.dtype)
    noise = first_noise(job.request, tuple(job.latents.shape), job.generators, known.device, known.dtype)
    if is_pure_noise:
        begin_at(job.scheduler, job.evaluation)
        job.latents = first_latents(job.scheduler, noise)
    else:
        job.latents = begin_late(job.scheduler, known, noise, job.evaluation)
    if pictures.masked is not None and not takes_mask:
        job.kept = Kept(known=known, noise=noise, mask=pictures.mask)
