"""What a job asks of the engine, with every field set."""

import msgspec


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A resolved request: limits applied, seed chosen. Rerolls start from it and nothing is guessed later.

    Attributes:
        prompt: what one asks for; not empty.
        negative_prompt: what to avoid; may be empty.
        num_inference_steps: steps of denoising; a second-order sampler evaluates the model twice in one.
        guidance_scale: weight of classifier-free guidance; at 1 or below the negative prompt has no effect.
        width: pixels that the model draws (an enlarger may deliver more).
        height: pixels that the model draws.
        scheduler_name: a name from `pipeline.protocol.samplers`.
        seed: image k is drawn from seed + k.
        num_images: images of this job.
        model_key: an entry of the catalogue.
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
