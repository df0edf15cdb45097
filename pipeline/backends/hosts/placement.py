"""Which worker gets a job: those that can draw it, and the best of them."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from pipeline.protocol.requests import GenerationRequest, Request, UpscaleRequest
from pipeline.protocol.wire.messages import Ready

_SHARED: Final = 0.5
"""Part of an attempt's cost that is saved beside others of its model, in shared forward passes. Benchmark `batching`
measures more on a processor; on a full GPU it is less."""
_LORA: Final = re.compile(r"<lora:\s*([^:>]+?)\s*[:>]", re.IGNORECASE)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that could get a job.

    Attributes:
        name: its name; the local one has none.
        ready: what it said of itself.
        free: number of attempts that it can take.
        same_model: number of its running attempts with the job's model. They share forward passes with it.
        is_loaded: whether it drew with this model last, so that it need not load it.
        usual_s: measured seconds of such a job there; 0 if they are not known.
        is_resting: whether it gets only what no other worker can draw.
    """

    name: str
    ready: Ready
    free: int
    same_model: int = 0
    is_loaded: bool = False
    usual_s: float = 0.0
    is_resting: bool = False


def can_draw(ready: Ready, request: Request) -> bool:
    """Whether a worker has the model, the other networks and the LoRAs that a request names."""
    if request.model_key not in ready.models:
        return False
    if any(each.network in ready.missing for each in request.inputs if each.network):
        return False
    if isinstance(request, UpscaleRequest):
        return not request.faces or request.faces in ready.models
    return not isinstance(request, GenerationRequest) or _lora_names(request) <= _known_loras(ready)


def best(candidates: Iterable[Candidate], request: Request) -> Candidate | None:
    """The worker for a job: model loaded, then the soonest end; None if none that may draw it has room."""
    return min(_able(candidates, request), key=_order, default=None)


def emptiest(candidates: Iterable[Candidate], request: Request) -> Candidate | None:
    """The worker that is empty soonest for a job that must run alone; None if none that may draw it has room."""
    return min(_able(candidates, request), key=lambda each: each.ready.capacity - each.free, default=None)


def open_models(candidates: Iterable[Candidate]) -> frozenset[str]:
    """Keys of the models with which some worker may take an attempt now."""
    candidates = [*candidates]
    awake = {key for each in candidates if not each.is_resting for key in each.ready.models}
    return frozenset(
        key
        for each in candidates
        if each.free > 0
        for key in each.ready.models
        if not each.is_resting or key not in awake
    )


def _able(candidates: Iterable[Candidate], request: Request) -> list[Candidate]:
    """Workers with room that can draw a job. Those that rest are left out if another, with room or without, can."""
    able = [each for each in candidates if can_draw(each.ready, request)]
    awake = [each for each in able if not each.is_resting]
    return [each for each in awake or able if each.free > 0]


def _order(each: Candidate) -> tuple[bool, float, float]:
    running = each.ready.capacity - each.free - _SHARED * each.same_model
    load = (running + 1) / each.ready.capacity
    return not each.is_loaded, load * each.usual_s, load


def _lora_names(request: GenerationRequest) -> set[str]:
    texts = (request.prompt, request.negative_prompt)
    return {name.casefold() for text in texts for name in _LORA.findall(text)}


def _known_loras(ready: Ready) -> set[str]:
    return {entry.name.casefold() for entry in ready.loras}
