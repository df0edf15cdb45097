"""The options that may be typed in a prompt: the form's own names in every language, and the field's habits."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from bot.requests.typed import option_values
from bot.requests.typed.option_values import Cut
from pipeline.protocol.loras import Style
from pipeline.protocol.samplers import find_sampler

_ANY_SEED: Final = -1
"""As A1111 writes it."""


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """Names that the value of an option may be.

    Attributes:
        models: keys and titles.
        styles: of the host; None where nobody knows them yet, so that the worker decides.
    """

    models: Collection[str] = ()
    styles: Sequence[Style] | None = None

    def is_model(self, words: str) -> bool:
        """Whether a model is called so."""
        return words.casefold() in {name.casefold() for name in self.models}

    def is_style(self, words: str) -> bool:
        """Whether a style is called so."""
        return words.casefold() in {
            name.casefold() for style in self.styles or () for name in (style.name, style.title)
        }


class Option(msgspec.Struct, frozen=True):
    """One option.

    Attributes:
        field: of a `GivenRequest`.
        cut: the value at the beginning of a text, and the rest of it.
        read: the value of the field, from the option's name as it was typed and the words behind it; raises `Refused`.
    """

    field: str
    cut: Callable[[str, Offers], Cut]
    read: Callable[[str, str], str | float | None]


def _everything(rest: str, _: Offers) -> Cut:
    """What to avoid has no end but the next option."""
    words = rest.strip(" ,\t\n")
    quoted, behind = option_values.cut_word(words)
    return (quoted if words[:1] in ('"', "“", "„") and not behind.strip() else words, "")


def _any_or_seed(option: str, value: str) -> int | None:
    seed = option_values.whole(option, value)
    return None if seed == _ANY_SEED else seed


_NEGATIVE = Option("negative_prompt", _everything, lambda _, value: value)
_RATIO = Option("size", lambda rest, _: option_values.cut_size(rest), option_values.ratio)
_SIZE = Option("size", lambda rest, _: option_values.cut_size(rest), option_values.name)
_SEED = Option("seed", lambda rest, _: option_values.cut_number(rest), _any_or_seed)
_STEPS = Option("num_inference_steps", lambda rest, _: option_values.cut_number(rest), option_values.whole)
_CFG = Option("guidance_scale", lambda rest, _: option_values.cut_number(rest), option_values.decimal)
_IMAGES = Option("num_images", lambda rest, _: option_values.cut_number(rest), option_values.whole)
_SAMPLER = Option(
    "scheduler_name",
    lambda rest, _: option_values.cut_name(rest, lambda words: find_sampler(words) is not None),
    option_values.name,
)
_MODEL = Option("model_key", lambda rest, offers: option_values.cut_name(rest, offers.is_model), option_values.name)
_STYLE = Option("style", lambda rest, offers: option_values.cut_name(rest, offers.is_style), option_values.name)

FORM: Final[Mapping[str, Option]] = MappingProxyType(
    {
        "negative": _NEGATIVE,
        "cfg": _CFG,
        "steps": _STEPS,
        "size": _SIZE,
        "sampler": _SAMPLER,
        "seed": _SEED,
        "images": _IMAGES,
        "model": _MODEL,
        "style": _STYLE,
    }
)
"""By the names of the form's fields."""

_GERMAN: Final = {
    "ohne": _NEGATIVE,
    "schritte": _STEPS,
    "größe": _SIZE,
    "bilder": _IMAGES,
    "modell": _MODEL,
    "stil": _STYLE,
}
_HABITS: Final = {
    "no": _NEGATIVE,
    "ar": _RATIO,
    "aspect": _RATIO,
    "aspect_ratio": _RATIO,
    "neg": _NEGATIVE,
    "negative_prompt": _NEGATIVE,
    "cfg_scale": _CFG,
    "guidance_scale": _CFG,
    "num_images": _IMAGES,
    "num_inference_steps": _STEPS,
    "sampler_name": _SAMPLER,
}
FIELDS: Final[Mapping[str, Option]] = MappingProxyType(
    {name.casefold(): option for name, option in (FORM | _GERMAN).items()}
)
"""By the names of the form's fields in every language, as `str.casefold` writes them."""

_SPELLINGS: Final = {**FIELDS, **_HABITS}


def find_option(name: str) -> Option | None:
    """The option of this name or habit, whatever its case; None where there is none."""
    return _SPELLINGS.get(name.casefold().replace("-", "_"))
