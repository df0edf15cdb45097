r"""One prompt that stands for several, and words that are chosen by chance; read before anything else of a prompt.

`{a|b}` is each of its variants and `{a, b}` each of its values, like Midjourney's permutations; groups nest, and
several multiply. `__name__` is a line of the list of that name. A backslash makes the next sign a letter, and a brace
without its partner, or with nothing to choose from inside, is one anyway.

What comes out is settled: read again, it stands for itself alone, so that a prompt that was shown can be pasted.
"""

import hashlib
import itertools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

MAX_DEPTH: Final = 32
"""Braces inside braces; deeper ones are letters."""
MAX_LIST_DEPTH: Final = 8
"""Lists that name other lists, one inside the other."""
MAX_CHOICES: Final = 100
"""Lines that are chosen for one prompt, those inside of others included."""

_PIECE = re.compile(r"\\.|[{}|,]|[^\\{}|,]+|\\", re.DOTALL)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_UNDERSCORE = re.compile(r"\\.|_", re.DOTALL)
_NAME: Final = r"[a-z0-9]+(?:[-_/][a-z0-9]+)*"
_WILDCARD = re.compile(rf"\\.|__(?P<name>{_NAME})__", re.DOTALL | re.IGNORECASE)


class TooManyPrompts(Exception):
    """A prompt stands for more than is allowed; none of them was made."""


class UnknownWildcard(Exception):
    """There is no list of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class EndlessWildcard(Exception):
    """The lists behind this name lead into each other, or into too many others."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


Lists = Callable[[str], Sequence[str]]
"""The lines of a list by its name in small letters, at least one; raises `UnknownWildcard`."""


class _Separator(msgspec.Struct, frozen=True):
    sign: str


class _Group(msgspec.Struct, frozen=True):
    options: tuple["_Words", ...]


_Node = str | _Separator | _Group
_Words = tuple[_Node, ...]


def expand(prompt: str, most: int) -> tuple[str, ...]:
    """The prompts that one stands for, in the order in which they are written; a plain one is itself.

    Args:
        prompt: as typed; its wildcards stay as they are.
        most: how many there may be, at least 1.

    Raises:
        TooManyPrompts: there are more, which is known before the first is made.
    """
    words = _read(prompt)
    if _count(words) > most:
        raise TooManyPrompts
    return tuple(_without_groups(text) for text in _texts(words))


class Wildcards:
    """Fills the wildcards of one job's prompts: the same seed, words and lists give the same choices."""

    def __init__(self, lists: Lists, seed: int) -> None:
        self._lists = lists
        self._seed = seed
        self._choices = 0

    def fill(self, prompt: str) -> str:
        """The prompt with a line in place of each wildcard; of a group in a line, one option is chosen.

        Raises:
            UnknownWildcard, EndlessWildcard: by the list's name.
        """
        filled = self._fill(prompt, 0)
        if filled == prompt:
            return prompt
        if any(match["name"] for match in _WILDCARD.finditer(filled)):
            filled = _UNDERSCORE.sub(_escaped, filled)
        return _without_groups(filled)

    def _fill(self, text: str, depth: int) -> str:
        return _WILDCARD.sub(lambda match: self._line(match[0], match["name"], depth), text)

    def _line(self, typed: str, name: str | None, depth: int) -> str:
        if name is None:
            return typed
        name = name.lower()
        if depth >= MAX_LIST_DEPTH or self._choices >= MAX_CHOICES:
            raise EndlessWildcard(name)
        lines = self._lists(name)
        line = lines[self._choose(len(lines))]
        return self._fill(self._one_of(_read(line)), depth + 1)

    def _one_of(self, words: _Words) -> str:
        return "".join(
            self._one_of(node.options[self._choose(len(node.options))]).strip()
            if isinstance(node, _Group)
            else _literal(node)
            for node in words
        )

    def _choose(self, count: int) -> int:
        """A number below `count`. The standard library's generators may change with its version; a hash does not."""
        digest = hashlib.sha256(f"{self._seed} {self._choices}".encode()).digest()
        self._choices += 1
        return int.from_bytes(digest[:8]) % count


def _read(prompt: str) -> _Words:
    """The tree of a prompt. Each frame is an open brace with what stands in it so far."""
    frames: list[list[_Node]] = [[]]
    for piece in _PIECE.findall(prompt):
        is_inside = len(frames) > 1
        if piece == "{" and len(frames) <= MAX_DEPTH:
            frames.append([])
        elif piece == "}" and is_inside:
            nodes = frames.pop()
            frames[-1].extend(_braced(nodes))
        elif piece in ("|", ",") and is_inside:
            frames[-1].append(_Separator(piece))
        else:
            frames[-1].append(piece)
    while len(frames) > 1:
        nodes = frames.pop()
        frames[-1].extend(["{", *nodes])
    return tuple(frames[0])


def _braced(nodes: list[_Node]) -> Iterable[_Node]:
    """What braces mean: a bar anywhere between them makes commas letters."""
    sign = next((sign for sign in ("|", ",") if _Separator(sign) in nodes), None)
    if sign is None:
        return ["{", *nodes, "}"]
    options: list[list[_Node]] = [[]]
    for node in nodes:
        if node == _Separator(sign):
            options.append([])
        else:
            # Outside its group a comma or a bar needs no backslash any more.
            options[-1].append(node[1:] if node in (r"\|", r"\,") and isinstance(node, str) else node)
    return [_Group(tuple(tuple(option) for option in options))]


def _count(words: _Words) -> int:
    return math.prod(
        sum(_count(option) for option in node.options) if isinstance(node, _Group) else 1 for node in words
    )


def _texts(words: _Words) -> Iterable[str]:
    """Every text of a tree, the last group turning fastest."""
    choices = [
        [text.strip() for option in node.options for text in _texts(option)]
        if isinstance(node, _Group)
        else [_literal(node)]
        for node in words
    ]
    return ("".join(parts) for parts in itertools.product(*choices))


def _literal(node: str | _Separator) -> str:
    return node if isinstance(node, str) else node.sign


def _without_groups(text: str) -> str:
    """The same, with braces as letters where pieces that were put together would be read as a group."""
    return text if _count(_read(text)) == 1 else _BRACE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) > 1 else "\\" + match[0]
