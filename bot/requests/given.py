"""A member's request before defaults and limits: options of the form, and options typed in the prompt."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Self

import msgspec

from bot.errors import Refused
from bot.requests.options.option import Option
from bot.requests.options.table import find_option
from bot.requests.options.takes import GivenPicture, PictureWeight
from bot.requests.styles import find_style
from bot.requests.typed.habits import Habit, habit_of
from bot.requests.typed.offers import Offers
from bot.store.rows.preferences import Preferences
from bot.words import clean
from pipeline.protocol.loras import LoraEntry, Style
from pipeline.protocol.wire.outputs import Notice

_NO_OFFERS: Final = Offers()
_MOST_NEAR: Final = 3
_MAX_STAYED: Final = 60


class GivenRequest(Preferences, frozen=True, kw_only=True):
    """A request; fields without a value are None. A style's words and tag are added after the prompt.

    The options name two pictures. Further ones of a blend or of an earlier job are in `beside`.
    """

    prompt: str
    seed: int | None = None
    style: Style | None = None
    image: GivenPicture | None = None
    use: str | None = None
    strength: float | PictureWeight | None = None
    image2: GivenPicture | None = None
    use2: str | None = None
    beside: tuple[GivenPicture, ...] = ()

    def with_picture(self, field: str, picture: GivenPicture) -> Self:
        """The request with a picture in its field, or beside the others if no option has this field."""
        if field in self.__struct_fields__:
            return msgspec.structs.replace(self, **{field: picture})
        return msgspec.structs.replace(self, beside=(*self.beside, picture))

    def cleaned(self) -> Self:
        """The request without invisible characters, and without those that a row or message cannot hold."""
        words = {name: clean(value) for name, value in msgspec.structs.asdict(self).items() if isinstance(value, str)}
        return msgspec.structs.replace(self, **words)


# Phones turn two hyphens into a dash. A dash counts only after a blank and before a known name, since people also use
# dashes between words.
_TYPED = re.compile(r"(?<![^\s,])(?P<dashes>--|[\u2013\u2014])(?P<name>[^\W\d]+(?:-[^\W\d]+)*)(?P<glued>\S*)")
_SECOND: Final = "2"
"""End of the names of options for a second picture; behind other names a digit is their value."""
_SEPARATOR = re.compile(r"\A[=:]")
_GLUED = re.compile(r"[,.;!?]*|[=:.]*[0-9]\S*|=\S+")
"""Text that may follow an unknown option's name without a blank. With other text it is no option."""
_VALUE = re.compile(r"[=:.+-]*[0-9]|=\S|\S+[:/]\S")
"""A value of an unknown option, and no part of the prompt."""
_REFERENCES: Final[Mapping[str, str]] = MappingProxyType({"sref": "style", "oref": "subject", "cref": "subject"})
"""Midjourney's options whose value is the address of a picture, and the uses of an attached one."""
_WORD_VALUED: Final = ("cref", "motion", "oref", "p", "personalize", "profile", "sref")
"""Midjourney's options with a word as value."""


class _Typed(msgspec.Struct, frozen=True, kw_only=True):
    """An option in a prompt: its start, the end of its name, and the known option if there is one."""

    start: int
    end: int
    spelled: str
    option: Option | None


class _Reading:
    """The state while a prompt is read."""

    def __init__(self, offers: Offers) -> None:
        self.offers = offers
        self.kept: list[str] = []
        self.values: dict[str, str | float | None] = {}
        self.said: dict[str, str] = {}
        self.overruled: list[str] = []
        self.avoided: list[str] = []
        self.empty: list[str] = []
        self.unknown: list[str] = []
        self.habits: dict[Habit, list[str]] = {}
        self.stayed: list[tuple[str, str]] = []
        self.referred: list[tuple[str, str]] = []

    def read(self, typed: _Typed, rest: str) -> None:
        """Read one option with the text up to the next one."""
        if typed.option is None:
            self._leave_out(typed, rest)
            return
        value, text = typed.option.takes.cut(_SEPARATOR.sub("", rest), self.offers)
        self.kept.append(text)
        field = typed.option.field
        if field != "negative_prompt":
            found = typed.option.takes.read(typed.spelled, value)
            if field in self.said and found != self.values[field]:
                self.overruled.append(self.said[field])
            self.values[field], self.said[field] = found, f"{typed.spelled} {value}"
        elif value:
            self.avoided.append(value)
        else:
            self.empty.append(typed.spelled)

    def _leave_out(self, typed: _Typed, rest: str) -> None:
        words = rest.split()
        name = typed.spelled.removeprefix("--").casefold()
        if words and name in _REFERENCES:
            self.referred.append((typed.spelled, _REFERENCES[name]))
            self.kept += words[1:]
            return
        habit = habit_of(name)
        unread = self.unknown if habit is None else self.habits.setdefault(habit, [])
        if words and (name in _WORD_VALUED or _VALUE.match(words[0])):
            is_glued = not rest[:1].isspace()
            unread.append(f"{typed.spelled}{'' if is_glued else ' '}{words[0]}")
            self.kept += words[1:]
            return
        unread.append(typed.spelled)
        self.kept.append(rest)
        if rest.strip(" ,."):
            self.stayed.append((typed.spelled, " ".join(rest.split())[:_MAX_STAYED]))

    def notices(self) -> Iterator[Notice]:
        """Notices about text that was left out, and text that stayed."""
        if self.unknown:
            key = "notice-unknown-options" if len(self.unknown) == 1 else "notice-unknown-options-many"
            yield Notice(key=key, values={"options": ", ".join(self.unknown)})
        for habit, options in self.habits.items():
            yield Notice(key=habit, values={"options": ", ".join(options)})
        for option, words in self.stayed:
            yield Notice(key="notice-words-stayed", values={"option": option, "words": words})
        for option, use in self.referred:
            yield Notice(key="notice-attach-reference", values={"option": option, "use": use})
        for option in self.empty:
            yield Notice(key="notice-option-empty", values={"option": option})


