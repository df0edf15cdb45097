"""The card of a case, in the moderators' channel and in `/admin review`."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

import discord
import msgspec
from discord import ui

from bot.presenting.custom_ids import CaseAct, block_id, case_button_id, except_id
from bot.presenting.escaping import escape, relative
from bot.presenting.jobs.job_buttons import RATED
from bot.presenting.jobs.job_message import BLUE, GREEN, notice_line, words_of
from bot.presenting.jobs.output_files import attachment
from bot.presenting.links import job_link
from bot.presenting.texts import text
from bot.safety.gate import OWNER
from bot.store.hits import IMAGE_CHECK, StoredHit
from bot.store.rows.cases import Case, CaseKind, Outcome, Report
from bot.store.rows.jobs import Job
from pipeline.protocol.wire.outputs import Rating

MAX_SHOWN_CASES: Final = 3
"""Discord allows 40 components in a message, and each open case takes at most twelve."""
_MAX_PROMPT: Final = 300
_MAX_REPORTS: Final = 5
_MAX_NOTE: Final = 120
WORD: Final = "word"
REASON: Final = "reason"
DURATION: Final = "for"
_MAX_REASON: Final = 200
_MAX_DURATION: Final = 40
_MAX_WORD: Final = 100
_NONE: Final = "none"
_ABOUT_PICTURE: Final = (CaseAct.KEEP, CaseAct.SPOILER, CaseAct.REMOVE, CaseAct.BLOCK_PICTURE)
_ABOUT_HELD: Final = (CaseAct.SHOW, CaseAct.REFUSE, CaseAct.BLOCK_PICTURE)
_BUTTONS: Final = MappingProxyType(
    {Outcome.ALLOW_ONCE: CaseAct.ALLOW_ONCE, Outcome.EXCEPT: CaseAct.EXCEPT, Outcome.KEEP: CaseAct.UPHOLD}
)
"""How moderators may decide an appeal."""
_ABOUT_MEMBER: Final = (CaseAct.WARN, CaseAct.PAUSE_HOUR, CaseAct.PAUSE_DAY, CaseAct.BLOCK)


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a card shows: a job or a refused request.

    Attributes:
        files: a held job's pictures.
        warnings: those of the member whom the case is about that still count.
    """

    case: Case
    job: Job | None
    hit: StoredHit | None
    reports: Sequence[Report]
    files: Sequence[tuple[str, bytes]] = ()
    warnings: int

    @property
    def locale(self) -> str:
        """The language of the member whom the case is about."""
        if self.job is not None:
            return self.job.origin.locale
        return "" if self.hit is None else self.hit.locale


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
    if shown.files:
        pictures = (discord.MediaGalleryItem(attachment(name), spoiler=True) for name, _ in shown.files)
        found.add_item(ui.MediaGallery(*pictures))
    if case.outcome is None:
        found.add_item(ui.ActionRow(*(_button(act, case.case_id) for act in _deciding(shown))))
    found.add_item(ui.ActionRow(*(_button(act, case.case_id) for act in _ABOUT_MEMBER)))
    return found


def _deciding(shown: Card) -> Sequence[CaseAct]:
    """The buttons that decide a case. A server's moderators do not loosen a rule of the owner."""
    if shown.case.kind is CaseKind.REPORT:
        return _ABOUT_PICTURE
    if shown.case.kind is CaseKind.HELD:
        return _ABOUT_HELD
    return tuple(_BUTTONS[outcome] for outcome in outcomes_of(shown.hit))


def outcomes_of(hit: StoredHit | None) -> Sequence[Outcome]:
    """How a server's moderators may decide an appeal.

    They do not loosen a rule of the owner, and no word is to blame for a hidden picture.
    """
    if hit is None or hit.whose == OWNER or (hit.whose, hit.word) == (IMAGE_CHECK, Rating.BLOCKED):
        return (Outcome.KEEP,)
    return (Outcome.ALLOW_ONCE, Outcome.KEEP) if hit.whose == IMAGE_CHECK else tuple(_BUTTONS)


