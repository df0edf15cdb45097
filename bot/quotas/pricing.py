"""The price of a job: a pure function of the request and the catalogue, so that it is independent of the load."""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from pipeline.prompts.concepts import read_concepts
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import FamilyFacts, ModelSpec
from pipeline.protocol.catalogue.networks import ControlSpec, CutoutSpec, GuideSpec, ReferenceSpec, UpscalerSpec
from pipeline.protocol.inputs import Input
from pipeline.protocol.limits import NO_GUIDANCE, UPSCALES
from pipeline.protocol.passes import Pass, evaluations_within, passes_of, shown_steps, total_steps
from pipeline.protocol.requests import CutoutRequest, GenerationRequest, MakingOfRequest, MorphRequest, UpscaleRequest
from pipeline.protocol.samplers.table import SAMPLERS
from pipeline.protocol.usual import usual_request

_REFERENCE_PIXELS: Final = 512 * 512
_FACES_TFLOP: Final = 0.396

Pricing = Literal["flat", "work"]


Networks = Mapping[str, GuideSpec | UpscalerSpec]
"""Networks of the catalogue that an input may name, by key."""


def price(
    request: GenerationRequest,
    spec: ModelSpec,
    default: ModelSpec,
    pricing: Pricing,
    networks: Networks = MappingProxyType({}),
) -> int:
    """Units that a job costs. They are shown before the start and held while the job runs; no charge exceeds them.

    `flat` is one unit for each image. `work` is relative to one image with the default model's defaults and guidance in
    every step. It is rounded up once: ceil((images x (rows x U(P) + D x P) + encodes x E x P + T) / unit), where
    P = pixels / 512^2. The model's `cost` in the catalogue gives the others: U(P) = c + a P + b P^2 for one row of its
    network, D for its decoder, E for its encoder and T for its text encoder. They are in TFLOP, as torch's
    FlopCounterMode counts them. Each evaluation of the sampler is one row for the prompt; a sampler may have two
    evaluations in a step. With guidance above 1, the negative prompt adds a row, unless the model is distilled and
    reads none. Each further concept of a prompt (`AND`) adds a row. An edit that is guided towards its picture adds a
    row without the picture. A few pipelines draw these rows at every scale, and pay for them. An upscaled picture's
    second pass counts like a job with its steps and its size.
    A picture that is drawn in tiles has a row for each tile, with its pixels as P in U(P).
    The pictures of an edit by a whole pipeline stand beside the drawn one in every row, so P is then as many times
    larger in U(P).

    An upscaler that enlarges the init image first adds its own work.

    A control net adds its work x P for each row that it steers, in the evaluations of its window; a T2I-Adapter adds
    its own once for each pass. A reference adapter adds its cost for each picture, once for the whole job. A network
    that the catalogue does not list any more adds nothing.
    """
    if pricing == "flat":
        return request.num_images
    beside = _control_work(request, spec, networks) + _reference_work(request, networks)
    return _units(_request_work(request, spec) + beside + _enlarging_work(request, networks), default)


def making_of_price(
    request: MakingOfRequest,
    spec: ModelSpec,
    default: ModelSpec,
    pricing: Pricing,
    networks: Networks = MappingProxyType({}),
) -> int:
    """Units that a making-of costs: its picture, and by work the decoding of both latents of each shown step."""
    if pricing == "flat":
        return 1
    beside = _control_work(request, spec, networks) + _reference_work(request, networks)
    last = passes_of(request, spec.facts)[-1]
    decodes = 2 * shown_steps(total_steps(passes_of(request, spec.facts)))
    decoding = decodes * spec.work.decode * last.pixels / _REFERENCE_PIXELS
    return _units(_request_work(request, spec) + decoding + beside + _enlarging_work(request, networks), default)


def morph_price(
    request: MorphRequest,
    spec: ModelSpec,
    default: ModelSpec,
    pricing: Pricing,
    networks: Networks = MappingProxyType({}),
) -> int:
    """Units that a morph costs: its frames as pictures of one job."""
    del networks  # it has no inputs
    if pricing == "flat":
        return request.frames
    return _units(_request_work(msgspec.structs.replace(request, num_images=request.frames), spec), default)


