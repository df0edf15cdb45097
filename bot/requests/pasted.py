"""Reads a whole command, or a picture's settings, that was pasted into the prompt.

ℹ️ shows `/imagine prompt: a cat steps: 8`; Midjourney's users paste `/imagine prompt: a cat --ar 16:9`; A1111 writes
`a cat Negative prompt: rain Steps: 8, Sampler: Euler, …` into its pictures.
"""  # noqa: RUF002 - the sign for information

import re
from typing import Final

import msgspec

from bot.requests.given import GivenRequest, chosen_style, merged, overruled, overruled_notices, split_at_options
from bot.requests.options.table import FIELDS, FILE_KEYS, OPTIONS
from bot.requests.typed.offers import Offers
from pipeline.protocol.samplers.table import find_sampler
from pipeline.protocol.wire.outputs import Notice

# Other bots have other names for the command, and some write "Positive prompt:".
_BEGINNING = re.compile(
    r"(?:\s*/imagine\b\s*(?:prompt\s*:)?"
    r"|\s*(?:(?:/[a-z]{3,12}|imagine|draw|dream|paint|create|generate|image|text|positive)\s+)?prompt\s*:)+\s*",
    re.IGNORECASE,
)
_NEGATIVE_PROMPT = re.compile(r"(?<!\S)negative[ _]prompt\s*:", re.IGNORECASE)
_FIELD = re.compile(r"(?<!\S)(?P<name>[^\W\d]+2?):\s*")
_SETTINGS = re.compile(r"\bSteps: ?[0-9]+,[^\n]*\bSampler:")
_NEGATIVE: Final = "Negative prompt:"
_STRENGTH_KEY: Final = "Denoising strength"
_UPSCALE_KEY: Final = "Hires upscale"
"""With this key, the strength is that of an upscaled picture's second pass."""
_PART_KEYS: Final = frozenset(
    {"Inpaint", "Outpaint", "Outpaint size", "Mask grow", "Mask mode", "Mask blur", "Inpaint area"}
)
"""Keys of a picture of which a part was drawn anew, in files of Easel and A1111."""
_SETTING = re.compile(r"\s*(?P<name>[A-Za-z][\w ]*): ?(?P<value>\"[^\"]*\"|[^,]*)(?:,|\Z)")


class _Field(msgspec.Struct, frozen=True):
    """A field of a command: its name, its start, and its words up to the next field."""

    name: str
    start: int
    words: str


def read_pasted(given: GivenRequest, offers: Offers) -> tuple[GivenRequest, tuple[Notice, ...]]:
    """The request in a pasted command or in a picture's pasted settings. Any other request stays the same.

    Args:
        given: the member's request; an option of the form wins over a pasted one.
        offers: known names.

    Raises:
        Refused: a value is invalid.
    """
    beginning = _BEGINNING.match(given.prompt)
    words = given.prompt if beginning is None else given.prompt[beginning.end() :]
    settings = _SETTINGS.search(words)
    if settings is not None:
        return _read_settings(given, words[: settings.start()], words[settings.start() :], offers)
    if beginning is not None:
        return _read_command(given, _NEGATIVE_PROMPT.sub("negative:", words), offers)
    prompt, *negatives = _NEGATIVE_PROMPT.split(words)
    if negatives:
        return _with(given, prompt, {"negative_prompt": ", ".join(map(str.strip, negatives))}, offers)
    return given, ()


def prompt_of(parameters: str) -> str:
    """The prompt in a picture's generation parameters; empty if there is none."""
    settings = _SETTINGS.search(parameters)
    words = parameters if settings is None else parameters[: settings.start()]
    return words.partition(_NEGATIVE)[0].strip()


def _read_command(given: GivenRequest, command: str, offers: Offers) -> tuple[GivenRequest, tuple[Notice, ...]]:
    fields = _fields(command, offers)
    prompt = [command[: fields[0].start if fields else len(command)].strip(" ,\n")]
    values: dict[str, str | float | None] = {}
    for field in fields:
        value, options = split_at_options(field.words)
        values[FIELDS[field.name].field] = FIELDS[field.name].takes.read(field.name, value.strip())
        prompt.append(options)
    return _with(given, " ".join(prompt), values, offers)


def _fields(command: str, offers: Offers) -> list[_Field]:
    """The fields with a valid value. Other text that resembles a field is part of the words."""
    found: list[_Field] = []
    end = len(command)
    for match in reversed(list(_FIELD.finditer(command))):
        name = match["name"].casefold()
        words = command[match.end() : end]
        value, _ = split_at_options(words)
        if name in FIELDS and FIELDS[name].takes.fits(value.strip(), offers):
            found.append(_Field(name, match.start(), words))
            end = match.start()
    return found[::-1]


def _read_settings(
    given: GivenRequest, words: str, written: str, offers: Offers
) -> tuple[GivenRequest, tuple[Notice, ...]]:
    settings = {match["name"].strip(): match["value"].strip(' "') for match in _SETTING.finditer(written)}
    prompt, _, negative = words.partition(_NEGATIVE)
    schedule = f"{settings.get('Sampler')} {settings.get('Schedule type')}"
    if find_sampler(schedule) is not None:
        settings["Sampler"] = schedule
        del settings["Schedule type"]
    values: dict[str, str | float | None] = {"negative_prompt": negative.strip()}
    unread: list[str] = []
    part = [f"{name}: {settings.pop(name)}" for name in [*settings] if name in _PART_KEYS]
    for name, value in settings.items():
        is_strength = name == _STRENGTH_KEY and _UPSCALE_KEY not in settings
        option = FIELDS["strength"] if is_strength else FILE_KEYS.get(name.casefold())
        # A model of the same name in another program is usually another model.
        is_elsewhere = option is FIELDS["model"] and not offers.is_model(value)
        if option is None or is_elsewhere or not option.takes.fits(value, offers):
            unread.append(f"{name}: {value}")
        else:
            values[option.field] = option.takes.read(name, value)
    given, notices = _with(given, prompt, values, offers)
    if part:
        notices = (*notices, Notice(key="notice-part-unread", values={"options": ", ".join(part)}))
    if not unread:
        return given, notices
    key = "notice-unknown-options" if len(unread) == 1 else "notice-unknown-options-many"
    return given, (*notices, Notice(key=key, values={"options": ", ".join(unread)}))


def _with(
    given: GivenRequest, prompt: str, values: dict[str, str | float | None], offers: Offers
) -> tuple[GivenRequest, tuple[Notice, ...]]:
    said = {option.field: f"{option.name}: {values[option.field]}" for option in OPTIONS if option.field in values}
    style, notices = chosen_style(values.pop("style", None), offers)
    avoided, options = split_at_options(str(values.pop("negative_prompt", None) or ""))
    prompt = " ".join(filter(None, [prompt.strip(" ,\n"), options]))
    chosen: dict[str, object] = {**values, **({} if style is None else {"style": style})}
    notices = (*notices, *overruled_notices(overruled(given, chosen, said)))
    return merged(given, prompt=prompt, values=chosen, avoided=[avoided.strip()]), notices
