"""LoRAs that members may choose: what the worker found in the owner's folder, called styles in Discord."""

from collections.abc import Sequence
from typing import Final

from bot.errors import Refused
from pipeline.backends.base import BackendStatus
from pipeline.protocol.loras import LoraEntry
from pipeline.protocol.models import ModelSpec

_MAX_VALUE: Final = 100
"""Discord's limit of characters for the value of an option."""


def styles_for(status: BackendStatus, spec: ModelSpec | None = None) -> list[LoraEntry]:
    """All styles, or those for one model: made for its family, or for one that their file does not tell."""
    styles = () if status.ready is None else status.ready.loras
    return [style for style in styles if spec is None or style.family in ("", spec.family)]


def option_value(style: LoraEntry) -> str:
    """What stands for a style as the value of an option: its name, or as much of it as Discord takes."""
    return style.name[:_MAX_VALUE].strip()


def find_style(wanted: str, styles: Sequence[LoraEntry]) -> LoraEntry:
    """A style by its name or, since autocomplete is only a hint to Discord, by its title.

    Raises:
        Refused: there is none.
    """
    words = wanted.strip().casefold()
    for style in styles:
        if words in (style.name.casefold(), style.title.casefold(), option_value(style).casefold()):
            return style
    known = ", ".join(style.title for style in styles[:10])
    raise Refused("refused-style" if styles else "refused-no-styles", style=wanted[:80], known=known)


def matching_styles(typed: str, styles: Sequence[LoraEntry]) -> list[LoraEntry]:
    """Those whose title, name or trigger words hold the typed letters, in the same order."""
    letters = typed.strip().casefold()
    return [
        style
        for style in styles
        if any(letters in words.casefold() for words in (style.title, style.name, *style.trigger_words))
    ]
