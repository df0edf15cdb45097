"""Texts of a prompt, as the model reads it: at each step, without brackets and weights."""

from collections.abc import Iterable, Iterator
from typing import Final

from bot.errors import Refused
from pipeline.prompts.emphasis import Break, Fragment, read_emphasis
from pipeline.prompts.schedule import read_schedule
from pipeline.prompts.tags import read_tags

USUAL_STEPS: Final = 50
"""Steps by which a prompt is read that belongs to no request."""
MAX_CHARACTERS: Final = 6_000
"""Most characters of a prompt's texts together. Only a prompt with dozens of changes has more."""
_AROUND: Final = 80
"""Characters on each side of a change that are judged with it. A rule has at most 60 letters."""
_JOINT: Final = "\N{MIDDLE DOT}"
"""Stands between fragments: a sign, across which a word may go on, or begin."""
_SYNTAX: Final = frozenset("[]()\\")
_BARE: Final = str.maketrans("", "", f"[]()\\{_JOINT}")


def texts_of(prompt: str, steps: int) -> dict[str, bool]:
    """The texts that are judged, and whether each differs from what was typed. Tags such as `<lora:…>` are left out.

    Of a text that follows another one, only what changed is judged, with the words around it.

    Raises:
        Refused: the prompt changes so often that it is not judged.
    """
    typed = read_tags(prompt).prompt
    found = {_unclasped(typed): False}
    if "BREAK" in typed or not _SYNTAX.isdisjoint(typed):
        before = typed
        for text in map(_joined, _at_each_step(typed, steps)):
            # What differs from the typed text by brackets alone was judged with it.
            if text.translate(_BARE) != typed.translate(_BARE):
                found.setdefault(_changed(text, before), True)
                before = text
    _check_size(found)
    return found


def attracting(negative_prompt: str, steps: int) -> dict[str, bool]:
    """The texts of a negative prompt that attract: parts with a negative weight.

    Raises:
        Refused: the prompt changes so often that it is not judged.
    """
    found = {
        part.text: True
        for text in _at_each_step(read_tags(negative_prompt).prompt, steps)
        for part in read_emphasis(text)
        if isinstance(part, Fragment) and part.weight < 0
    }
    _check_size(found)
    return found


def _changed(text: str, before: str) -> str:
    """The part of a text that differs from the one before it, with whole words on both sides."""
    start = _common(text, before)
    end = len(text) - _common(text[start:][::-1], before[start:][::-1])
    first = text.rfind(" ", 0, max(0, start - _AROUND)) + 1
    last = text.find(" ", end + _AROUND)
    return text[first:] if last < 0 else text[first:last]


def _common(one: str, two: str) -> int:
    """Length of the common beginning of two texts."""
    return next((place for place, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))


def _unclasped(text: str) -> str:
    """A text with `[` for each `(` of a pair around words: it emphasises them, and is no `c` before them."""
    opened: list[tuple[int, int]] = []
    pairs: set[int] = set()
    letters = 0
    for place, character in enumerate(text):
        if character == "(":
            opened.append((place, letters))
        elif character == ")" and opened:
            start, before = opened.pop()
            if letters > before:
                pairs.add(start)
        elif character.isalnum():
            letters += 1
    return "".join("[" if place in pairs else character for place, character in enumerate(text)) if pairs else text


def _at_each_step(prompt: str, steps: int) -> Iterable[str]:
    """The different texts of a prompt, in the order of the steps."""
    return dict.fromkeys(part.text for part in read_schedule(prompt, steps))


def _check_size(texts: dict[str, bool]) -> None:
    if sum(map(len, texts)) > MAX_CHARACTERS:
        raise Refused("refused-prompt-changes-too-often")


def _joined(text: str) -> str:
    return _unclasped("".join(_pieces(text)))


def _pieces(text: str) -> Iterator[str]:
    is_behind_fragment = False
    for part in read_emphasis(text):
        if isinstance(part, Break):
            yield " "
        else:
            yield _JOINT + part.text if is_behind_fragment else part.text
        is_behind_fragment = isinstance(part, Fragment)
