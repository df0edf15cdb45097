"""New requests from a drawn job: reroll, variation, upscale and remix."""

from typing import Final

import msgspec

from bot.errors import Refused
from bot.requests.options.table import OPTIONS_WITH_DEFAULTS
from bot.requests.resolving import OWNERS, Resolved, choose_seed
from bot.store.rows.jobs import WantedJob
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import InputRole
from pipeline.protocol.requests import GenerationRequest, MakingOfRequest, Upscale, Variation, narrowed

SUBTLE: Final = 0.2
STRONG: Final = 0.6
"""Strengths of variations. With the shipped model, they change pixels by a quarter and by three quarters of the change
between two seeds."""
UPSCALE: Final = 2


def reroll(request: GenerationRequest) -> GenerationRequest:
    """The same request with another seed. For a variation, it is another variation of the same picture."""
    if not request.variations:
        return msgspec.structs.replace(request, seed=choose_seed(), upscale=None)
    last = msgspec.structs.replace(request.variations[-1], seed=choose_seed())
    return msgspec.structs.replace(request, variations=(*request.variations[:-1], last), upscale=None)


def vary(request: GenerationRequest, index: int, strength: float) -> GenerationRequest:
    """Variations of one of a job's pictures, as many as the job had pictures.

    Raises:
        Refused: the picture already has the most variations in a row.
    """
    if len(request.variations) >= hard.MAX_VARIATIONS:
        raise Refused("refused-varied-too-often", count=hard.MAX_VARIATIONS)
    single = request.single(index)
    step = Variation(seed=choose_seed(), strength=strength)
    return msgspec.structs.replace(
        single, variations=(*single.variations, step), num_images=request.num_images, upscale=None
    )


def making_of(request: GenerationRequest, index: int, spec: ModelSpec) -> MakingOfRequest:
    """The steps of one of a job's pictures.

    Raises:
        Refused: the model shows no steps.
    """
    if not spec.is_stepped:
        raise Refused("refused-making-of-model", model=spec.title)
    return MakingOfRequest(**{name: getattr(request.single(index), name) for name in request.__struct_fields__})


def as_it_was(request: GenerationRequest) -> Preferences:
    """A job's value for each option with defaults. They stand in for options that a form does not have."""
    found = {option.field: option.value_of(request) for option in OPTIONS_WITH_DEFAULTS}
    if request.tiles is not None:  # no option expresses the size of such a picture
        found["size"] = f"{request.tiles.width}x{request.tiles.height}"
    return msgspec.structs.replace(Preferences(), **found)


def remix(resolved: Resolved, job: WantedJob, *, is_same_noise: bool, is_same_size: bool = False) -> Resolved:
    """A form's request, with the job's values for fields that the form does not show.

    Args:
        resolved: the form's request, with the job's values as defaults.
        job: the remixed job, or one that was refused.
        is_same_noise: whether the seed was kept, and with it the job's variations.
        is_same_size: whether the form kept the size. If none was typed either, the job's tiles are kept, and its window
            if that has its shape; another model draws no tiles.
    """
    old, request = narrowed(job.request, GenerationRequest), resolved.request
    is_same_size = is_same_size and "size" in resolved.defaults.own.names()
    if request.model_key == old.model_key:
        request = msgspec.structs.replace(request, **{name: getattr(old, name) for name in OWNERS})
        if is_same_size and old.tiles is not None:
            request = _in_tiles_again(request, old)
    inpaint = old.inpaint
    if inpaint is not None and not (is_same_size and request.width * old.height == request.height * old.width):
        inpaint = msgspec.structs.replace(inpaint, whole=None)
    masks = tuple(each for each in old.inputs if each.role is InputRole.MASK)
    request = msgspec.structs.replace(
        request,
        variations=old.variations if is_same_noise else (),
        inputs=(*request.inputs, *masks),
        inpaint=inpaint,
    )
    return msgspec.structs.replace(resolved, request=request, defaults=still_default(job, request))


def _in_tiles_again(request: GenerationRequest, old: GenerationRequest) -> GenerationRequest:
    """A remix with the size, the tiles and the upscaler of the remixed job."""
    start, network = request.init_image, "" if old.init_image is None else old.init_image.network
    return msgspec.structs.replace(
        request,
        width=old.width,
        height=old.height,
        tiles=old.tiles,
        inputs=tuple(
            msgspec.structs.replace(each, network=network) if each is start else each for each in request.inputs
        ),
    )


def still_default(job: WantedJob, request: GenerationRequest) -> AskerDefaults:
    """The values of a derived request that are still the job's defaults."""
    old = narrowed(job.request, GenerationRequest)
    kept = {option.field for option in OPTIONS_WITH_DEFAULTS if option.value_of(request) == option.value_of(old)}
    return job.defaults.only(frozenset(kept))


def upscale(request: GenerationRequest, index: int, spec: ModelSpec, limits: LimitSettings) -> GenerationRequest:
    """One of a job's pictures, twice as wide and high. It is drawn anew if the model can, else resampled.

    Raises:
        Refused: the model draws no picture a second time.
    """
    if not spec.can(Capability.SEED):
        raise Refused("refused-upscale-seed", model=spec.title)
    width, height = request.width * UPSCALE, request.height * UPSCALE
    is_too_large = width * height > min(spec.bounds.max_refined_pixels, limits.max_pixels)
    is_too_long = max(width, height) > hard.MAX_SIDE
    # A second pass would only have the window of a picture of which one is drawn.
    is_drawn = spec.can(Capability.REFINING) and not (is_too_large or is_too_long or request.whole)
    cfg = spec.refine_cfg if is_drawn else None
    larger = Upscale(scale=UPSCALE, strength=spec.refine_strength if is_drawn else 0.0, guidance_scale=cfg)
    return msgspec.structs.replace(request.single(index), upscale=larger)
