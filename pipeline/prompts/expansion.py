r"""Prompt templates: groups that expand to several prompts, and wildcards that choose a random line from a list.

Templates are parsed before all other prompt syntax. `{a|b}` and `{a, b}` expand to each option, like Midjourney's
permutations. Groups can be nested, and several groups multiply. As in the package dynamicprompts, `{2$$a|b|c}` expands
to every two options, and `{1-2$$ and $$a|b}` to one or two options joined by ` and `. Chances, as in `{3::a|b}`, count
only when one option is chosen at random. `__name__` is a line of the list with that name. A backslash escapes the next
character. A brace without its partner, or without options inside, is a plain character.

A result expands only to itself, so that members can paste a prompt that was shown to them.
"""

import bisect
import hashlib
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

MAX_DEPTH: Final = 32
"""Greatest depth of nested braces; deeper ones are plain characters."""
MAX_LIST_DEPTH: Final = 8
"""Greatest depth of lists that name other lists."""
_FINE: Final = 2**53
"""Number of equal steps of a random fraction between 0 and 1, as fine as a float."""
MAX_CHOICES: Final = 100
"""Greatest number of random choices for one prompt, with those in chosen lines."""

_PIECE = re.compile(r"\\.|[{}|,]|[^\\{}|,]+|\\", re.DOTALL)
_PICKS = re.compile(
    r"\s*(?=-?[0-9])(?P<least>[0-9]{0,2})(?P<to>-?)(?P<most>[0-9]{0,2})\$\$(?:(?P<between>(?:(?!\$\$).)*)\$\$)?",
    re.DOTALL,
)
_CHANCE = re.compile(r"\s*(?P<weight>[0-9]{1,6}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})::")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_UNDERSCORE = re.compile(r"\\.|_", re.DOTALL)
_NAME: Final = r"[a-z0-9]+(?:[-_/][a-z0-9]+)*"
_UNREAD = re.compile(r"\\.|(?P<sign>\$\{\s*[^\W\d]\w*\s*(?:[=:!?][^{}]*)?\}?|\{[^{}]*?\$\$)", re.DOTALL)
_WILDCARD = re.compile(rf"\\.|__(?P<name>{_NAME})__", re.DOTALL | re.IGNORECASE)


class TooManyPrompts(Exception):
    """The prompt expands to more prompts than allowed; none was made."""


class UnknownWildcard(Exception):
    """No list has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class EndlessWildcard(Exception):
    """The list with this name refers to itself through others, or to too many others."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


Lists = Callable[[str], Sequence[str]]
"""Function from a list's name in lower case to its lines, at least one; raises `UnknownWildcard`."""


class _Separator(msgspec.Struct, frozen=True):
    sign: str


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """Braces that expand to one option, or to several joined by `between`."""

    options: tuple["_Words", ...]
    weights: tuple[float, ...]
    least: int = 1
    most: int = 1
    between: str = ", "


_Node = str | _Separator | _Group
_Words = tuple[_Node, ...]


def expand(prompt: str, most: int) -> tuple[str, ...]:
    """Expand a prompt to all its prompts, in the order of their options; a plain prompt expands to itself.

    Args:
        prompt: the prompt as typed; its wildcards are left unchanged.
        most: greatest number of prompts, at least 1.

    Raises:
        TooManyPrompts: there are more. They are counted before the first one is made.
    """
    words = _read(prompt)
    if _count(words) > most:
        raise TooManyPrompts
    return tuple(_without_groups(text) for text in _texts(words))


def has_chances(prompt: str) -> bool:
    """True when a group has options with different chances; `expand` ignores chances."""

    def weighs(words: _Words) -> bool:
        groups = [node for node in words if isinstance(node, _Group)]
        return any(len(set(group.weights)) > 1 or any(map(weighs, group.options)) for group in groups)

    return weighs(_read(prompt))


def find_unread(prompt: str) -> str | None:
    """First piece of unsupported template syntax in an expanded prompt: a variable or an invalid number; else None."""
    return next((match["sign"] for match in _UNREAD.finditer(prompt) if match["sign"]), None)


def wildcard_names(prompt: str) -> tuple[str, ...]:
    """Names of the lists that a prompt names, each once."""
    return tuple({match["name"].lower(): None for match in _WILDCARD.finditer(prompt) if match["name"]})


