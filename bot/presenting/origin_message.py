"""Where a file comes from, as members are told. Texts of the file are its maker's, and are escaped."""

from collections.abc import Sequence

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
    """

    verdict: Verdict
    reading: Reading
    is_vouched: bool
    jobs: tuple[Job | None, ...]


def origin(told: Origin) -> ui.Container[ui.LayoutView]:
    """The part "Where it comes from"."""
    return _part([_sentence(told), *_places(told.jobs)])


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
    return text(f"verify-{told.verdict}")


def _places(jobs: Sequence[Job | None]) -> list[str]:
    """A line for each job that the member may know about, and one for all others."""
    lines = [
        text(
            "verify-job",
            job=job_link(job),
            requester_id=str(job.requester_id),
            at=f"<t:{int((job.finished_at or job.created_at).timestamp())}:f>",
            prompt=escape(prompt_of(job), _SHOWN_PROMPT),
        )
        for job in jobs
        if job is not None
    ]
    return lines + [text("verify-elsewhere")] * (None in jobs)
