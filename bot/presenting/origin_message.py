"""Where a file comes from, as members are told. Texts of the file are its maker's, and are escaped."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from discord import ui

from bot.presenting.escaping import escape
from bot.presenting.jobs.job_message import prompt_of
from bot.presenting.links import job_link
from bot.presenting.texts import text
from bot.store.rows.jobs import Job
from provenance.messages import Reading
from provenance.verdict import Verdict

_SHOWN_PROMPT = 100


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What is told about a file.

    Attributes:
        verdict: where it comes from.
        reading: what it says of itself.
        is_vouched: whether somebody else's certificate leads to one that the owner trusts.
        jobs: the jobs of the pictures that it is, or looks like; None for one that the member may not know about.
        made_at: when the picture that it is was made, which everybody may know; None if that is not known.
    """

    verdict: Verdict
    reading: Reading
    is_vouched: bool
    jobs: tuple[Job | None, ...]
    made_at: datetime | None


def origin(told: Origin) -> ui.Container[ui.LayoutView]:
    """The part "Where it comes from"."""
    return _part([_sentence(told), *_places(told)])


def unknown_origin(why: str) -> ui.Container[ui.LayoutView]:
    """The part of a file that is not judged."""
    return _part([why])


def _part(lines: Sequence[str]) -> ui.Container[ui.LayoutView]:
    return ui.Container(ui.TextDisplay("\n".join([f"**{text('verify-head')}**", *lines])))


def _sentence(told: Origin) -> str:
    found = told.reading.credentials
    if told.verdict is Verdict.FOREIGN and found is not None:
        return text(
            "verify-foreign",
            signer=escape(found.signer) or "?",
            vouched="yes" if told.is_vouched else "no",
            made="ai" if found.is_ai else "other",
            has_tool="yes" if found.tool else "no",
            tool=escape(found.tool),
            count=found.ingredients,
        )
    if told.verdict is Verdict.CLAIMED:
        tool = told.reading.tool
        return text("verify-claimed", has_tool="yes" if tool else "no", tool=escape(tool))
    if told.verdict is Verdict.INTACT:
        return text("verify-intact", at="unknown" if told.made_at is None else _moment(told.made_at))
    return text(f"verify-{told.verdict}")


def _places(told: Origin) -> list[str]:
    """A line for each job that the member may know about, and one for all others."""
    is_told_when = told.verdict is Verdict.INTACT
    lines = [
        text(
            "verify-job",
            job=job_link(job),
            requester_id=str(job.requester_id),
            at="told" if is_told_when else _moment(job.finished_at or job.created_at),
            prompt=escape(prompt_of(job), _SHOWN_PROMPT),
        )
        for job in told.jobs
        if job is not None
    ]
    return lines + [text("verify-elsewhere")] * (None in told.jobs)


def _moment(at: datetime) -> str:
    """A moment as each member's Discord writes it."""
    return f"<t:{int(at.timestamp())}:f>"
