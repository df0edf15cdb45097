"""Checks a request against the protocol's limits; the bot has already checked it against the catalogue."""

import msgspec

from pipeline.engine.failures import InvalidRequest
from pipeline.protocol import limits
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import FamilyFacts
from pipeline.protocol.inputs import USES, Input, InputRole
from pipeline.protocol.passes import passes_of
from pipeline.protocol.request_fields import FACTS
from pipeline.protocol.requests import GenerationRequest, Request
from pipeline.protocol.samplers.table import find_sampler


def check_request(request: GenerationRequest) -> None:
    """Check that every field is within the protocol's limits.

    Raises:
        InvalidRequest: a field is outside; the message names the first one.
    """
    sampler = find_sampler(request.scheduler_name)
    if sampler is None:
        raise InvalidRequest(f"There is no sampler {request.scheduler_name!r}.")
    check_bounds(request)
    _check_range("num_inference_steps", request.num_inference_steps, limits.MIN_STEPS, sampler.max_steps)
    if request.guidance_start >= request.guidance_end:
        raise InvalidRequest(f"Guidance cannot end at {request.guidance_end} and begin at {request.guidance_start}.")
    check_multiple(request, limits.SIZE_MULTIPLE)
    _check_parts(request)


def check_bounds(request: Request) -> None:
    """Check the bounds that the fields of a request declare, whatever its kind.

    Raises:
        InvalidRequest: a field is outside; the message names the first one.
    """
    for name, fact in FACTS[type(request)].items():
        if fact.lowest is None or fact.highest is None:
            continue
        value = getattr(request, name)
        if isinstance(value, str):
            _check_range("length of the text", len(value), fact.lowest, fact.highest)
        elif isinstance(value, tuple):
            _check_range(f"number of {name}", len(value), fact.lowest, fact.highest)
        else:
            _check_range(name, value, fact.lowest, fact.highest)


def _check_parts(request: GenerationRequest) -> None:
    """Check variations, upscale, inputs and the part of a picture that is drawn anew."""
    _check_range("number of variations", len(request.variations), 0, limits.MAX_VARIATIONS)
    for variation in request.variations:
        _check_range("seed of a variation", variation.seed, limits.MIN_SEED, limits.MAX_SEED)
        _check_range("strength of a variation", variation.strength, 0.0, 1.0)
    if request.upscale is not None:
        _check_range("scale", request.upscale.scale, 1, limits.MAX_SCALE)
        _check_range("strength of the upscale", request.upscale.strength, 0.0, 1.0)
        if request.upscale.guidance_scale is not None:
            least, most = limits.MIN_GUIDANCE_SCALE, limits.MAX_GUIDANCE_SCALE
            _check_range("guidance of the upscale", request.upscale.guidance_scale, least, most)
    for each in request.inputs:
        _check_input(each)
    if request.edits and request.init_image is not None:
        raise InvalidRequest("An edit has no init image; the picture that it changes is its own.")
    init_images = sum(each.role is InputRole.INIT_IMAGE for each in request.inputs)
    _check_range("number of init images", init_images, 0, 1)
    masks = [each for each in request.inputs if each.role is InputRole.MASK]
    _check_range("number of masks", len(masks), 0, 1)
    if any(each.strength != 1.0 for each in masks):
        raise InvalidRequest("A mask has no strength of its own; the strength is that of the init image.")
    _check_inpaint(request)
    _check_tiles(request)


def _check_input(given: Input) -> None:
    """Check one input by its role; a network reads controls and references, and may enlarge an init image."""
    if given.use is not None and given.use not in USES.get(given.role, ()):
        raise InvalidRequest(f"A picture with the role {given.role} has no use {given.use}.")
    if given.role not in (InputRole.CONTROL, InputRole.REFERENCE):
        _check_range("strength of an input", given.strength, limits.MIN_STRENGTH, limits.MAX_STRENGTH)
        network = "" if given.role is InputRole.INIT_IMAGE else given.network
        if (network, given.start, given.end, given.is_map, given.is_guess) != ("", 0.0, 1.0, False, False):
            raise InvalidRequest(f"A picture with the role {given.role} has no network, no window and no map.")
        return
    if given.use is None or not given.network:
        raise InvalidRequest(f"A {given.role} needs a use and a network.")
    _check_range("scale of a network", given.strength, 0.0, limits.MAX_NETWORK_SCALE)
    if not 0.0 <= given.start < given.end <= 1.0:
        raise InvalidRequest(f"A network cannot have an effect from {given.start} to {given.end}.")
    if given.role is InputRole.REFERENCE and (given.is_map or given.is_guess):
        raise InvalidRequest("A reference is neither a map nor a guess.")


