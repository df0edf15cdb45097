"""What Discord closes for good ends in one sentence; anything else may work again."""

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.calls.closing import sentence_of


def closed(code: int) -> discord.ConnectionClosed:
    socket: Any = SimpleNamespace(close_code=code)
    return discord.ConnectionClosed(socket, shard_id=None, code=code)


@pytest.mark.parametrize(("code", "words"), [(4004, "token"), (4013, "intents"), (4014, "intents"), (4011, "servers")])
def test_a_close_for_good_says_what_to_do(code: int, words: str) -> None:
    sentence = sentence_of(closed(code))
    assert sentence is not None
    assert words in sentence


def test_refused_intents_have_an_exception_of_their_own() -> None:
    assert sentence_of(discord.PrivilegedIntentsRequired(None)) == sentence_of(closed(4014))


@pytest.mark.parametrize("code", [1000, 1006, 4000, 4009])
def test_any_other_close_is_no_reason_to_end_for_good(code: int) -> None:
    assert sentence_of(closed(code)) is None
