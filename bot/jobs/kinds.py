"""The table of kinds of work. A row says everything that differs between requests of two kinds.

Dispatcher, queue, ledger, recovery and store know no kind. What they need of one, they read from its row.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

import msgspec

from bot.quotas.pricing import Pricing, price, rows
from bot.requests.typed.known_words import drawn_alike
from bot.store.timings import Workload
from pipeline.protocol.messages import Notice
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest, Request, kind_name

R = TypeVar("R", bound=Request)


def _one(_: Request) -> int:
    return 1


def _no_notice(_: Request, __: ModelSpec) -> None:
    return None


class Kind(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """A kind of work.

    Attributes:
        price: units that a request costs with its model; the default model's usual picture is the measure.
        size: size of one output, such as its pixels; the expected time is proportional to it.
        passes: repeated work of the whole job; the expected time of denoising is proportional to it.
        notice: a fact about a request and its model that its member reads once.
    """

    price: Callable[[R, ModelSpec, ModelSpec, Pricing], int]
    size: Callable[[R], int] = _one
    passes: Callable[[R], int] = _one
    notice: Callable[[R, ModelSpec], Notice | None] = _no_notice


KINDS: Final[Mapping[type[Request], Kind[Any]]] = MappingProxyType(
    {
        GenerationRequest: Kind[GenerationRequest](
            price=price,
            size=lambda request: request.width * request.height,
            passes=rows,
            notice=lambda request, spec: drawn_alike(request.prompt, spec),
        ),
    }
)
"""A row for each member of the union `Request`."""


def kind_of(request: R) -> Kind[R]:
    """The row of a request."""
    return KINDS[type(request)]


def workload_of(request: Request) -> Workload:
    """The facts that a request's duration depends on."""
    kind = kind_of(request)
    return Workload(
        kind=kind_name(request),
        model_key=request.model_key,
        size=kind.size(request),
        passes=kind.passes(request),
        outputs=request.output_count,
    )
