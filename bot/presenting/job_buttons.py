"""The rows of buttons below a job's message."""

from collections.abc import Sequence
from typing import Final

import discord
from discord import ui

from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.texts import text
from bot.store.rows import Job

Row = ui.ActionRow[ui.LayoutView]

_EMOJI: Final = {
    Action.REROLL: "🔁",
    Action.RETRY: "🔁",
    Action.REMIX: "✏️",
    Action.CANCEL: "✖️",
    Action.CANCEL_MINE: "✖️",
    Action.STAR: "⭐",
    Action.COPY: "📩",
    Action.DETAILS: "ℹ️",  # noqa: RUF001 - the sign for information
    Action.DELETE: "🗑️",
}
WITHOUT_LABEL: Final = frozenset({Action.STAR, Action.COPY, Action.DETAILS, Action.DELETE})


def under_way(job: Job) -> list[Row]:
    """Buttons of a waiting or running job."""
    return [ui.ActionRow(button(Action.CANCEL, job.job_id))]


def over(job: Job) -> list[Row]:
    """Buttons of a job that ended without pictures."""
    return [ui.ActionRow(*(button(action, job.job_id) for action in (Action.RETRY, Action.REMIX, Action.DELETE)))]


def done(job: Job, indices: Sequence[int], *, can_vary: bool = True) -> list[Row]:
    """Buttons of a job with pictures: a single one can be upscaled and varied in two ways, several by their numbers.

    Args:
        job: the job.
        indices: the delivered pictures.
        can_vary: whether the job's model can vary a picture.
    """
    job_id = job.job_id
    keeping = (Action.STAR, Action.COPY, Action.DETAILS, Action.DELETE)
    if len(indices) == 1:
        (only,) = indices
        first = [] if job.request.upscale is not None else [button(Action.UPSCALE, job_id, only)]
        if can_vary:
            first += [button(Action.VARY_SUBTLE, job_id, only), button(Action.VARY_STRONG, job_id, only)]
        rows = [[*first, button(Action.REMIX, job_id), button(Action.REROLL, job_id)]]
    else:
        rows = [
            [*(_numbered(Action.UPSCALE, "U", job_id, k) for k in indices), button(Action.REROLL, job_id)],
            [
                *(_numbered(Action.VARY_STRONG, "V", job_id, k) for k in indices if can_vary),
                button(Action.REMIX, job_id),
            ],
        ]
    rows.append([button(action, job_id) for action in keeping])
    return [ui.ActionRow(*row) for row in rows]


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


def _numbered(action: Action, letter: str, job_id: int, index: int) -> ui.Button[ui.LayoutView]:
    return ui.Button(
        label=f"{letter}{index + 1}", style=discord.ButtonStyle.secondary, custom_id=custom_id(action, job_id, index)
    )