def _lines(shown: Card) -> list[str]:
    case = shown.case
    lines = [*_report_lines(shown), *_appeal_lines(shown)]
    if shown.warnings:
        lines.append(text("case-warnings", count=shown.warnings))
    if case.outcome is not None and case.decided_at is not None:
        decided = {"actor_id": str(case.decided_by or 0), "when": relative(case.decided_at)}
        key = "case-upheld" if (case.kind, case.outcome) == (CaseKind.APPEAL, Outcome.KEEP) else None
        lines.append(text(key or f"case-decided-{case.outcome}", **decided))
    elif case.is_veiled:
        lines.append(text("case-veiled"))
    return lines


def _report_lines(shown: Card) -> list[str]:
    case, job = shown.case, shown.job
    if job is None or case.kind is CaseKind.APPEAL:
        return []
    lines = [
        text(
            "case-held" if case.kind is CaseKind.HELD else "case-report",
            case_id=case.case_id,
            job=job_link(job),
            user_id=str(case.user_id),
        ),
        text("case-prompt", prompt=escape(words_of(job), _MAX_PROMPT)),
    ]
    if case.kind is CaseKind.HELD:
        lines += [notice_line(notice) for notice in job.notices if notice.key in ("notice-review", "notice-looked-at")]
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
    return lines


def _appeal_lines(shown: Card) -> list[str]:
    case, hit = shown.case, shown.hit
    if case.kind is not CaseKind.APPEAL:
        return []
    head = text("case-appeal", case_id=case.case_id, user_id=str(case.user_id))
    if hit is None:
        return [head, text("case-appeal-gone")]
    prompt = text("case-prompt", prompt=escape(hit.request.prompt, _MAX_PROMPT))
    if hit.whose == IMAGE_CHECK:
        hidden = text("case-appeal-hidden", case_id=case.case_id, user_id=str(case.user_id))
        return [hidden, *_rated(shown, hit.word), prompt]
    how = ", ".join(text(f"how-{way}") for way in hit.how)
    return [
        head,
        text(
            "case-hit",
            whose=hit.whose,
            rule=hit.rule,
            word=escape(hit.word, _MAX_NOTE),
            part=escape(hit.part, _MAX_NOTE),
            how=how,
        ),
        prompt,
    ]


def _rated(shown: Card, rating: str) -> list[str]:
    """What the image check took hidden pictures for, and how sure it was, where the job still says so."""
    notices = () if shown.job is None else shown.job.notices
    score = next((notice.values.get("score") for notice in notices if notice.key == RATED), 0)
    line = text("notice-rated", rating=rating)
    return [f"{line} {text('case-score', score=score)}" if score else line]


def _button(act: CaseAct, case_id: int) -> ui.Button[ui.LayoutView]:
    style = discord.ButtonStyle.danger if act is CaseAct.REMOVE else discord.ButtonStyle.secondary
    return ui.Button(label=text(f"button-case-{act}"), style=style, custom_id=case_button_id(act, case_id))


def _view(*items: ui.Item[ui.LayoutView]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view


def exception_form(case_id: int, hit: StoredHit) -> ui.Modal:
    """The form in which a moderator names the words that are allowed."""
    form = ui.Modal(title=text("exception-title"), custom_id=except_id(case_id), timeout=None)
    field = ui.TextInput[Any](custom_id=WORD, default=_whole(hit)[:_MAX_WORD], required=True, max_length=_MAX_WORD)
    form.add_item(ui.Label(text=text("exception-word"), description=text("exception-hint"), component=field))
    return form


def block_form(case_id: int) -> ui.Modal:
    """The form in which a moderator says why a member is blocked, and for how long."""
    form = ui.Modal(title=text("block-title"), custom_id=block_id(case_id), timeout=None)
    reason = ui.TextInput[Any](custom_id=REASON, required=False, max_length=_MAX_REASON)
    form.add_item(ui.Label(text=text("block-why"), description=text("option-admin-reason-notified"), component=reason))
    length = ui.TextInput[Any](custom_id=DURATION, required=False, max_length=_MAX_DURATION)
    form.add_item(ui.Label(text=text("block-how-long"), description=text("option-admin-for"), component=length))
    return form


def _whole(hit: StoredHit) -> str:
    """The found part with the rest of its words: a rule such as `star*` finds only the beginning of `starfish`."""
    prompt = hit.request.prompt
    start = prompt.find(hit.part)
    if start < 0:
        return hit.part
    end = start + len(hit.part)
    while start and prompt[start - 1].isalnum():
        start -= 1
    while end < len(prompt) and prompt[end].isalnum():
        end += 1
    return prompt[start:end]
