"""Emoji by their names: Discord's own ones for everybody, Unicode's for models that know few words and no signs."""

import re
import unicodedata
from collections.abc import Collection
from itertools import groupby
from typing import Final

_EMOJI: Final = "\u231a-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
_REGION: Final = "\U0001f1e6-\U0001f1ff"
# Joiners, variants, keycaps and skins change how the sign before them looks.
_LOOKS: Final = "\u200d\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff"
_RUN: Final = re.compile(rf"(?:[{_EMOJI}{_REGION}][{_LOOKS}]*)+")
_KEYCAP: Final = re.compile("(?<=[0-9#*])\ufe0f?\u20e3")
_SIGN: Final = re.compile(rf"(?P<flag>[{_REGION}]{{1,2}})|[{_EMOJI}]")
_WORD: Final = re.compile(r"[^\W_]+")
_OWN: Final = re.compile(r"<a?:(?P<name>\w{2,32}):[0-9]{15,22}>")
"""An emoji of a server, as Discord writes it into texts."""

_OLD_SIGNS_END: Final = "\u2bff"
_TYPES: Final = {"black", "white", "heavy", "medium"}
"""How a sign was once printed, which says nothing of its color."""
_SHAPES: Final = ("square", "circle")
"""Signs of which it does."""
_NAMES: Final = {"\u2764": "red heart", "\u2665": "red heart", "\U0001f3a9": "hat", "\U0001f47d": "alien"}
"""Where the name says another thing than the picture."""
_NUMBERS: Final = {2: "two", 3: "three", 4: "four"}


def with_own_emoji_named(words: str) -> str:
    """The words with the name of each emoji that is a server's own in its place."""
    return _OWN.sub(lambda match: match["name"].replace("_", " "), words)


def with_emoji_named(prompt: str, known: Collection[str], silent: Collection[str]) -> str:
    """The prompt with words in place of emoji; one that only repeats what is said adds nothing.

    Args:
        prompt: any text.
        known: words of the model. Of a name that has some of them, only these are taken.
        silent: of these, those that show nothing by themselves.
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
    """Several of a thing, where its model knows the plural."""
    is_counted = count in _NUMBERS and {f"{name.rsplit(maxsplit=1)[-1]}s", _NUMBERS[count]} <= {*known}
    return f"{_NUMBERS[count]} {name}s" if is_counted else name


def _is_said(word: str, said: Collection[str]) -> bool:
    return word in said or f"{word}s" in said
