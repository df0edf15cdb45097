"""Text of any length in pieces that a text encoder takes, cut where A1111 cuts it."""

from collections.abc import Callable, Hashable, Sequence

import msgspec

from pipeline.prompts.emphasis import Break, Fragment, Parts

BACKTRACK = 20
"""Tokens that move to the next chunk rather than be torn from each other, if a comma stands before them."""


class Token(msgspec.Struct, frozen=True):
    """What is never torn: one token of words, or all vectors of an embedding.

    Attributes:
        numbers: one, in the text encoder's vocabulary, or each vector.
        start: where in its text it begins, in characters.
        is_embedding: it goes to the next chunk alone where it does not fit, as in A1111.
    """

    numbers: tuple[Hashable, ...]
    start: int
    is_embedding: bool = False


class Chunk(msgspec.Struct, frozen=True):
    """What is encoded together, without start and end: as many numbers as weights."""

    numbers: tuple[Hashable, ...]
    weights: tuple[float, ...]


class Chunked(msgspec.Struct, frozen=True):
    """A prompt in chunks.

    Attributes:
        chunks: at least one, perhaps empty.
        cut: the words that did not fit any more; empty where all did.
    """

    chunks: tuple[Chunk, ...]
    cut: str


class _Writer:
    """Chunks so far and the one that is being filled."""

    def __init__(self, capacity: int, most: int) -> None:
        self._capacity = capacity
        self._most = most
        self._done: list[Chunk] = []
        self._numbers: list[Hashable] = []
        self._weights: list[float] = []
        self._comma: int | None = None

    @property
    def is_over(self) -> bool:
        """There is no room for another token."""
        return len(self._done) >= self._most

    def add(self, token: Token, weight: float, *, is_comma: bool) -> None:
        """One more token; a chunk in which it has no room is closed before it."""
        if len(self._numbers) + len(token.numbers) > self._capacity:
            self._close_before(is_alone=is_comma or token.is_embedding)
        if self.is_over:
            return
        if is_comma:
            self._comma = len(self._numbers)
        self._numbers.extend(token.numbers)
        self._weights.extend([weight] * len(token.numbers))

    def close(self) -> None:
        """What follows begins a chunk."""
        self._done.append(Chunk(tuple(self._numbers), tuple(self._weights)))
        self._numbers, self._weights, self._comma = [], [], None

    def finish(self) -> tuple[Chunk, ...]:
        """Every chunk; the last may be short."""
        if self._numbers or not self._done:
            self.close()
        return tuple(self._done[: self._most])

    def _close_before(self, *, is_alone: bool) -> None:
        moved_from = self._capacity
        is_last = len(self._done) + 1 == self._most
        if not is_last and not is_alone and self._comma is not None and self._capacity - self._comma <= BACKTRACK:
            moved_from = self._comma + 1
        numbers, weights = self._numbers[moved_from:], self._weights[moved_from:]
        del self._numbers[moved_from:], self._weights[moved_from:]
        self.close()
        # The comma that moved along is forgotten, as A1111 forgets it.
        self._numbers, self._weights = numbers, weights


def in_chunks(
    parts: Parts, tokenize: Callable[[str], Sequence[Token]], *, comma: int, capacity: int, most: int
) -> Chunked:
    """A prompt in chunks; each fragment is tokenised by itself.

    Args:
        parts: what was read.
        tokenize: words to tokens, without start and end.
        comma: the token of a comma that ends a word.
        capacity: tokens of a chunk.
        most: chunks; what does not fit is cut.
    """
    writer = _Writer(capacity, most)
    cut: list[str] = []
    for part in parts:
        if isinstance(part, Break):
            writer.close()
            cut += [" "] if cut else []
        elif cut:
            cut.append(part.text)
        else:
            start = _fill(writer, part, tokenize, comma)
            if start is not None:
                cut.append(_from_word(part.text, start))
    return Chunked(writer.finish(), "".join(cut).strip())


def _fill(writer: _Writer, part: Fragment, tokenize: Callable[[str], Sequence[Token]], comma: int) -> int | None:
    """Add a fragment; where it ran out of room, in characters."""
    for token in tokenize(part.text):
        writer.add(token, part.weight, is_comma=token.numbers == (comma,))
        if writer.is_over:
            return token.start
    return None


def _from_word(text: str, start: int) -> str:
    """The end of a text from the start of the word that is hurt."""
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    return text[start:]
