"""The size of a picture, in the one wording that all of Easel has for it."""

from bot.presenting.texts import text
from bot.requests.sizes import SIZES, read_size, size_values
from config.settings import LimitSettings
from pipeline.protocol.models import ModelSpec


def size_words(width: int, height: int, delivered: tuple[int, int] | None = None) -> str:
    """What the model draws, which is what a member asks for; and what arrives, where that is another."""
    return text("size", **size_values(width, height, delivered))


def size_of(width: int, height: int, spec: ModelSpec | None) -> str:
    """The same of a picture that is not drawn yet, or not here any more; None is a model that is gone."""
    return size_words(width, height, None if spec is None else spec.delivered(width, height))


def size_choices(spec: ModelSpec, limits: LimitSettings) -> dict[str, str]:
    """The sizes that have names, in words, by those names."""
    choices: dict[str, str] = {}
    for name, ratio in SIZES.items():
        width, height, _ = read_size(name, spec, limits)
        values = size_values(width, height, spec.delivered(width, height))
        choices[name] = text("size-choice", name=name, ratio=ratio, **values)
    return choices
