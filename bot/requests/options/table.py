"""The options of a request. `OPTIONS` declares each of them once, and everything that members see is built from it.

`/imagine`, `/settings`, `/admin channel` and the command line offer the options. A prompt may contain `--name value`,
a pasted command `name: value`. A remix keeps the values, and messages show them. Code for a single
option, such as its suggestions, is in the file that uses it. Search there for the option's name.
"""

import math
from collections.abc import Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from bot.errors import Refused
from bot.requests.options.option import Option, Situation, number
from bot.requests.options.sizes import is_size, read_size
from bot.requests.options.takes import (
    WEIGHT,
    Picture,
    Text,
    decimal,
    is_use,
    name_of,
    picture,
    strength_or_weight,
    use_of,
    whole,
)
from bot.requests.typed import option_values
from bot.requests.typed.offers import Offers
from bot.requests.typed.option_values import Cut
from pipeline.protocol import limits as hard
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.request_fields import FACTS
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.sampler import Sampler
from pipeline.protocol.samplers.table import SAMPLERS, find_sampler

_FACTS: Final = FACTS[GenerationRequest]


_ANY_SEED: Final = -1
"""A1111's spelling of a random seed."""
_RATIOS: Final = ("ar", "aspect", "aspect_ratio")


def _everything(rest: str, _: Offers) -> Cut:
    """A negative prompt, up to the next option."""
    words = rest.strip(" ,\t\n")
    quoted, behind = option_values.cut_word(words)
    return (quoted if words[:1] in ('"', "“", "„") and not behind.strip() else words, "")


def _any_or_seed(option: str, value: str) -> int | None:
    seed = option_values.whole(option, value)
    return None if seed == _ANY_SEED else seed


def _size(option: str, value: str) -> str:
    """A size. Under the names of ratios, only a ratio is valid."""
    return (option_values.ratio if _plain(option) in _RATIOS else option_values.name)(option, value)


def _sides(value: str | None, situation: Situation) -> Mapping[str, int]:
    width, height, notice = read_size(value, situation.spec, situation.limits)
    situation.notices.extend(filter(None, [notice]))
    return {"width": width, "height": height}


def sampler_of(name: str | None, spec: ModelSpec) -> Sampler:
    """The sampler of this name; the model's default for None.

    Raises:
        Refused: the model has no sampler of this name.
    """
    if name is None:
        return SAMPLERS[spec.defaults.sampler]
    sampler = find_sampler(name)
    if sampler is None or sampler.name not in spec.offered_samplers:
        raise Refused("refused-sampler", sampler=name[:80], known=", ".join(spec.offered_samplers))
    return sampler


def _given(request: GenerationRequest, number: int) -> Input | None:
    return request.given[number] if number < len(request.given) else None


def _picture(name: str, translation: str, number: int) -> Option:
    """An option for the first, the second or a later picture."""
    return Option(
        name=name,
        field=name,
        takes=picture(),
        translations=(translation,),
        fields=("inputs",),
        value_in=lambda request: _given(request, number),
        usual=None,
        resolve=None,
        may_have_default=False,
    )


def _use(name: str, translation: str, number: int) -> Option:
    """The use of such a picture. That of the first one has a word only if it is no start."""

    def value_in(request: GenerationRequest) -> str | None:
        found = _given(request, number)
        if found is None or (number == 0 and found.role is InputRole.INIT_IMAGE):
            return None
        return use_of(found).words

    return Option(
        name=name,
        field=name,
        takes=name_of(is_use, max_length=100, max_words=3),
        translations=(translation,),
        fields=(),
        value_in=value_in,
        usual=None,
        resolve=None,
        may_have_default=False,
    )


def _lowest(field: str) -> float:
    return _FACTS[field].lowest or 0


def _highest(field: str) -> float:
    return _FACTS[field].highest or math.inf


