"""Where a long prompt is cut into chunks, and what of it is left out."""

import re
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompts.chunks import BACKTRACK, Chunk, Chunked, Token, in_chunks
from pipeline.prompts.emphasis import read_emphasis

COMMA = 0
CAPACITY = 75


def tokens_of(text: str) -> list[Token]:
    """A token for each word, which is the word's number, and one for each comma."""
    return [
        Token((COMMA if match[0] == "," else int(match[0] if match[0].isdigit() else 999),), match.start())
        for match in re.finditer(r",|[^\s,]+", text)
    ]


def chunked(prompt: str, most: int = 8) -> Chunked:
    return in_chunks(read_emphasis(prompt), tokens_of, comma=COMMA, capacity=CAPACITY, most=most)


def numbers(prompt: str, most: int = 8) -> list[tuple[Hashable, ...]]:
    return [chunk.numbers for chunk in chunked(prompt, most).chunks]


def count(first: int, last: int) -> str:
    return " ".join(str(number) for number in range(first, last + 1))


def span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


def test_what_fits_is_one_chunk_and_nothing_is_one_empty_chunk() -> None:
    assert numbers(count(1, 75)) == [span(1, 75)]
    assert numbers(count(1, 76)) == [span(1, 75), (76,)]
    assert chunked("") == Chunked((Chunk((), ()),), "")


def test_words_after_a_late_comma_stay_together() -> None:
    late = f"{count(1, 60)}, {count(61, 80)}"
    assert numbers(late) == [(*span(1, 60), COMMA), span(61, 80)]
    early = f"{count(1, 50)}, {count(51, 80)}"
    assert numbers(early) == [(*span(1, 50), COMMA, *span(51, 74)), span(75, 80)]


def test_the_comma_counts_from_so_many_places_before_the_end() -> None:
    at = CAPACITY - BACKTRACK
    assert len(numbers(f"{count(1, at)}, {count(100, 130)}")[0]) == at + 1
    assert len(numbers(f"{count(1, at - 1)}, {count(100, 130)}")[0]) == CAPACITY


def test_a_comma_that_finds_no_room_begins_the_next_chunk() -> None:
    assert numbers(f"{count(1, 60)}, {count(61, 74)}, {count(75, 80)}") == [
        (*span(1, 60), COMMA, *span(61, 74)),
        (COMMA, *span(75, 80)),
    ]


def test_a_break_closes_the_chunk() -> None:
    assert numbers("1 BREAK 2") == [(1,), (2,)]
    assert numbers("BREAK 1") == [(), (1,)]
    assert numbers("1 BREAK BREAK 2") == [(1,), (), (2,)]
    assert numbers("1 BREAK") == [(1,)]


def test_an_embedding_is_never_torn_and_goes_to_the_next_chunk_alone() -> None:
    def with_embedding(text: str) -> list[Token]:
        tokens = tokens_of(text)
        return [
            Token(("x", "y", "z"), token.start, is_embedding=True) if token.numbers == (999,) else token
            for token in tokens
        ]

    def chunks(prompt: str, most: int = 8) -> Chunked:
        return in_chunks(read_emphasis(prompt), with_embedding, comma=COMMA, capacity=CAPACITY, most=most)

    fits, moves = chunks(f"{count(1, 72)} E 7"), chunks(f"{count(1, 60)}, {count(61, 72)} E")
    assert [chunk.numbers for chunk in fits.chunks] == [(*span(1, 72), "x", "y", "z"), (7,)]
    assert [chunk.numbers for chunk in moves.chunks] == [(*span(1, 60), COMMA, *span(61, 72)), ("x", "y", "z")]
    assert chunks("1 (E:1.5)").chunks[0].weights == (1.0, 1.5, 1.5, 1.5)
    assert chunks(f"{count(1, 73)} E 2", most=1).cut == "E 2"
    late = chunks(f"{count(1, 70)}, E {count(5, 9)}")
    assert late.chunks[1].numbers == ("x", "y", "z", *span(5, 9)), "what a comma moves keeps its vectors"


def test_weights_go_with_their_tokens() -> None:
    (chunk,) = chunked("1 (2 3:1.5) [4]").chunks
    assert chunk.numbers == (1, 2, 3, 4)
    assert chunk.weights == (1.0, 1.5, 1.5, 1 / 1.1)


def test_what_does_not_fit_is_named_from_its_first_word() -> None:
    cut = chunked(f"{count(1, 80)} (beautiful clouds:1.2) rain", most=1)
    assert [chunk.numbers for chunk in cut.chunks] == [span(1, 75)]
    assert cut.cut == f"{count(76, 80)} beautiful clouds rain"
    late = chunked(f"{count(1, 60)}, {count(61, 80)}", most=1)
    assert len(late.chunks[0].numbers) == CAPACITY, "in the last chunk nothing moves, since there is nowhere to"
    assert late.cut == count(75, 80)
    assert chunked("1 BREAK 2 BREAK 3", most=2).cut == "3"


@pytest.mark.parametrize(
    ("text", "capacity", "cut"),
    [("ab cd", 3, "cd"), ("ab cd", 2, "cd"), ("ab cd", 1, "ab cd"), ("ab", 1, "ab"), ("a b", 1, "b")],
)
def test_a_word_that_is_torn_is_named_whole(text: str, capacity: int, cut: str) -> None:
    def letters(words: str) -> list[Token]:
        return [Token((letter,), start) for start, letter in enumerate(words) if letter != " "]

    found = in_chunks(read_emphasis(text), letters, comma=COMMA, capacity=capacity, most=1)
    assert (len(found.chunks[0].numbers), found.cut) == (capacity, cut)


@given(st.lists(st.sampled_from(["1", "2", ",", "BREAK", "(3:1.2)", "[4]"]), max_size=400), st.integers(1, 4))
def test_every_word_is_in_a_chunk_or_told(words: list[str], most: int) -> None:
    prompt = " ".join(words)
    found = chunked(prompt, most)
    assert 1 <= len(found.chunks) <= most
    assert all(len(chunk.numbers) == len(chunk.weights) <= CAPACITY for chunk in found.chunks)
    kept = [number for chunk in found.chunks for number in chunk.numbers]
    told = [token.numbers[0] for token in tokens_of(found.cut)]
    assert kept + told == [token.numbers[0] for token in tokens_of(re.sub(r"BREAK|[()\[\]]|:1\.2", " ", prompt))]
