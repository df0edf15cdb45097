r"""One prompt that stands for several, and words that are chosen by chance; read before anything else of a prompt.

`{a|b}` is each of its variants and `{a, b}` each of its values, like Midjourney's permutations; groups nest, and
several multiply. `{2$$a|b|c}` is every two of them, `{1-2$$ and $$a|b}` one or two with ` and ` between, as in the
package dynamicprompts; its chances, `{3::a|b}`, count only where one is chosen. `__name__` is a line of the list of
that name. A backslash makes the next sign a letter, and a brace without its partner, or with nothing to choose from
inside, is one anyway.

What comes out is settled: read again, it stands for itself alone, so that a prompt that was shown can be pasted.
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
"""Braces inside braces; deeper ones are letters."""
MAX_LIST_DEPTH: Final = 8
"""Lists that name other lists, one inside the other."""
_FINE: Final = 2**53
"""Steps of a fraction, as many as a float has."""
MAX_CHOICES: Final = 100
"""Lines that are chosen for one prompt, those inside of others included."""

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


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """Braces that stand for one of their options, or for several with text between."""

    options: tuple["_Words", ...]
    weights: tuple[float, ...]
    least: int = 1
    most: int = 1
    between: str = ", "


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


def has_chances(prompt: str) -> bool:
    """Whether options of a group have chances, which count for nothing where each of them is made."""

    def weighs(words: _Words) -> bool:
        groups = [node for node in words if isinstance(node, _Group)]
        return any(len(set(group.weights)) > 1 or any(map(weighs, group.options)) for group in groups)

    return weighs(_read(prompt))


def find_unread(prompt: str) -> str | None:
    """What an expanded prompt still holds of the language of templates: a variable, or a number that is none."""
    return next((match["sign"] for match in _UNREAD.finditer(prompt) if match["sign"]), None)


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
        return "".join(self._chosen(node) if isinstance(node, _Group) else _literal(node) for node in words)

    def _chosen(self, group: _Group) -> str:
        """As many options as it says, each once."""
        count = group.least
        if group.most > group.least:
            count += self._choose(group.most - group.least + 1)
        left = list(zip(group.options, group.weights, strict=True))
        chosen = [left.pop(self._weighed([weight for _, weight in left]))[0] for _ in range(count)]
        return group.between.join(self._one_of(option).strip() for option in chosen)

    def _weighed(self, weights: Sequence[float]) -> int:
        """A place among these, each as likely as its weight says."""
        if len(set(weights)) == 1:
            return self._choose(len(weights))
        ends = [*itertools.accumulate(weights)]
        return bisect.bisect_right(ends, self._choose(_FINE) / _FINE * ends[-1])

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
    """What braces mean: a bar between them makes commas letters, a number that is none makes braces letters."""
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
            # Outside its group a comma or a bar needs no backslash any more.
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
    """A group of which several options are taken at once; there are never more than it has."""
    count = len(group.options)
    least = int(picks["least"] or 1)
    most = int(picks["most"] or count) if picks["to"] else least
    least, most = sorted((min(least, count), min(most, count)))
    between = group.between if picks["between"] is None else picks["between"]
    return msgspec.structs.replace(group, least=least, most=most, between=between)


def _beginning(nodes: Sequence[_Node]) -> str:
    """The text before the first group or bar."""
    return "".join(_first_texts(nodes))


def _without(nodes: Sequence[_Node], count: int) -> list[_Node]:
    """The nodes behind so many characters of their beginning, which has as many."""
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
    """How many texts: the elementary symmetric polynomials of its options' counts."""
    ways = [1] + [0] * group.most
    for option in group.options:
        count = _count(option)
        for size in range(group.most, 0, -1):
            ways[size] += ways[size - 1] * count
    return sum(ways[group.least :])


def _texts(words: _Words) -> Iterable[str]:
    """Every text of a tree, the last group turning fastest."""
    choices = [[*_group_texts(node)] if isinstance(node, _Group) else [_literal(node)] for node in words]
    return ("".join(parts) for parts in itertools.product(*choices))


def _group_texts(group: _Group) -> Iterable[str]:
    """Its options, or every choice of several of them, in the order in which they are written."""
    options = [[text.strip() for text in _texts(option)] for option in group.options]
    for size in range(group.least, group.most + 1):
        for chosen in itertools.combinations(options, size):
            yield from (group.between.join(parts) for parts in itertools.product(*chosen))


def _literal(node: str | _Separator) -> str:
    return node if isinstance(node, str) else node.sign


def _without_groups(text: str) -> str:
    """The same, with braces as letters where pieces that were put together would be read as a group."""
    return _BRACE.sub(_escaped, text) if any(isinstance(node, _Group) for node in _read(text)) else text


def _escaped(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) > 1 else "\\" + match[0]
