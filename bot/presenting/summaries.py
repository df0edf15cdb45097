"""The value of a request's option in a few words, and the one wording for the size of a picture."""

from typing import Final

import msgspec

from bot.presenting.escaping import escape
from bot.presenting.texts import text
from bot.requests.abilities import uses_for
from bot.requests.guiding import rival_guides
from bot.requests.options.option import Option
from bot.requests.options.sizes import SIZES, delivered_sides, read_size, size_values, size_values_of
from bot.requests.options.takes import Picture, PictureUse, Text, read_use
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest

_MAX_LENGTH = 100
_USES: Final = ("use", "use2")


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
    if isinstance(option.takes, Picture):
        return "" if option.value_of(request) is None else text(f"summary-{option.name}")
    written = option.written(request)
    if written == "":
        return ""
    if option.name == "size":
        return text("size", **size_values_of(request, delivered or delivered_sides(request, spec)))
    if option.name == "model" and spec is not None:
        written = spec.title
    use = read_use(str(written)) if option.name in _USES else None
    if use is not None:  # the details name the network with its file
        written = msgspec.structs.replace(use, network="").words
    if isinstance(option.takes, Text):
        written = escape(str(written), length)
    return text(f"summary-{option.name}", **{option.name: written})


def size_choices(spec: ModelSpec, limits: LimitSettings) -> dict[str, str]:
    """Named sizes: each name with its words."""
    choices: dict[str, str] = {}
    for name, ratio in SIZES.items():
        width, height, _ = read_size(name, spec, limits)
        values = size_values(width, height, spec.delivered(width, height))
        choices[name] = text("size-choice", name=name, ratio=ratio, **values)
    return choices


def use_choices(spec: ModelSpec, catalogue: Catalogue) -> dict[str, str]:
    """Uses of a picture as members type them, each with its words; those by one of several networks come last."""
    uses = uses_for(spec, catalogue)
    choices = {use.value: text(f"choice-use-{use}") for use in uses}
    for use in uses:
        for guide in rival_guides(use, spec, catalogue):
            typed = PictureUse(use=use, network=guide.key).words
            choices[typed] = text("choice-use-network", use=use.value, network=guide.title)
    return choices
