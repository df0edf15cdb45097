"""The denoising passes of a request: the engine runs them, and prices and expected times follow from them."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pipeline.protocol.catalogue.models import FamilyFacts
from pipeline.protocol.inputs import Tiles
from pipeline.protocol.limits import MAX_SHOWN_STEPS
from pipeline.protocol.requests import GenerationRequest

MORPH_KEYS: Final = 5
"""Frames of a morph's first round: evenly from one end to the other."""
MORPH_ROUND: Final = 4
"""Frames of each later round. Fewer would be more even; more would use a large device better."""


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """Denoising of all images of a job at one size.

    Attributes:
        width: width in pixels.
        height: height in pixels.
        schedule_steps: number of steps of the whole noise schedule.
        steps: number of steps that are drawn; they are the last ones of the schedule.
        guidance_scale: scale of classifier-free guidance.
        is_from_picture: True when it starts from a picture with added noise (img2img), False when from pure noise.
        tiles: tiles by which the picture is drawn; None draws it as a whole.
    """

    width: int
    height: int
    schedule_steps: int
    steps: int
    guidance_scale: float
    is_from_picture: bool = False
    tiles: Tiles | None = None

    @property
    def skipped_steps(self) -> int:
        """Number of steps at the schedule's beginning that are not drawn."""
        return self.schedule_steps - self.steps

    @property
    def pixels(self) -> int:
        """Number of pixels of one image."""
        return self.width * self.height

    @property
    def tile_count(self) -> int:
        """Number of rows of one image with one text: one for each tile."""
        return 1 if self.tiles is None else self.tiles.count(self.width, self.height)

    @property
    def row_pixels(self) -> int:
        """Number of pixels of a row: those of a tile, or of the whole image."""
        return self.pixels if self.tiles is None else self.tiles.width * self.tiles.height


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
        guidance_scale=request.guidance_scale,
        steps=steps if init_image is None else _drawn(steps, init_image.strength, rounds_up=facts.rounds_steps_up),
        is_from_picture=init_image is not None,
        tiles=request.tiles,
    )
    upscale = request.upscale
    if upscale is None or upscale.strength == 0:
        return (first,)
    most_guidance = math.inf if upscale.guidance_scale is None else upscale.guidance_scale
    second = Pass(
        width=request.width * upscale.scale,
        height=request.height * upscale.scale,
        schedule_steps=steps,
        steps=_drawn(steps, upscale.strength, rounds_up=False),
        guidance_scale=min(request.guidance_scale, most_guidance),
        is_from_picture=True,
        tiles=request.tiles,
    )
    return first, second


def _drawn(steps: int, strength: float, *, rounds_up: bool) -> int:
    """Number of drawn steps, with diffusers' two formulas: they differ where steps x strength is no whole number."""
    drawn = steps - int(steps - steps * strength) if rounds_up else int(steps * strength)
    return max(1, drawn)


def evaluations_within(start: float, end: float, evaluations: int) -> Sequence[int]:
    """Indices of a pass's evaluations in which a control or a reference is on.

    The rule is that of diffusers' ControlNet pipelines: evaluation i of n is on unless i / n < start or (i + 1) / n >
    end. A window that holds no evaluation gets one all the same, so that no picture is without effect.

    Args:
        start: fraction of the evaluations before which it is off.
        end: fraction of the evaluations after which it is off.
        evaluations: number of the pass's evaluations; at least 1.
    """
    found = [i for i in range(evaluations) if i / evaluations >= start and (i + 1) / evaluations <= end]
    return found or [min(int(start * evaluations), evaluations - 1)]


def morph_rounds(frames: int) -> int:
    """Number of rounds in which the frames of a morph are drawn; two ends of other lengths may add two."""
    return 1 + -(-(frames - MORPH_KEYS) // MORPH_ROUND)


def shown_steps(steps: int) -> int:
    """Number of steps that a making-of shows of a picture with so many."""
    return min(steps, MAX_SHOWN_STEPS)


def total_steps(passes: Iterable[Pass]) -> int:
    """Number of steps of several passes, as members count them."""
    return sum(each.steps for each in passes)
