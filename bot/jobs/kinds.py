"""The table of kinds of work. A row says everything that differs between the requests of two kinds.

Dispatcher, queue, ledger, recovery and store never look at a kind. Accepting, delivery, commands and views ask this
table.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec
from discord import ui

from bot.calls.repeating import Files
from bot.presenting.animations import messages as animations
from bot.presenting.custom_ids import Action
from bot.presenting.cutouts import messages as cutouts
from bot.presenting.images import details_message, done_message
from bot.presenting.jobs import job_buttons, job_message
from bot.presenting.jobs.job_message import Allowance, Prospect
from bot.presenting.jobs.output_files import ShownOutput
from bot.presenting.upscales import messages as upscales
from bot.quotas.pricing import Networks, Pricing, cutout_price, making_of_price, morph_price, price, rows, upscale_price
from bot.requests.typed.known_words import drawn_alike
from bot.store.rows.jobs import Job
from bot.store.rows.outputs import Output
from bot.store.timings import Workload
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import (
    CutoutRequest,
    GenerationRequest,
    MakingOfRequest,
    MorphRequest,
    Request,
    UpscaleRequest,
    kind_name,
)
from pipeline.protocol.wire.outputs import Notice

R = TypeVar("R", bound=Request)


class PresentRunning(Protocol):
    """A presenter of running jobs."""

    def __call__(
        self, job: Job, /, *, step: int, total_steps: int, ends_at: datetime | None, preview_name: str | None
    ) -> ui.LayoutView:
        """The message of a running job; `preview_name` is the attachment with the newest preview."""
        ...


class PresentDone(Protocol):
    """A presenter of finished jobs."""

    def __call__(
        self, job: Job, /, *, outputs: tuple[ShownOutput, ...], spec: Any, allowance: Allowance
    ) -> ui.LayoutView:
        """The message of a finished job with the outputs that arrived; `spec` is None if its entry is gone."""
        ...


def _one(_: Request) -> int:
    return 1


def _no_notice(_: Request, __: object) -> None:
    return None


class Kind(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """A kind of work. A `spec` is the entry of the catalogue that its `model_key` names, of the class that it needs.

    Attributes:
        is_drawn: whether a remix repeats its request with other words; otherwise a remix starts from its output.
        is_checked: whether the image check looks at its outputs, where the owner wants it.
        actions: buttons that only some kinds have; `ABOUT_ANY_JOB` are those of all.
        done: the message with its outputs.
        details: the answer to `Action.DETAILS`, and its attachments.
        queued: the message of a waiting job.
        running: the message of a running job.
        price: units that a request costs; the default model's usual picture costs 1. The arguments are the request, its
            `spec`, the default model, the owner's pricing, and the control nets and reference adapters by key.
        size: size of one output, such as its pixels; the expected time is proportional to it.
        rows: rows of all forward passes, or other repeated work; the expected time of denoising is proportional to it.
        notice: a fact about a request and its `spec`; a member reads it only with the first such job.
    """

    is_drawn: bool = False
    is_checked: bool
    actions: frozenset[Action] = frozenset()
    done: PresentDone
    details: Callable[[Job, Any, Sequence[Output]], tuple[ui.LayoutView, Files]]
    queued: Callable[[Job, Prospect], ui.LayoutView] = job_message.queued
    running: PresentRunning = job_message.running
    price: Callable[[R, Any, ModelSpec, Pricing, Networks], int]
    size: Callable[[R], int] = _one
    rows: Callable[[R], int] = _one
    notice: Callable[[R, Any], Notice | None] = _no_notice


KINDS: Final[Mapping[type[Request], Kind[Any]]] = MappingProxyType(
    {
        GenerationRequest: Kind[GenerationRequest](
            is_drawn=True,
            is_checked=True,
            actions=frozenset(
                {
                    *(Action.REROLL, Action.UPSCALE, Action.VARY_SUBTLE, Action.VARY_STRONG, Action.REMIX),
                    *(Action.MAKING_OF, Action.MORPH, Action.REGION, Action.ZOOM_OUT, Action.PAN, *job_buttons.PANS),
                }
            ),
            done=done_message.done,
            details=details_message.details,
            price=price,
            size=lambda request: request.width * request.height,
            rows=rows,
            notice=lambda request, spec: drawn_alike(request.prompt, spec),
        ),
        MakingOfRequest: Kind[MakingOfRequest](
            is_checked=True,
            done=animations.done,
            details=animations.details,
            price=making_of_price,
            size=lambda request: request.width * request.height,
            rows=rows,
        ),
        MorphRequest: Kind[MorphRequest](
            is_checked=True,
            done=animations.morph_done,
            details=animations.details,
            price=morph_price,
            size=lambda request: request.width * request.height,
            rows=lambda request: request.frames * rows(request),
        ),
        UpscaleRequest: Kind[UpscaleRequest](
            is_checked=True,
            actions=frozenset({Action.VARY_SUBTLE, Action.VARY_STRONG, Action.REMIX}),
            running=upscales.running,
            done=upscales.done,
            details=upscales.details,
            price=upscale_price,
            size=lambda request: request.width * request.height,
        ),
        CutoutRequest: Kind[CutoutRequest](
            is_checked=True,
            running=cutouts.running,
            done=cutouts.done,
            details=cutouts.details,
            price=cutout_price,
        ),
    }
)
"""A row for each member of the union `Request`."""


def kind_of(request: R) -> Kind[R]:
    """The row of a request."""
    return KINDS[type(request)]


def ended(job: Job) -> ui.LayoutView:
    """The message of a job that ended without outputs, with the buttons of its kind."""
    kind = kind_of(job.request)
    return job_message.ended(job, kind.actions if kind.is_drawn else kind.actions - {Action.REMIX})


def workload_of(request: Request) -> Workload:
    """The facts that a request's duration depends on."""
    kind = kind_of(request)
    return Workload(
        kind=kind_name(request),
        model_key=request.model_key,
        size=kind.size(request),
        rows=kind.rows(request),
        outputs=request.output_count,
    )