def upscale_price(
    request: UpscaleRequest,
    spec: UpscalerSpec,
    default: ModelSpec,
    pricing: Pricing,
    _: Networks = MappingProxyType({}),
) -> int:
    """Units that an enlarged picture costs: one, or by its work: ceil(cost x million pixels / unit).

    The pixels are those that the network makes. A network of scale 4 does the same work for a picture that is enlarged
    2 times: a filter halves its result. Repaired faces count as one face of GFPGAN, however many are found.
    """
    if pricing == "flat":
        return 1
    faces = _FACES_TFLOP if request.faces else 0.0
    return _units(spec.cost * spec.made_pixels(request.width * request.height, request.scale) / 1e6 + faces, default)


def cutout_price(
    _: CutoutRequest,
    spec: CutoutSpec,
    default: ModelSpec,
    pricing: Pricing,
    __: Networks = MappingProxyType({}),
) -> int:
    """Units that a cutout costs: one, or by its network's work, which is the same for every picture."""
    return 1 if pricing == "flat" else _units(spec.cost, default)


def _units(work: float, default: ModelSpec) -> int:
    """Work in TFLOP as units, at least one; a unit is one image with the default model's defaults."""
    usual = msgspec.structs.replace(usual_request(default), guidance_start=0.0, guidance_end=1.0)
    unit = _request_work(usual, default)
    # The tiny allowance absorbs rounding of the quotient, so that one default image always costs one unit.
    return max(1, math.ceil(work / unit - 1e-9))


