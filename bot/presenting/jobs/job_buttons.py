"""The rows of buttons below a job's message."""

from collections.abc import Collection
from typing import Final

import discord
from discord import ui

from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.texts import text
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job

Row = ui.ActionRow[ui.LayoutView]

_EMOJI: Final = {
    Action.REROLL: "🔁",
    Action.RETRY: "🔁",
    Action.REMIX: "✏️",
    Action.REGION: "🖌️",
    Action.ZOOM_OUT: "🔍",
    Action.PAN: "↔️",
    Action.PAN_LEFT: "⬅️",
    Action.PAN_RIGHT: "➡️",
    Action.PAN_UP: "⬆️",
    Action.PAN_DOWN: "⬇️",
    Action.MAKING_OF: "🎬",
    Action.MORPH: "🎞️",
    Action.CANCEL: "✖️",
    Action.CANCEL_MINE: "✖️",
    Action.STAR: "⭐",
    Action.COPY: "📩",
    Action.DETAILS: "ℹ️",  # noqa: RUF001 - the sign for information
    Action.DELETE: "🗑️",
}
RATED: Final = "notice-rated"
"""Key of the notice that tells what the image check took hidden pictures for. Without it there is no appeal."""
PANS: Final = (Action.PAN_LEFT, Action.PAN_RIGHT, Action.PAN_UP, Action.PAN_DOWN)
WITHOUT_LABEL: Final = frozenset({Action.STAR, Action.COPY, Action.DETAILS, Action.DELETE, *PANS})


def under_way(job: Job) -> list[Row]:
    """Buttons of a waiting or running job."""
    return [ui.ActionRow(button(Action.CANCEL, job.job_id))]


def over(job: Job, actions: Collection[Action]) -> list[Row]:
    """Buttons of a job that ended without outputs; ✏️ only if the job's kind has that action."""
    form = [Action.REMIX] if Action.REMIX in actions else []
    appeal = [Action.APPEAL] if _can_appeal(job) and job.failure is JobFailure.FLAGGED else []
    shown = (Action.RETRY, *form, *appeal, Action.DELETE)
    return [ui.ActionRow(*(button(action, job.job_id) for action in shown))]


def starting_from(job: Job) -> Row:
    """Buttons of a picture that was not drawn, for jobs that start from it. Without words, a form begins one."""
    vary = (Action.VARY_SUBTLE, Action.VARY_STRONG) if job.request.prompt else ()
    return ui.ActionRow(*(button(action, job.job_id) for action in (*vary, Action.REMIX)))


def keeping(job: Job) -> Row:
    """Buttons of a job with outputs, whatever its kind; with an appeal if others of its outputs were hidden."""
    appeal = [Action.APPEAL] if _can_appeal(job) else []
    actions = (Action.STAR, Action.COPY, Action.DETAILS, Action.DELETE, *appeal)
    return ui.ActionRow(*(button(action, job.job_id) for action in actions))


def _can_appeal(job: Job) -> bool:
    """Whether outputs were hidden where there are moderators, which is in servers alone."""
    return bool(job.guild_id) and any(notice.key == RATED for notice in job.notices)


def button(
    action: Action, job_id: int, index: int | None = None, *, is_disabled: bool = False
) -> ui.Button[ui.LayoutView]:
    """One button with its usual label."""
    return ui.Button(
        label=None if action in WITHOUT_LABEL else text(f"button-{action}"),
        emoji=_EMOJI.get(action),
        style=discord.ButtonStyle.secondary,
        custom_id=custom_id(action, job_id, index),
        disabled=is_disabled,
    )
