"""Requests: what a job asks of the engine, with every field set. The tag `kind` tells them apart."""

from typing import TypeAlias

import msgspec

from pipeline.protocol.limits import MAX_SEED


class Variation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step away from where a picture began: its first noise turned towards that of another seed.

    Attributes:
        seed: of the other noise.
        strength: how far, from 0 (the same picture) to 1 (the other seed's).
    """

    seed: int
    strength: float


class Upscale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The finished picture once more, larger.

    Attributes:
        scale: how many times wider and higher.
        strength: how much of the noise's way it is drawn anew at that size, from 0 (only resampled) to 1.
    """

    scale: int
    strength: float


class GenerationRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="image"
):
    """A resolved request: limits applied, seed chosen. Rerolls start from it and nothing is guessed later.

    Attributes:
        prompt: what one asks for; not empty.
        negative_prompt: what to avoid; may be empty.
        num_inference_steps: steps of denoising; a second-order sampler evaluates the model twice in one.
        guidance_scale: weight of classifier-free guidance; at 1 or below the negative prompt has no effect.
        width: pixels that the model draws (an enlarger may deliver more).
        height: pixels that the model draws.
        scheduler_name: a name from `pipeline.protocol.samplers`.
        seed: image k is drawn from seed + k; where it is varied, every image from this seed.
        num_images: images of this job.
        model_key: an entry of the catalogue.
        variations: one after the other; image k is varied by the last one's seed + k.
        upscale: what is done with the finished pictures, if anything.
        guidance_start: part of all steps after which guidance begins, from 0.
        guidance_end: part of all steps after which guidance ends, up to 1.
        guidance_rescale: how much of the contrast that guidance adds is taken back, from 0 to 1.
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
        """Outputs that the request asks for; every kind of request has this property."""
        return self.num_images

    @property
    def last_seed(self) -> int:
        """The seed that counts up from image to image."""
        return self.variations[-1].seed if self.variations else self.seed

    @property
    def refining_steps(self) -> int:
        """Steps of the second pass, at the larger size; 0 where nothing is drawn anew."""
        if self.upscale is None or self.upscale.strength == 0:
            return 0
        return max(1, int(self.num_inference_steps * self.upscale.strength))

    def guides(self, step: int, total_steps: int) -> bool:
        """Whether guidance is applied at a step, counted from 1."""
        return self.guidance_start * total_steps < step <= self.guidance_end * total_steps

    def single(self, index: int) -> "GenerationRequest":
        """The request whose only image is exactly image `index` of this one."""
        seed = seed_of(self.last_seed, index)
        if not self.variations:
            return msgspec.structs.replace(self, seed=seed, num_images=1)
        last = msgspec.structs.replace(self.variations[-1], seed=seed)
        return msgspec.structs.replace(self, variations=(*self.variations[:-1], last), num_images=1)


Request: TypeAlias = GenerationRequest
"""Every kind of request: a union, to which a new kind is added. While it has one, JSON without the tag decodes too."""


def seed_of(first_seed: int, index: int) -> int:
    """Image `index` of a job is drawn from the seed after its predecessor's; the range wraps around."""
    return (first_seed + index) % (MAX_SEED + 1)
