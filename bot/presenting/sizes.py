"""The one wording for the size of a picture."""

from bot.presenting.texts import text
from bot.requests.sizes import SIZES, read_size, size_values
from config.settings import LimitSettings
from pipeline.protocol.models import ModelSpec


def size_words(width: int, height: int, delivered: tuple[int, int] | None = None) -> str:
    """The drawn size, which is the requested one. If the delivered size differs, it follows."""
    return text("size", **size_values(width, height, delivered))


def size_of(width: int, height: int, spec: ModelSpec | None) -> str:
    """The size in words for a picture that is not at hand; `spec` is None if the model is gone."""
    return size_words(width, height, None if spec is None else spec.delivered(width, height))


def size_choices(spec: ModelSpec, limits: LimitSettings) -> dict[str, str]:
    """Named sizes: each name with its words."""
    choices: dict[str, str] = {}
    for name, ratio in SIZES.items():
        width, height, _ = read_size(name, spec, limits)
        values = size_values(width, height, spec.delivered(width, height))
        choices[name] = text("size-choice", name=name, ratio=ratio, **values)
    return choices
