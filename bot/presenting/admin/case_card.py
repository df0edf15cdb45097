"""The card of a case, in the moderators' channel and in `/admin review`."""

from collections.abc import Sequence
from typing import Final

import discord
import msgspec
from discord import ui

from bot.presenting.custom_ids import CaseAct, case_button_id
from bot.presenting.escaping import escape, relative
from bot.presenting.jobs.job_message import BLUE, GREEN, words_of
from bot.presenting.links import job_link
from bot.presenting.texts import text
from bot.store.rows.cases import Case, Report
from bot.store.rows.jobs import Job

MAX_SHOWN_CASES: Final = 3
"""Discord allows 40 components in a message, and each open case takes eleven."""
_MAX_PROMPT: Final = 300
_MAX_REPORTS: Final = 5
_MAX_NOTE: Final = 120
_NONE: Final = "none"
_ABOUT_PICTURE: Final = (CaseAct.KEEP, CaseAct.SPOILER, CaseAct.REMOVE)
_ABOUT_MEMBER: Final = (CaseAct.WARN, CaseAct.PAUSE_HOUR, CaseAct.PAUSE_DAY)


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a card shows; `warnings` are those of the member whom the case is about."""

    case: Case
    job: Job
    reports: Sequence[Report]
    warnings: int


def card(shown: Card) -> ui.LayoutView:
    """The message of one case."""
    return _view(container(shown))


def beginning() -> ui.LayoutView:
    """The first message in a channel for reports: it shows that Easel may write there."""
    return _view(ui.TextDisplay(text("reports-begin")))


def review(cards: Sequence[Card], count: int, note: str | None = None) -> ui.LayoutView:
    """The private list of open cases, below a sentence about the last decision.

    Args:
        cards: the oldest cases; at most `MAX_SHOWN_CASES`.
        count: the number of all open cases.
        note: the sentence.
    """
    lines = [note] if note else []
    lines.append(text("review-head", count=count))
    if count > len(cards):
        lines.append(text("admin-more", count=count - len(cards)))
    return _view(ui.TextDisplay("\n".join(lines)), *map(container, cards))


def container(shown: Card) -> ui.Container[ui.LayoutView]:
    """The facts of a case, and buttons: about the picture until it is decided, and always about the member."""
    case = shown.case
    found: ui.Container[ui.LayoutView] = ui.Container(
        ui.TextDisplay("\n".join(_lines(shown))), accent_color=BLUE if case.outcome is None else GREEN
    )
    if case.outcome is None:
        found.add_item(ui.ActionRow(*(_button(act, case.case_id) for act in _ABOUT_PICTURE)))
    found.add_item(ui.ActionRow(*(_button(act, case.case_id) for act in _ABOUT_MEMBER)))
    return found


def _lines(shown: Card) -> list[str]:
    case, job = shown.case, shown.job
    lines = [
        text("case-report", case_id=case.case_id, job=job_link(job), user_id=str(case.user_id)),
        text("case-prompt", prompt=escape(words_of(job), _MAX_PROMPT)),
    ]
    lines += [
        text(
            "case-reporter",
            reporter_id=str(report.reporter_id),
            reason=text(f"report-reason-{report.reason}"),
            note=escape(report.note, _MAX_NOTE) or _NONE,
        )
        for report in shown.reports[-_MAX_REPORTS:]
    ]
    if len(shown.reports) > _MAX_REPORTS:
        lines.append(text("admin-more", count=len(shown.reports) - _MAX_REPORTS))
    if shown.warnings:
        lines.append(text("case-warnings", count=shown.warnings))
    if case.outcome is not None and case.decided_at is not None:
        decided = {"actor_id": str(case.decided_by or 0), "when": relative(case.decided_at)}
        lines.append(text(f"case-decided-{case.outcome}", **decided))
    elif case.is_veiled:
        lines.append(text("case-veiled"))
    return lines


def _button(act: CaseAct, case_id: int) -> ui.Button[ui.LayoutView]:
    style = discord.ButtonStyle.danger if act is CaseAct.REMOVE else discord.ButtonStyle.secondary
    return ui.Button(label=text(f"button-case-{act}"), style=style, custom_id=case_button_id(act, case_id))


def _view(*items: ui.Item[ui.LayoutView]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
