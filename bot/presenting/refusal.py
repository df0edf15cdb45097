"""The reason of a refusal in one sentence."""

from typing import Final

import discord
from discord import ui

from bot.errors import Refused
from bot.presenting.custom_ids import hit_button_id
from bot.presenting.escaping import escape, escape_into
from bot.presenting.texts import text

MAX_MESSAGE: Final = 2_000
"""Discord's limit of characters in a message."""
_OURS: Final = ("resets", "until", "again")
"""Values that are our own timestamps. Escaping would break them."""


def sentence_of(refused: Refused, prompt: str | None = None) -> str:
    """The sentence of a refusal, with the member's prompt, so that the member can copy it."""
    sentence = text(refused.key, **{name: _safe(name, value) for name, value in refused.values.items()})
    if not prompt:
        return sentence
    room = MAX_MESSAGE - len(sentence) - 1 - len(text("your-prompt", prompt=""))
    return f"{sentence}\n{text('your-prompt', prompt=escape_into(prompt, room))}"


def _safe(name: str, value: str | int) -> str | int:
    """A value for a sentence; words that somebody typed are escaped."""
    return value if isinstance(value, int) or name in _OURS else escape(value)


def buttons(hit_id: int, *, can_change: bool, can_appeal: bool) -> ui.View | None:
    """The buttons below the refusal by a rule of words; None without any."""
    view = ui.View(timeout=None)
    if can_change:
        view.add_item(_button("change", hit_id, "✏️"))
    if can_appeal:
        view.add_item(_button("appeal", hit_id))
    view.stop()
    return view if view.children else None


def _button(act: str, hit_id: int, emoji: str | None = None) -> ui.Button[ui.View]:
    label = text("button-change" if act == "change" else "button-appeal")
    return ui.Button(
        label=label, emoji=emoji, style=discord.ButtonStyle.secondary, custom_id=hit_button_id(act, hit_id)
    )