def part(price: int, *, delivered: int, requested: int) -> int:
    """Units charged if some outputs of a job were not delivered: the delivered part, rounded up to whole units."""
    return min(price, -(-price * delivered // requested))


def rows(request: GenerationRequest) -> int:
    """Rows of the whole job: images x texts x evaluations. A row of an upscaled pass counts as several of the first.

    A family that rounds the steps of a pass from a picture up may draw one step more than these count. A model that
    edits has three rows in a guided evaluation, which count as two.
    """
    concepts = len(read_concepts(request.prompt))
    by_pass = _rows_by_pass(request, FamilyFacts(), guided=concepts + 1, unguided=1 if concepts == 1 else concepts + 1)
    first_pixels = by_pass[0][0].pixels
    return request.num_images * sum(
        sum(counts) * each.tile_count * each.row_pixels // first_pixels for each, counts in by_pass
    )


def _encodes(request: GenerationRequest, spec: ModelSpec) -> int:
    """Pictures that the first pass encodes: those of an edit; the init image, and it without the part drawn anew.

    Each is encoded once for all images; but a diffusers pipeline encodes its init image for each of them. A second
    pass encodes each image, enlarged.
    """
    if request.init_image is None:
        return len(request.edits)
    starts = request.num_images if spec.family == "pipeline" else 1
    return starts if request.inpaint is None else 2 * starts


def _rows_of_model(request: GenerationRequest, spec: ModelSpec) -> list[tuple[Pass, list[int]]]:
    """Each pass of a request, and the number of rows for one image in each of its evaluations.

    A guidance-distilled network takes the scale as an input, and has one row. Each concept of the prompt has a row;
    several need that of the negative prompt in every step, at any scale. Guidance towards the picture of an edit
    has a row with neither words nor picture; a model that draws nothing without a picture always edits one.
    """
    has_second = spec.can(Capability.NEGATIVE_PROMPT) or spec.can(Capability.UNCONDITIONAL_ROW)
    is_edit = bool(request.edits) or not spec.can(Capability.TEXT_TO_IMAGE)
    has_third = is_edit and spec.can(Capability.EDIT) and spec.can(Capability.EDIT_STRENGTH)
    concepts = len(read_concepts(request.prompt)) if spec.has_concepts else 1
    guided = concepts + has_second + (has_second and has_third)
    if concepts > 1:
        return _rows_by_pass(request, spec.facts, guided=guided, unguided=guided)
    return _rows_by_pass(request, spec.facts, guided=guided, unguided=1 if spec.can(Capability.UNGUIDED) else guided)


def _rows_by_pass(
    request: GenerationRequest, facts: FamilyFacts, *, guided: int, unguided: int
) -> list[tuple[Pass, list[int]]]:
    """Each pass of a request, and the number of rows for one image in each of its evaluations.

    Args:
        request: the request.
        facts: facts about the family of its model.
        guided: rows of an evaluation with guidance.
        unguided: rows of one without.
    """
    passes = passes_of(request, facts)
    total = total_steps(passes)
    is_on = [each.guidance_scale > NO_GUIDANCE for each in passes for _ in range(each.steps)]
    counts = [
        guided if is_on and request.guides(step, total) else unguided for step, is_on in enumerate(is_on, start=1)
    ]
    first_steps = accumulate((each.steps for each in passes), initial=0)
    return [
        (each, _rows_of_pass(request, counts[first : first + each.steps]))
        for each, first in zip(passes, first_steps, strict=False)
    ]


def _rows_of_pass(request: GenerationRequest, counts: Sequence[int]) -> list[int]:
    """Rows of one image in each evaluation of a pass, from those in an evaluation of each of its steps."""
    sampler = SAMPLERS[request.scheduler_name]
    each = [count for count in counts for _ in range(sampler.evaluations_per_step)]
    repeated = each[:1] if sampler.evaluates_second_twice else []
    # With two evaluations a step, the last step of a pass has only one.
    return [*repeated, *each][: sampler.evaluations(len(counts))]


def _request_work(request: GenerationRequest, spec: ModelSpec) -> float:
    """TFLOP of a job."""
    images, encodes = request.num_images, _encodes(request, spec)
    beside = len(request.edits) if spec.facts.edits_lengthen else 0
    return sum(
        _work(
            spec,
            images=images,
            rows=sum(counts) * each.tile_count,
            row_pixels=each.row_pixels,
            encodes=encodes if is_first else images,
            pixels=each.pixels,
            beside=beside,
        )
        for is_first, (each, counts) in zip((True, False), _rows_of_model(request, spec), strict=False)
    )


def _control_work(request: GenerationRequest, spec: ModelSpec, networks: Networks) -> float:
    """TFLOP of the control nets of a job."""
    return sum(
        _steering_work(request, given, networks, counts) * each.pixels / _REFERENCE_PIXELS
        for each, counts in _rows_of_model(request, spec)
        for given in request.controls
    )


def _reference_work(request: GenerationRequest, networks: Networks) -> float:
    """TFLOP of image encoders: each reference picture is encoded once, for all images and passes."""
    adapters = [networks.get(given.network) for given in request.references]
    return sum(adapter.cost for adapter in adapters if isinstance(adapter, ReferenceSpec))


def _enlarging_work(request: GenerationRequest, networks: Networks) -> float:
    """TFLOP of the upscaler that enlarges an init image to the drawn size; 2 times is counted, which is the most."""
    start = request.init_image
    upscaler = None if start is None else networks.get(start.network)
    if not isinstance(upscaler, UpscalerSpec):
        return 0.0
    scale = min(UPSCALES)
    return upscaler.cost * upscaler.made_pixels(request.width * request.height // scale**2, scale) / 1e6


def _steering_work(request: GenerationRequest, given: Input, networks: Networks, row_counts: Sequence[int]) -> float:
    """TFLOP of one control net in a pass, for each P; `row_counts` are rows of one image in each evaluation."""
    net = networks.get(given.network)
    if not isinstance(net, ControlSpec):
        return 0.0
    if net.kind == "t2i-adapter":
        return net.work
    steered = [row_counts[index] for index in evaluations_within(given.start, given.end, len(row_counts))]
    # In guess mode the rows of the negative prompt are not steered.
    return request.num_images * net.work * (len(steered) if given.is_guess else sum(steered))


def _work(
    spec: ModelSpec, *, images: int, rows: int, row_pixels: int, pixels: int, encodes: int = 0, beside: int = 0
) -> float:
    """TFLOP of one pass of a job; `beside` is the number of pictures of an edit in each row."""
    cost = spec.work
    p = pixels / _REFERENCE_PIXELS
    wide = row_pixels / _REFERENCE_PIXELS * (1 + beside)
    row = cost.row_constant + cost.row_linear * wide + cost.row_quadratic * wide * wide
    return images * (rows * row + cost.decode * p) + encodes * cost.encode * p + cost.text
