"""What may go wrong in front of a member, as keys of the text catalogue.

`bot.presenting.texts` turns a key and its values into a sentence; nothing else writes one.
"""

import secrets
from typing import Final

_ERROR_ID_BYTES: Final = 4


class Refused(Exception):
    """A request that was not accepted: nothing was charged and the member reads one sentence, privately."""

    def __init__(self, key: str, **values: str | int) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values


def new_error_id() -> str:
    """A short id that the member sees and the owner finds in the log."""
    return secrets.token_hex(_ERROR_ID_BYTES)
