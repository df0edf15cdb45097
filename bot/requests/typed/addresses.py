"""Addresses in a prompt. Other bots start from the picture at the address; Easel's models cannot read one."""

import re

# With a scheme, or without one as people copy it. Brackets around an address belong to the prompt.
_ADDRESS = re.compile(
    r"<?(?:\b[a-z][a-z0-9+.-]*://|\bwww\.|\bdata:[a-z]+/|\b(?:[a-z0-9-]+\.)+(?:com|net|org|gg|io|app|me|dev|co|de)/)"
    r"[^\s<>()\[\]|]+>?",
    re.IGNORECASE,
)


def without_addresses(words: str) -> tuple[str, tuple[str, ...]]:
    """The words without addresses, and the addresses."""
    found = tuple(match[0].strip("<>").rstrip(".,;:") for match in _ADDRESS.finditer(words))
    return (" ".join(_ADDRESS.sub(" ", words).split()).strip(" ,") if found else words, found)
