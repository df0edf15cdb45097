"""Splits text of any length into chunks for a text encoder, at the same places as A1111."""

from collections.abc import Callable, Hashable, Sequence

import msgspec

from pipeline.prompts.emphasis import Break, Fragment, Parts

BACKTRACK = 20
"""Greatest number of tokens after a comma that move to the next chunk together."""


class Token(msgspec.Struct, frozen=True):
    """Unit that is never split between chunks: one token of words, or all vectors of an embedding.

    Attributes:
        numbers: one number of the text encoder's vocabulary, or each vector.
        start: position in its text, in characters.
        is_embedding: True when it moves to the next chunk alone if it does not fit, as in A1111.
    """

    numbers: tuple[Hashable, ...]
    start: int
    is_embedding: bool = False


class Chunk(msgspec.Struct, frozen=True):
    """Tokens that are encoded together, without start and end token; there is one weight for each number."""

    numbers: tuple[Hashable, ...]
    weights: tuple[float, ...]


class Chunked(msgspec.Struct, frozen=True):
    """A prompt in chunks.

    Attributes:
        chunks: at least one chunk, which may be empty.
        cut: words that did not fit; empty when the whole prompt did.
    """

    chunks: tuple[Chunk, ...]
    cut: str


class _Writer:
    """Builds chunks: those that are complete, and the one in progress."""

    def __init__(self, capacity: int, most: int) -> None:
        self._capacity = capacity
        self._most = most
        self._done: list[Chunk] = []
        self._numbers: list[Hashable] = []
        self._weights: list[float] = []
        self._comma: int | None = None

    @property
    def is_over(self) -> bool:
        """True when no further token fits."""
        return len(self._done) >= self._most

    def add(self, token: Token, weight: float, *, is_comma: bool) -> None:
        """Add a token; a chunk that it does not fit into is closed first."""
        if len(self._numbers) + len(token.numbers) > self._capacity:
            self._close_before(is_alone=is_comma or token.is_embedding)
        if self.is_over:
            return
        if is_comma:
            self._comma = len(self._numbers)
        self._numbers.extend(token.numbers)
        self._weights.extend([weight] * len(token.numbers))

    def close(self) -> None:
        """Close the present chunk; the next token begins a new one."""
        self._done.append(Chunk(tuple(self._numbers), tuple(self._weights)))
        self._numbers, self._weights, self._comma = [], [], None

    def finish(self) -> tuple[Chunk, ...]:
        """All chunks; the last may be short."""
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
        # As in A1111, a comma that moved to the new chunk does not count as a place to split.
        self._numbers, self._weights = numbers, weights


def in_chunks(
    parts: Parts, tokenize: Callable[[str], Sequence[Token]], *, comma: int, capacity: int, most: int
) -> Chunked:
    """Split a prompt into chunks; each fragment is tokenised separately.

    Args:
        parts: the prompt's fragments and breaks.
        tokenize: turns words into tokens, without start and end token.
        comma: number of the token for a comma at the end of a word.
        capacity: greatest number of tokens in a chunk.
        most: greatest number of chunks; the rest of the prompt is cut.
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
    """Add a fragment; returns the position in characters at which it no longer fits, or None when it fits."""
    for token in tokenize(part.text):
        writer.add(token, part.weight, is_comma=token.numbers == (comma,))
        if writer.is_over:
            return token.start
    return None


def _from_word(text: str, start: int) -> str:
    """End of a text, from the start of the word at position `start`."""
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    return text[start:]
