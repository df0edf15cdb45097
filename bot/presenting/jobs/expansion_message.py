"""The private question before several jobs, and the answer to its buttons: pure functions to a layout."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import discord
from discord import ui

from bot.errors import Refused
from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.escaping import escape, small
from bot.presenting.jobs.job_message import notice_line
from bot.presenting.quota_message import refusal
from bot.presenting.refusal import sentence_of
from bot.presenting.summaries import summary
from bot.presenting.texts import text
from bot.quotas.standing import Outlook
from bot.requests.options.table import FIELDS, arranged
from bot.store.expansions import Expansion
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest, MorphRequest, Request, narrowed

MAX_SHOWN: Final = 5
_MAX_PROMPT: Final = 150
_MAX_NEGATIVE: Final = 60
_DIFFERENCES: Final = ("size", "steps", "cfg", "negative")
"""Options by which jobs differ, in this order; others come after them."""
_MAX_NOTICES: Final = 3
"""Most notices in a question; each job shows its own notices."""


def question(expansion: Expansion, outlook: Outlook, models: Mapping[str, ModelSpec]) -> ui.LayoutView:
    """The question: number of jobs, some prompts, notices, price, units left, and two buttons."""
    count = len(expansion.jobs)
    is_several = count > 1
    if is_several:
        lines = [text("expansion-question", count=count), *_lines(_requests(expansion), models)]
    else:
        lines = [*_single(expansion.requests[0])]
    notices = dict.fromkeys(notice_line(notice) for job in expansion.jobs for notice in job.notices)
    lines += [small(line) for line in [*notices][:_MAX_NOTICES]]
    if outlook.left is None:
        lines.append(text("expansion-price-unlimited", count=count, price=outlook.price))
    else:
        lines.append(text("expansion-price", count=count, price=outlook.price, left=outlook.left))
    if outlook.in_the_way is not None:
        sentence = sentence_of(refusal(outlook.in_the_way))
        lines.append(text("expansion-some", count=outlook.startable, sentence=sentence))
    if is_several:
        lines.append(text("expansion-hint"))
    start: ui.Button[ui.LayoutView] = ui.Button(
        label=text("button-start", count=count),
        style=discord.ButtonStyle.primary,
        custom_id=custom_id(Action.START, expansion.expansion_id),
    )
    dismiss: ui.Button[ui.LayoutView] = ui.Button(
        label=text("button-dismiss"), custom_id=custom_id(Action.DISMISS, expansion.expansion_id)
    )
    return _layout(lines, ui.ActionRow(start, dismiss))


def _single(request: Request) -> Iterator[str]:
    """Why a single job is asked about first: a morph is dear; of another job, the model knows no word."""
    if isinstance(request, MorphRequest):
        ends = {"start": escape(request.prompt, _MAX_PROMPT), "end": escape(request.end_prompt, _MAX_PROMPT)}
        yield text("expansion-morph", frames=request.frames, **ends)
    else:
        yield text("expansion-hopeless")
        yield text("your-prompt", prompt=escape(request.prompt))


def started(
    expansion: Expansion, count: int, refused: Refused | None, models: Mapping[str, ModelSpec]
) -> ui.LayoutView:
    """The number of started jobs. With `refused`, also its reason and the other prompts, so that none is lost."""
    if refused is None:
        return _layout([text("expansion-started", count=count)])
    values = {"count": count, "asked": len(expansion.jobs), "sentence": sentence_of(refused)}
    return _layout([text("expansion-started-some", **values), *_lines(_requests(expansion), models, after=count)])


def dismissed() -> ui.LayoutView:
    """The answer to a dismissed question: no job was started."""
    return _layout([text("expansion-dismissed")])


def _requests(expansion: Expansion) -> list[GenerationRequest]:
    """The requests of an expansion. Only prompts for pictures expand."""
    return [narrowed(request, GenerationRequest) for request in expansion.requests]


def _lines(requests: Sequence[GenerationRequest], models: Mapping[str, ModelSpec], after: int = 0) -> Iterator[str]:
    """The first few requests after the first `after` ones, each with its differences from the others."""
    shown = requests[after : after + MAX_SHOWN]
    for number, request in enumerate(shown, after + 1):
        words = " · ".join([escape(request.prompt, _MAX_PROMPT), *_differences(request, requests, models)])
        yield text("expansion-prompt", number=number, prompt=words)
    hidden = len(requests) - after - len(shown)
    if hidden:
        yield text("expansion-more", count=hidden)


def _differences(
    request: GenerationRequest, others: Sequence[GenerationRequest], models: Mapping[str, ModelSpec]
) -> Iterator[str]:
    """Options that differ between the requests. Seeds count only for equal prompts, since seeds usually differ."""
    spec = models.get(request.model_key)
    for option in arranged(_DIFFERENCES):
        if option.name == "seed":
            continue
        if len({option.value_of(other) for other in others}) > 1:
            yield from filter(None, [summary(option, request, spec, length=_MAX_NEGATIVE)])
    if len({other.prompt for other in others}) < len(others):
        yield summary(FIELDS["seed"], request, spec)


def _layout(lines: Sequence[str], *rows: ui.ActionRow[ui.LayoutView]) -> ui.LayoutView:
    container: ui.Container[ui.LayoutView] = ui.Container(ui.TextDisplay("\n".join(lines)), *rows)
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()  # `bot.presenting.jobs.job_message` explains it
    return view
