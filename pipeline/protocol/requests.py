"""Requests of jobs to the engine, with every field set. The tag `kind` distinguishes the kinds of requests."""

from typing import TypeAlias

import msgspec

from pipeline.protocol.limits import MAX_SEED


class Variation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A variation of a picture: its initial noise is interpolated towards the noise of another seed.

    Attributes:
        seed: seed of the other noise.
        strength: position between the two, from 0 (the same picture) to 1 (the other seed's picture).
    """

    seed: int
    strength: float


class Upscale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Upscaling of the finished picture.

    Attributes:
        scale: factor between the sides of the larger picture and the original.
        strength: fraction of the steps that the second pass repeats at that size, from 0 (only resampled) to 1.
    """

    scale: int
    strength: float


class GenerationRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="image"
):
    """A resolved request: limits are applied and a seed is chosen. Rerolls start from it, and nothing is left open.

    Attributes:
        prompt: the prompt; not empty.
        negative_prompt: the negative prompt; may be empty.
        num_inference_steps: number of denoising steps; a second-order sampler evaluates the model twice in each.
        guidance_scale: scale of classifier-free guidance; at 1 or below the negative prompt has no effect.
        width: width in pixels that the model draws; an enlarger may deliver more.
        height: height in pixels that the model draws.
        scheduler_name: name of a sampler in `pipeline.protocol.samplers`.
        seed: seed of image 0; image k has seed + k. With variations, every image starts from this seed.
        num_images: number of images in the job.
        model_key: key of the model in the catalogue.
        variations: variations in order; for image k, the last one has seed + k.
        upscale: upscaling of the finished pictures; None for none.
        guidance_start: fraction of all steps after which guidance begins, from 0.
        guidance_end: fraction of all steps after which guidance ends, up to 1.
        guidance_rescale: fraction of guidance's additional contrast that is removed, from 0 to 1.
    """

    prompt: str
    negative_prompt: str
    num_inference_steps: int
    guidance_scale: float
    width: int
    height: int
    scheduler_name: str
    seed: int
    num_images: int
    model_key: str
    variations: tuple[Variation, ...] = ()
    upscale: Upscale | None = None
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    guidance_rescale: float = 0.0

    @property
    def output_count(self) -> int:
        """Number of requested outputs; every kind of request has this property."""
        return self.num_images

    @property
    def last_seed(self) -> int:
        """Seed that increases from image to image."""
        return self.variations[-1].seed if self.variations else self.seed

    @property
    def refining_steps(self) -> int:
        """Number of steps in the second pass, at the larger size; 0 without a second pass."""
        if self.upscale is None or self.upscale.strength == 0:
            return 0
        return max(1, int(self.num_inference_steps * self.upscale.strength))

    def guides(self, step: int, total_steps: int) -> bool:
        """True when guidance is applied at a step, counted from 1."""
        return self.guidance_start * total_steps < step <= self.guidance_end * total_steps

    def single(self, index: int) -> "GenerationRequest":
        """Request for a single image, which is exactly image `index` of this request."""
        seed = seed_of(self.last_seed, index)
        if not self.variations:
            return msgspec.structs.replace(self, seed=seed, num_images=1)
        last = msgspec.structs.replace(self.variations[-1], seed=seed)
        return msgspec.structs.replace(self, variations=(*self.variations[:-1], last), num_images=1)


Request: TypeAlias = GenerationRequest
"""Union of all kinds of requests. While it has only one kind, JSON without the tag decodes too."""


def seed_of(first_seed: int, index: int) -> int:
    """Seed of image `index` of a job: one more than its predecessor's; after the greatest seed comes 0."""
    return (first_seed + index) % (MAX_SEED + 1)
