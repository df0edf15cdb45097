"""Prompt schedules: a prompt that changes between steps, in A1111's syntax.

`[from:to:when]` is `from` up to a step and `to` after it. `[to:when]` and `[from::when]` leave one of them out. `when`
is a step, or with a decimal point a fraction of all steps; it may have an exponent. `[a|b]` alternates with each step.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

MAX_DEPTH: Final = 32
"""Greatest depth of nested brackets; deeper ones are plain characters."""

_PIECE = re.compile(r"\\.|[\[\]():|]|[^\\\[\]():|]+|\\", re.DOTALL)
_WHEN = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*")


class Part(msgspec.Struct, frozen=True):
    """Text of a prompt up to and including a step; steps are counted from 1."""

    last_step: int
    text: str


_Sign = Literal[":", "|"]


class _Separator(msgspec.Struct, frozen=True):
    sign: _Sign


class _Change(msgspec.Struct, frozen=True):
    before: "_Words"
    after: "_Words"
    when: str


class _Turns(msgspec.Struct, frozen=True):
    options: tuple["_Words", ...]


_Word = str | _Change | _Turns
_Words = tuple[_Word, ...]
_Node = _Word | _Separator


def read_schedule(prompt: str, steps: int) -> tuple[Part, ...]:
    """Parse a prompt into its texts by step, in order; the last part ends with the last step.

    Every text is valid: brackets that are no schedule are left unchanged for emphasis.

    Args:
        prompt: the prompt as typed.
        steps: number of steps of the picture, at least 1.
    """
    words = _read(prompt)
    ends = sorted({*_ends(words, steps), steps} - {0})
    parts: list[Part] = []
    for end in ends:
        text = _at(words, end, steps)
        if parts and parts[-1].text == text:
            parts.pop()
        parts.append(Part(end, text))
    return tuple(parts)


def _read(prompt: str) -> _Words:
    """Parse a prompt to a tree. Each frame on the stack holds the nodes since an open bracket."""
    frames: list[tuple[str, list[_Node]]] = [("", [])]
    for piece in _PIECE.findall(prompt):
        bracket, nodes = frames[-1]
        if piece in ("[", "(") and len(frames) <= MAX_DEPTH:
            frames.append((piece, []))
        elif piece in (":", "|") and bracket == "[":
            nodes.append(_Separator(piece))
        elif piece == ")" and bracket == "(":
            frames.pop()
            frames[-1][1].extend(["(", *nodes, ")"])
        elif piece == "]" and any(opened == "[" for opened, _ in frames):
            while frames[-1][0] != "[":
                _give_up(frames)
            _, nodes = frames.pop()
            frames[-1][1].extend(_bracketed(nodes))
        else:
            nodes.append(piece)
    while len(frames) > 1:
        _give_up(frames)
    return tuple(_literal(frames[0][1]))


def _give_up(frames: list[tuple[str, list[_Node]]]) -> None:
    """Turn an open bracket that is never closed into a plain character."""
    bracket, nodes = frames.pop()
    frames[-1][1].extend([bracket, *_literal(nodes)])


def _bracketed(nodes: list[_Node]) -> Iterable[_Node]:
    """Nodes for a pair of square brackets."""
    if _Separator("|") in nodes:
        return [_Turns(tuple(_split(nodes, "|")))]
    match _split(nodes, ":"):
        case [after, (str(when),)] if _WHEN.fullmatch(when):
            return [_Change((), after, when)]
        case [before, after, (str(when),)] if _WHEN.fullmatch(when):
            return [_Change(before, after, when)]
        case _:
            return ["[", *_literal(nodes), "]"]


def _split(nodes: Iterable[_Node], sign: _Sign) -> list[_Words]:
    """Split nodes at the separators of one sign; other separators become plain characters."""
    parts: list[list[_Node]] = [[]]
    for node in nodes:
        if node == _Separator(sign):
            parts.append([])
        else:
            parts[-1].append(node)
    return [tuple(_literal(part)) for part in parts]


def _literal(nodes: Iterable[_Node]) -> Iterator[_Word]:
    for node in nodes:
        yield node.sign if isinstance(node, _Separator) else node


def _step_of(when: str, steps: int) -> int:
    """Last step before a change."""
    value = float(when)
    # Limited before the conversion, because `int` fails for infinity.
    return int(max(0.0, min(float(steps), value * steps if "." in when else value)))


def _ends(words: _Words, steps: int) -> Iterator[int]:
    """Steps after which the text may change."""
    for node in words:
        if isinstance(node, _Change):
            yield _step_of(node.when, steps)
            yield from _ends(node.before, steps)
            yield from _ends(node.after, steps)
        elif isinstance(node, _Turns):
            yield from range(1, steps + 1)


def _at(words: _Words, step: int, steps: int) -> str:
    texts: list[str] = []
    for node in words:
        if isinstance(node, str):
            texts.append(node)
        elif isinstance(node, _Change):
            texts.append(_at(node.before if step <= _step_of(node.when, steps) else node.after, step, steps))
        else:
            texts.append(_at(node.options[(step - 1) % len(node.options)], step, steps))
    return "".join(texts)
