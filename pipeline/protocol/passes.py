"""The denoising passes of a request: the engine runs them, and prices and expected times follow from them."""

from collections.abc import Iterable

import msgspec

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


def passes_of(request: GenerationRequest) -> tuple[Pass, ...]:
    """The passes of a request in order.

    An upscaled picture has a second pass at the larger size, unless it is only resampled. It starts from the first
    picture and draws the fraction `strength` of the steps, rounded down, but at least one.
    """
    steps = request.num_inference_steps
    first = Pass(width=request.width, height=request.height, schedule_steps=steps, steps=steps)
    upscale = request.upscale
    if upscale is None or upscale.strength == 0:
        return (first,)
    second = Pass(
        width=request.width * upscale.scale,
        height=request.height * upscale.scale,
        schedule_steps=steps,
        steps=max(1, int(steps * upscale.strength)),
        is_from_picture=True,
    )
    return first, second


def total_steps(passes: Iterable[Pass]) -> int:
    """Number of steps of several passes, as members count them."""
    return sum(each.steps for each in passes)
