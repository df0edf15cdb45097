"""The value of a request's option in a few words, for messages."""

from bot.presenting.escaping import escape
from bot.presenting.sizes import size_of, size_words
from bot.presenting.texts import text
from bot.requests.options import Option
from bot.requests.takes import Text
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest

_MAX_LENGTH = 100


def summary(
    option: Option,
    request: GenerationRequest,
    spec: ModelSpec | None,
    *,
    delivered: tuple[int, int] | None = None,
    length: int = _MAX_LENGTH,
) -> str:
    """An option's value in words; empty if there is none.

    Args:
        option: an option of the table.
        request: the request.
        spec: the request's model; None if it is no longer offered.
        delivered: sides of a delivered picture; None for those that the model would deliver.
        length: most characters of a member's words.
    """
    written = option.written(request)
    if written == "":
        return ""
    if option.name == "size":
        sides = (request.width, request.height)
        return size_of(*sides, spec) if delivered is None else size_words(*sides, delivered)
    if option.name == "model" and spec is not None:
        written = spec.title
    if isinstance(option.takes, Text):
        written = escape(str(written), length)
    return text(f"detail-{option.name}", **{option.name: written})