def _check_inpaint(request: GenerationRequest) -> None:
    """Check that an init image comes with its mask, and that exactly one part of it is drawn anew."""
    inpaint = request.inpaint
    if inpaint is None:
        if request.mask is not None:
            raise InvalidRequest("There is a mask, but the request draws no part of a picture anew.")
        return
    if request.init_image is None:
        raise InvalidRequest("There is no init image whose part could be drawn anew.")
    parts = (bool(inpaint.cells), request.mask is not None, inpaint.outpaint is not None)
    if sum(parts) != 1:
        raise InvalidRequest("Exactly one of cells, a mask and margins says what is drawn anew.")
    for cell in inpaint.cells:
        _check_range("number of a cell", cell, 0, limits.GRID_CELLS - 1)
    _check_range("growth", inpaint.grow, -limits.MAX_GROW, limits.MAX_GROW)
    _check_whole(request)
    if inpaint.outpaint is None:
        return
    if inpaint.grow or inpaint.is_inverted:
        raise InvalidRequest("Margins neither grow nor are inverted.")
    margins = msgspec.structs.astuple(inpaint.outpaint)
    for margin in margins:
        _check_range("margin", margin, 0.0, limits.MAX_MARGIN)
    if not any(margins):
        raise InvalidRequest("At least one margin is more than 0.")


def _check_whole(request: GenerationRequest) -> None:
    """Check a picture of which only a window is drawn."""
    if request.inpaint is None or request.whole is None:
        return
    if request.inpaint.outpaint is None:
        raise InvalidRequest("Only a picture with margins has a size of its own.")
    if request.upscale is not None and request.upscale.strength:
        raise InvalidRequest("A picture of which only a window is drawn has no second pass.")
    for side in request.whole:
        _check_range("side of the picture", side, 1, limits.MAX_WHOLE_SIDE)


def _check_tiles(request: GenerationRequest) -> None:
    """Check that tiles fit into the picture, and that there are not too many."""
    tiles, start = request.tiles, request.init_image
    if start is not None and start.network and tiles is None:
        raise InvalidRequest("Only a picture that is drawn by tiles is enlarged first.")
    if tiles is None:
        return
    if start is None or request.inpaint is not None or request.controls:
        raise InvalidRequest("Only a whole picture from an init image, without controls, is drawn by tiles.")
    sides = ((tiles.width, request.width), (tiles.height, request.height))
    for side, length in sides:
        _check_range("side of a tile", side, limits.MIN_SIDE, length)
        _check_range("overlap of tiles", tiles.overlap, 0, side - limits.SIZE_MULTIPLE)
    if tiles.overlap % limits.SIZE_MULTIPLE:
        raise InvalidRequest(f"The overlap of tiles is no multiple of {limits.SIZE_MULTIPLE} pixels.")
    _check_range("number of tiles", tiles.count(request.width, request.height), 1, limits.MAX_TILES)


def check_capabilities(request: GenerationRequest, facts: FamilyFacts) -> None:
    """Check that the model's family can do what the request contains.

    What the catalogue takes from a model is no limit here: an accepted request may be older than its entry.

    Raises:
        InvalidRequest: the family cannot.
    """
    needed = {
        Capability.VARIATIONS: bool(request.variations),
        Capability.REFINING: len(passes_of(request, facts)) > 1 or request.tiles is not None,
        Capability.INIT_IMAGE: request.init_image is not None,
        Capability.MASK: request.inpaint is not None,
        Capability.CONTROL: bool(request.controls),
        Capability.REFERENCE: bool(request.references),
        Capability.EDIT: bool(request.edits),
        Capability.SEVERAL_PICTURES: len(request.edits) > 1,
        Capability.TEXT_TO_IMAGE: request.init_image is None and not request.edits,
    }
    for capability, is_needed in needed.items():
        if is_needed and capability not in facts.capabilities:
            raise InvalidRequest(f"Models of this family have no {capability}.")


def check_multiple(request: GenerationRequest, multiple: int) -> None:
    """Check that width and height, of the picture and of its tiles, are multiples of `multiple` pixels.

    Raises:
        InvalidRequest: one of them is not.
    """
    if request.width % multiple or request.height % multiple:
        raise InvalidRequest(f"{request.width} x {request.height} is no multiple of {multiple} pixels.")
    tiles = request.tiles
    if tiles is not None and (tiles.width % multiple or tiles.height % multiple):
        raise InvalidRequest(f"A tile of {tiles.width} x {tiles.height} is no multiple of {multiple} pixels.")


def _check_range(name: str, value: float, lowest: float, highest: float) -> None:
    # The condition is negated so that NaN fails too.
    if not lowest <= value <= highest:
        raise InvalidRequest(f"The {name} is {value}, outside {lowest} to {highest}.")
