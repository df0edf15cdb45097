"""What a request asks for in a few words: one of its options, as messages say it."""

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
    """An option's value in words; empty where it has none.

    Args:
        option: of the table.
        request: that asks for it.
        spec: of its model, if it is still offered.
        delivered: sides of a picture that is there; otherwise those that the model would bring.
        length: characters of a member's words, at most.
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
