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
"""Most characters of a prompt's texts together. Only a prompt that changes with nearly each step has more."""
_JOINT: Final = "\N{MIDDLE DOT}"
"""Stands between fragments: a sign, across which a word may go on, or begin."""
_SYNTAX: Final = frozenset("[]()\\")


def texts_of(prompt: str, steps: int) -> dict[str, bool]:
    """The texts that are judged, and whether each differs from what was typed. Tags such as `<lora:…>` are left out.

    Raises:
        Refused: the prompt changes so often that it is not judged.
    """
    typed = read_tags(prompt).prompt
    found = {typed: False}
    if "BREAK" in typed or not _SYNTAX.isdisjoint(typed):
        for text in _at_each_step(typed, steps):
            found.setdefault(_joined(text), True)
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


def _at_each_step(prompt: str, steps: int) -> Iterable[str]:
    """The different texts of a prompt, in the order of the steps."""
    return dict.fromkeys(part.text for part in read_schedule(prompt, steps))


def _check_size(texts: dict[str, bool]) -> None:
    if sum(map(len, texts)) > MAX_CHARACTERS:
        raise Refused("refused-prompt-changes-too-often")


def _joined(text: str) -> str:
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    is_behind_fragment = False
    for part in read_emphasis(text):
        if isinstance(part, Break):
            yield " "
        else:
            yield _JOINT + part.text if is_behind_fragment else part.text
        is_behind_fragment = isinstance(part, Fragment)
