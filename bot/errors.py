"""Errors for members, as keys of the text catalogue.

Only `bot.presenting.texts` turns a key and its values into a sentence.
"""

import secrets
from typing import Final

_ERROR_ID_BYTES: Final = 4


class Refused(Exception):
    """A refused request: nothing was charged, and the member gets one private sentence."""

    def __init__(self, key: str, **values: str | int) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values


def new_error_id() -> str:
    """A short random id that links a member's message to the owner's log."""
    return secrets.token_hex(_ERROR_ID_BYTES)
