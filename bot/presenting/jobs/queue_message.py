"""The private list of a member's jobs: pure functions from facts to a components v2 layout."""

from collections.abc import Sequence
from typing import Final

import msgspec
from discord import ui

from bot.presenting.custom_ids import Action
from bot.presenting.escaping import escape
from bot.presenting.jobs.job_buttons import button
from bot.presenting.jobs.job_message import Prospect, prospect_line, words_of
from bot.presenting.links import job_link
from bot.presenting.texts import text
from bot.quotas.standing import QueueState
from bot.store.queue import Waiting
from bot.store.rows.jobs import Job

MAX_SHOWN_JOBS: Final = 8
"""Discord allows 40 components in a message, and each job takes three."""
_MAX_PROMPT: Final = 80


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An open job and its prospect; None if it runs or has no shown position."""

    job: Job
    prospect: Prospect | None


class ServerQueue(msgspec.Struct, frozen=True, kw_only=True):
    """The waiting and running jobs of the member's server, and its queue state."""

    waiting: Waiting
    state: QueueState


def my_jobs(
    places: Sequence[Place], server: ServerQueue | None, *, kept: Sequence[Job] = (), note: str | None = None
) -> ui.LayoutView:
    """A member's open jobs, each with a cancel button.

    Args:
        places: the jobs in the order of their start; only the first few are shown.
        server: the member's server; None outside servers.
        kept: jobs whose pictures could not be shown; a button fetches them.
        note: a sentence about the last action.
    """
    shown, hidden = places[:MAX_SHOWN_JOBS], len(places[MAX_SHOWN_JOBS:])
    container: ui.Container[ui.LayoutView] = ui.Container()
    head = text("queue-mine" if places else "queue-mine-empty")
    container.add_item(ui.TextDisplay(head if note is None else f"{note}\n{head}"))
    for place in shown:
        is_asked = place.job.cancel_requested_by is not None
        cancel = button(Action.CANCEL_MINE, place.job.job_id, is_disabled=is_asked)
        container.add_item(ui.Section(_place_line(place), accessory=cancel))
    for job in kept:
        line = text("queue-job", job=job_link(job), prompt=escape(words_of(job), _MAX_PROMPT), state=text("queue-kept"))
        container.add_item(ui.Section(line, accessory=button(Action.COLLECT, job.job_id)))
    foot = [text("queue-more", count=hidden)] if hidden else []
    if server is not None:
        foot.append(text("queue-server", queued=server.waiting.queued, running=server.waiting.running))
        if server.state is not QueueState.OPEN:
            foot.append(text("queue-state", state=server.state))
    if foot:
        container.add_item(ui.TextDisplay("\n".join(foot)))
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()  # `bot.presenting.jobs.job_message` explains it
    return view


def _place_line(place: Place) -> str:
    job = place.job
    if job.cancel_requested_by is not None:
        state = text("queue-cancelling")
    elif place.prospect is None:
        state = text("queue-running")
    else:
        state = prospect_line(place.prospect)
    return text("queue-job", job=job_link(job), prompt=escape(words_of(job), _MAX_PROMPT), state=state)
