"""Addresses in a prompt: others begin with the picture that lies there, and no model reads them."""

import re

# With a scheme, or as people copy them without one; brackets around one belong to the prompt.
_ADDRESS = re.compile(
    r"<?(?:\b[a-z][a-z0-9+.-]*://|\bwww\.|\bdata:[a-z]+/|\b(?:[a-z0-9-]+\.)+(?:com|net|org|gg|io|app|me|dev|co|de)/)"
    r"[^\s<>()\[\]|]+>?",
    re.IGNORECASE,
)


def without_addresses(words: str) -> tuple[str, tuple[str, ...]]:
    """The words without the addresses in them, and these."""
    found = tuple(match[0].strip("<>").rstrip(".,;:") for match in _ADDRESS.finditer(words))
    return (" ".join(_ADDRESS.sub(" ", words).split()).strip(" ,") if found else words, found)
