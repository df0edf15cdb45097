"""Sentences for admins about blocked pictures."""

from collections.abc import Sequence
from typing import Final

from bot.presenting.admin.sentences import fit
from bot.presenting.escaping import escape, relative
from bot.presenting.texts import text
from bot.store.members.image_blocks import ImageBlock

_MAX_REASON: Final = 100
"""Most characters of a reason in a line."""


def blocked(number: int) -> str:
    """A picture that was just blocked."""
    return text("picture-blocked", number=number)


def unblocked(number: int) -> str:
    """A picture that is just allowed again."""
    return text("picture-unblocked", number=number)


def listed(blocks: Sequence[ImageBlock]) -> str:
    """The blocked pictures of a server, as many as fit."""
    if not blocks:
        return text("pictures-none")
    return fit([_line(block) for block in blocks])


def _line(block: ImageBlock) -> str:
    when = "" if block.blocked_at is None else relative(block.blocked_at)
    return text("picture-line", number=block.number, when=when, reason=escape(block.reason, _MAX_REASON) or "none")