def read_typed_options(given: GivenRequest, offers: Offers = _NO_OFFERS) -> tuple[GivenRequest, tuple[Notice, ...]]:
    """Move typed options out of a prompt. An option of the form wins over a typed one.

    Args:
        given: the member's request.
        offers: known names, which may have several words.

    Raises:
        Refused: a value is no number or no ratio, or it is missing.
    """
    found = list(_typed_in(given.prompt))
    if not found:
        return given, ()
    reading = _Reading(offers)
    reading.kept.append(given.prompt[: found[0].start])
    for typed, following in zip(found, [*found[1:], None], strict=True):
        reading.read(typed, given.prompt[typed.end : following.start if following else len(given.prompt)])
    style, style_notices = chosen_style(reading.values.pop("style", None), offers)
    prompt = " ".join(" ".join(reading.kept).split())
    values = reading.values if style is None else {**reading.values, "style": style}
    reading.overruled += overruled(given, values, reading.said)
    given = merged(given, prompt=prompt, values=values, avoided=reading.avoided)
    return given, (*reading.notices(), *overruled_notices(reading.overruled), *style_notices)


def merged(given: GivenRequest, *, prompt: str, values: Mapping[str, object], avoided: Sequence[str]) -> GivenRequest:
    """The form's values first, then the other values. Negative prompts are joined."""
    negative = ", ".join(filter(None, [given.negative_prompt, *avoided]))
    missing = {field: value for field, value in values.items() if getattr(given, field) is None}
    return msgspec.structs.replace(given, prompt=prompt, negative_prompt=negative or given.negative_prompt, **missing)


def overruled(given: GivenRequest, values: Mapping[str, object], said: Mapping[str, str]) -> list[str]:
    """Options in the prompt without effect, since the form has another value."""
    return [said[field] for field, value in values.items() if getattr(given, field) not in (None, value)]


def overruled_notices(options: Sequence[str]) -> list[Notice]:
    """A notice that these options have no effect, since each was given more than once."""
    if not options:
        return []
    return [Notice(key="notice-options-overruled", values={"options": ", ".join(options), "count": len(options)})]


def split_at_options(words: str) -> tuple[str, str]:
    """The words before the first typed option, and the rest."""
    start = next((typed.start for typed in _typed_in(words)), len(words))
    return words[:start], words[start:]


def _typed_in(prompt: str) -> Iterator[_Typed]:
    """Every option. Text that only resembles an option is left whole."""
    for match in _TYPED.finditer(prompt):
        name, end = match["name"], match.end("name")
        if match["glued"].startswith(_SECOND) and find_option(name + _SECOND) is not None:
            name, end = name + _SECOND, end + 1
        option = find_option(name)
        is_plain = match["dashes"] == "--" and "-" not in match["name"] and _GLUED.fullmatch(match["glued"])
        if option is None and not is_plain:
            continue
        yield _Typed(start=match.start(), end=end, spelled=f"--{name}", option=option)


def chosen_style(wanted: object, offers: Offers) -> tuple[Style | None, Sequence[Notice]]:
    """The style of a typed name. For an unknown name there is a notice instead, as for an unknown tag."""
    if not isinstance(wanted, str):
        return None, ()
    if offers.styles is None:
        return LoraEntry(name=wanted, title=wanted), ()
    try:
        return find_style(wanted, offers.styles), ()
    except Refused:
        names = [style.name for style in offers.styles]
        near = ", ".join(difflib.get_close_matches(wanted, names, n=_MOST_NEAR))
        return None, [Notice(key="notice-lora-unknown", values={"name": wanted, "near": near or "none"})]