OPTIONS: Final = (
    Option(
        name="negative",
        field="negative_prompt",
        takes=Text(
            cut=_everything,
            read=lambda _, value: value,
            fits=lambda value, _: bool(value),
            max_length=hard.MAX_PROMPT_LENGTH,
        ),
        translations=("ohne",),
        habits=("no", "neg", "negative_prompt"),
        value_in=attrgetter("negative_prompt"),
        usual=lambda _: "",
        resolve=None,
        needs=Capability.NEGATIVE_PROMPT,
    ),
    number(
        "cfg",
        "guidance_scale",
        decimal(_lowest("guidance_scale"), lambda spec, _: spec.bounds.max_cfg),
        lambda spec: spec.defaults.cfg,
        needs=Capability.GUIDANCE,
        habits=("cfg_scale", "guidance_scale"),
    ),
    number(
        "steps",
        "num_inference_steps",
        whole(_lowest("num_inference_steps"), lambda spec, limits: min(spec.bounds.max_steps, limits.max_steps)),
        lambda spec: spec.defaults.steps,
        highest=lambda situation: situation.sampler.max_steps,
        needs=Capability.STEPS,
        translations=("schritte",),
        habits=("num_inference_steps",),
    ),
    Option(
        name="size",
        field="size",
        takes=Text(
            cut=lambda rest, _: option_values.cut_size(rest),
            read=_size,
            fits=lambda value, _: is_size(value),
            max_length=20,
        ),
        translations=("größe",),
        habits=_RATIOS,
        fields=("width", "height"),
        value_in=lambda request: f"{request.width}x{request.height}",
        usual=lambda spec: f"{spec.defaults.width}x{spec.defaults.height}",
        resolve=_sides,
    ),
    Option(
        name="sampler",
        field="scheduler_name",
        takes=name_of(lambda words, _: find_sampler(words) is not None, max_length=40, max_words=6),
        habits=("sampler_name",),
        value_in=attrgetter("scheduler_name"),
        usual=lambda spec: spec.defaults.sampler,
        needs=Capability.SAMPLER,
        resolve=lambda _, situation: {"scheduler_name": situation.sampler.name},
    ),
    Option(
        name="seed",
        field="seed",
        takes=whole(_lowest("seed"), lambda *_: _highest("seed"), _any_or_seed),
        value_in=attrgetter("seed"),
        usual=None,
        resolve=None,
        needs=Capability.SEED,
        may_have_default=False,
    ),
    number(
        "images",
        "num_images",
        whole(_lowest("num_images"), lambda spec, limits: min(spec.bounds.max_images, limits.max_images)),
        lambda spec: spec.defaults.images,
        translations=("bilder",),
        habits=("num_images",),
    ),
    Option(
        name="model",
        field="model_key",
        takes=name_of(lambda words, offers: offers.is_model(words), max_length=100, max_words=1),
        translations=("modell",),
        value_in=attrgetter("model_key"),
        usual=lambda spec: spec.key,
        resolve=None,
    ),
    Option(
        name="style",
        field="style",
        takes=name_of(lambda words, offers: offers.is_style(words), max_length=100),
        translations=("stil",),
        fields=(),
        value_in=None,
        usual=None,
        resolve=None,
        may_have_default=False,
        is_for_command_line=False,
    ),
    _picture("image", "bild", 0),
    _use("use", "verwendung", 0),
    Option(
        name="strength",
        field="strength",
        takes=decimal(hard.MIN_STRENGTH, lambda *_: hard.MAX_STRENGTH, strength_or_weight),
        translations=("stärke",),
        habits=("denoising_strength", "denoise", WEIGHT),
        fields=(),
        value_in=lambda request: None if (found := _given(request, 0)) is None else found.strength,
        usual=None,
        resolve=None,
        may_have_default=False,
    ),
    _picture("image2", "bild2", 1),
    _use("use2", "verwendung2", 1),
)
"""The options in the order of `/imagine`."""
OPTIONS_WITH_DEFAULTS: Final = tuple(option for option in OPTIONS if option.may_have_default)
"""The options of `/settings` and `/admin channel`: the fields of `Preferences`."""
PICTURES: Final = tuple(option.field for option in OPTIONS if isinstance(option.takes, Picture))
"""The fields of a `GivenRequest` for attached pictures."""
FIELDS: Final[Mapping[str, Option]] = MappingProxyType(
    {name.casefold(): option for option in OPTIONS for name in (option.name, *option.translations)}
)
"""Options by their names in every language, folded with `str.casefold`."""
FILE_KEYS: Final[Mapping[str, Option]] = MappingProxyType(
    {
        _FACTS[field].file_key.casefold(): option
        for option in OPTIONS
        for field in option.request_fields
        if _FACTS[field].file_key
    }
)
"""Options by their names in A1111's parameters of a file, folded with `str.casefold`."""
_SPELLINGS: Final = {name: option for option in OPTIONS for name in option.habits} | FIELDS


def find_option(name: str) -> Option | None:
    """The option of this name or habit, in any case; None if there is none."""
    return _SPELLINGS.get(_plain(name))


def arranged(first: Iterable[str], options: Iterable[Option] = OPTIONS) -> list[Option]:
    """The options in another order: those named in `first`, then the others in their old order."""
    names = [*first]
    return sorted(options, key=lambda option: names.index(option.name) if option.name in names else len(names))


def _plain(name: str) -> str:
    return name.lstrip("-").casefold().replace("-", "_")


def given_by(options: Iterable[Option], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by option names as values by request fields; None for options without a value."""
    return {option.field: values.get(option.name) for option in options}
