"""The request that a model gets most often."""

from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest


def usual_request(spec: ModelSpec) -> GenerationRequest:
    """A model's most frequent request: one picture with its defaults and a short prompt."""
    usual = spec.defaults
    needs_picture = not spec.can(Capability.TEXT_TO_IMAGE)
    return GenerationRequest(
        prompt="a picture",
        negative_prompt="",
        num_inference_steps=usual.steps,
        guidance_scale=usual.cfg,
        width=usual.width,
        height=usual.height,
        scheduler_name=usual.sampler,
        seed=0,
        num_images=1,
        model_key=spec.key,
        guidance_start=usual.guidance_start,
        guidance_end=usual.guidance_end,
        guidance_rescale=usual.guidance_rescale,
        inputs=(Input(role=InputRole.EDIT, sha256=""),) if needs_picture else (),
    )
