"""Names in place of emoji: a server's own emoji for all models, Unicode's for models with a small vocabulary."""

import re
import unicodedata
from collections.abc import Collection
from itertools import groupby
from typing import Final

_EMOJI: Final = "\u231a-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
_REGION: Final = "\U0001f1e6-\U0001f1ff"
# Joiners, variation selectors, keycaps and skin tones change the look of the sign before them.
_LOOKS: Final = "\u200d\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff"
_RUN: Final = re.compile(rf"(?:[{_EMOJI}{_REGION}][{_LOOKS}]*)+")
_KEYCAP: Final = re.compile("(?<=[0-9#*])\ufe0f?\u20e3")
_SIGN: Final = re.compile(rf"(?P<flag>[{_REGION}]{{1,2}})|[{_EMOJI}]")
_WORD: Final = re.compile(r"[^\W_]+")
_OWN: Final = re.compile(r"<a?:(?P<name>\w{2,32}):[0-9]{15,22}>")
"""A server's own emoji, as Discord writes it in text."""

_OLD_SIGNS_END: Final = "\u2bff"
_TYPES: Final = {"black", "white", "heavy", "medium"}
"""Words for the print style of old signs. They do not describe a color."""
_SHAPES: Final = ("square", "circle")
"""Signs for which these words do describe a color."""
_NAMES: Final = {"\u2764": "red heart", "\u2665": "red heart", "\U0001f3a9": "hat", "\U0001f47d": "alien"}
"""Names for signs whose Unicode name does not fit their picture."""
_NUMBERS: Final = {2: "two", 3: "three", 4: "four"}


def with_own_emoji_named(words: str) -> str:
    """The words with the name in place of each server's own emoji."""
    return _OWN.sub(lambda match: match["name"].replace("_", " "), words)


def with_emoji_named(prompt: str, known: Collection[str], silent: Collection[str]) -> str:
    """The prompt with words in place of emoji. An emoji that repeats words of the prompt adds nothing.

    Args:
        prompt: any text.
        known: the model's words. If a name contains some of them, only these are used.
        silent: words among them that show nothing by themselves.
    """
    said = {word.casefold() for word in _WORD.findall(prompt)}

    def named(match: re.Match[str]) -> str:
        signs = [(sign[0], sign["flag"] is not None) for sign in _SIGN.finditer(match[0])]
        names = [
            _counted(_name(sign, known, silent, is_flag=is_flag), len(list(same)), known)
            for (sign, is_flag), same in groupby(signs)
        ]
        new = [name for name in names if not all(_is_said(word, said) for word in name.split())]
        return f" {' and '.join(new)} "

    prompt = _KEYCAP.sub("", prompt)
    replaced, count = _RUN.subn(named, prompt)
    return " ".join(replaced.split()).replace(" ,", ",") if count else prompt


def _name(sign: str, known: Collection[str], silent: Collection[str], *, is_flag: bool) -> str:
    if is_flag:
        return "flag"
    words = _NAMES.get(sign, unicodedata.name(sign, "sign").lower()).replace("-", " ").split()
    if sign <= _OLD_SIGNS_END and words[-1] not in _SHAPES:
        words = [word for word in words if word not in _TYPES] or words
    return " ".join([word for word in words if word in known and word not in silent] or words)


def _counted(name: str, count: int, known: Collection[str]) -> str:
    """The name with a number if the model knows the plural; otherwise the name alone."""
    is_counted = count in _NUMBERS and {f"{name.rsplit(maxsplit=1)[-1]}s", _NUMBERS[count]} <= {*known}
    return f"{_NUMBERS[count]} {name}s" if is_counted else name


def _is_said(word: str, said: Collection[str]) -> bool:
    return word in said or f"{word}s" in said