class Wildcards:
    """Fills the wildcards of one job's prompts; the same seed, prompts and lists give the same choices."""

    def __init__(self, lists: Lists, seed: int) -> None:
        self._lists = lists
        self._seed = seed
        self._choices = 0

    def fill(self, prompt: str) -> str:
        """Replace each wildcard by a random line; for a group in a line, options are chosen at random.

        Raises:
            UnknownWildcard: no list has the wildcard's name.
            EndlessWildcard: lists refer to each other too often.
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
        return "".join(self._chosen(node) if isinstance(node, _Group) else _literal(node) for node in words)

    def _chosen(self, group: _Group) -> str:
        """Choose options of a group at random, as many as it says, without repetition."""
        count = group.least
        if group.most > group.least:
            count += self._choose(group.most - group.least + 1)
        left = list(zip(group.options, group.weights, strict=True))
        chosen = [left.pop(self._weighed([weight for _, weight in left]))[0] for _ in range(count)]
        return group.between.join(self._one_of(option).strip() for option in chosen)

    def _weighed(self, weights: Sequence[float]) -> int:
        """Choose an index at random, with probabilities in proportion to the weights."""
        if len(set(weights)) == 1:
            return self._choose(len(weights))
        ends = [*itertools.accumulate(weights)]
        return bisect.bisect_right(ends, self._choose(_FINE) / _FINE * ends[-1])

    def _choose(self, count: int) -> int:
        """Choose a number below `count`, from a hash: the standard library's generators may change with its version."""
        digest = hashlib.sha256(f"{self._seed} {self._choices}".encode()).digest()
        self._choices += 1
        return int.from_bytes(digest[:8]) % count


def _read(prompt: str) -> _Words:
    """Parse a prompt to a tree. Each frame on the stack holds the nodes since an open brace."""
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
    """Nodes for a pair of braces: with a bar inside, commas are plain; with an invalid number, the braces are plain."""
    picks = _PICKS.match(_beginning(nodes))
    inside = nodes if picks is None else _without(nodes, picks.end())
    sign = next((sign for sign in ("|", ",") if _Separator(sign) in inside), None)
    if picks is None and (sign is None or "$$" in _beginning(nodes)):
        return ["{", *nodes, "}"]
    options: list[list[_Node]] = [[]]
    for node in inside:
        if sign is not None and node == _Separator(sign):
            options.append([])
        else:
            # An escaped comma or bar needs no backslash once its group is gone.
            options[-1].append(node[1:] if node in (r"\|", r"\,") and isinstance(node, str) else node)
    chances = [_CHANCE.match(_beginning(option)) for option in options]
    group = _Group(
        options=tuple(
            tuple(option if chance is None else _without(option, chance.end()))
            for option, chance in zip(options, chances, strict=True)
        ),
        weights=tuple(1.0 if chance is None else float(chance["weight"]) for chance in chances),
    )
    return [group if picks is None else _picking(group, picks)]


def _picking(group: _Group, picks: re.Match[str]) -> _Group:
    """Make a group that expands to several options at once, at most to as many as it has."""
    count = len(group.options)
    least = int(picks["least"] or 1)
    most = int(picks["most"] or count) if picks["to"] else least
    least, most = sorted((min(least, count), min(most, count)))
    between = group.between if picks["between"] is None else picks["between"]
    return msgspec.structs.replace(group, least=least, most=most, between=between)


def _beginning(nodes: Sequence[_Node]) -> str:
    """Text before the first group or bar."""
    return "".join(_first_texts(nodes))


def _without(nodes: Sequence[_Node], count: int) -> list[_Node]:
    """Nodes without the first `count` characters, all of which are before the first group or bar."""
    place, texts = 0, [*_first_texts(nodes)]
    while count > len(texts[place]):
        count -= len(texts[place])
        place += 1
    return [texts[place][count:], *nodes[place + 1 :]]


def _first_texts(nodes: Sequence[_Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, _Group) or node == _Separator("|"):
            return
        yield _literal(node)


def _count(words: _Words) -> int:
    return math.prod(_count_group(node) for node in words if isinstance(node, _Group))


def _count_group(group: _Group) -> int:
    """Number of texts of a group: a sum of elementary symmetric polynomials of its options' counts."""
    ways = [1] + [0] * group.most
    for option in group.options:
        count = _count(option)
        for size in range(group.most, 0, -1):
            ways[size] += ways[size - 1] * count
    return sum(ways[group.least :])


def _texts(words: _Words) -> Iterable[str]:
    """All texts of a tree; the last group changes fastest."""
    choices = [[*_group_texts(node)] if isinstance(node, _Group) else [_literal(node)] for node in words]
    return ("".join(parts) for parts in itertools.product(*choices))


def _group_texts(group: _Group) -> Iterable[str]:
    """All texts of a group, for every combination of its options, in the order of the options."""
    options = [[text.strip() for text in _texts(option)] for option in group.options]
    for size in range(group.least, group.most + 1):
        for chosen in itertools.combinations(options, size):
            yield from (group.between.join(parts) for parts in itertools.product(*chosen))


def _literal(node: str | _Separator) -> str:
    return node if isinstance(node, str) else node.sign


def _without_groups(text: str) -> str:
    """Escape the braces of a text when its joined pieces would be parsed as a group."""
    return _BRACE.sub(_escaped, text) if any(isinstance(node, _Group) for node in _read(text)) else text


def _escaped(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) > 1 else "\\" + match[0]
