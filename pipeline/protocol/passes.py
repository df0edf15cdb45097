"""The denoising passes of a request: the engine runs them, and prices and expected times follow from them."""

from collections.abc import Iterable

import msgspec

from pipeline.protocol.models import FamilyFacts
from pipeline.protocol.requests import GenerationRequest


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """Denoising of all images of a job at one size.

    Attributes:
        width: width in pixels.
        height: height in pixels.
        schedule_steps: number of steps of the whole noise schedule.
        steps: number of steps that are drawn; they are the last ones of the schedule.
        is_from_picture: True when it starts from a picture with added noise (img2img), False when from pure noise.
    """

    width: int
    height: int
    schedule_steps: int
    steps: int
    is_from_picture: bool = False

    @property
    def skipped_steps(self) -> int:
        """Number of steps at the schedule's beginning that are not drawn."""
        return self.schedule_steps - self.steps

    @property
    def pixels(self) -> int:
        """Number of pixels of one image."""
        return self.width * self.height


def passes_of(request: GenerationRequest, facts: FamilyFacts) -> tuple[Pass, ...]:
    """The passes of a request in order.

    A pass from a picture draws the fraction `strength` of the steps, but at least one. An init image makes the first
    pass such a one, and the model's family rounds its steps. An upscaled picture has a second pass at the larger size,
    unless it is only resampled; its steps are rounded down for every family.

    Args:
        request: the request.
        facts: facts about the family of its model.
    """
    steps, init_image = request.num_inference_steps, request.init_image
    first = Pass(
        width=request.width,
        height=request.height,
        schedule_steps=steps,
        steps=steps if init_image is None else _drawn(steps, init_image.strength, rounds_up=facts.rounds_steps_up),
        is_from_picture=init_image is not None,
    )
    upscale = request.upscale
    if upscale is None or upscale.strength == 0:
        return (first,)
    second = Pass(
        width=request.width * upscale.scale,
        height=request.height * upscale.scale,
        schedule_steps=steps,
        steps=_drawn(steps, upscale.strength, rounds_up=False),
        is_from_picture=True,
    )
    return first, second


def _drawn(steps: int, strength: float, *, rounds_up: bool) -> int:
    """Number of drawn steps, with diffusers' two formulas: they differ where steps x strength is no whole number."""
    drawn = steps - int(steps - steps * strength) if rounds_up else int(steps * strength)
    return max(1, drawn)


def total_steps(passes: Iterable[Pass]) -> int:
    """Number of steps of several passes, as members count them."""
    return sum(each.steps for each in passes)
