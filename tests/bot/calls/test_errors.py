"""The table of codes: each that may meet a message of ours has one place, and what is not in it a sane one."""

from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from bot.calls.errors import (
    KINDS,
    AlreadyAcknowledged,
    AnsweredElsewhere,
    CallFailed,
    CallRefused,
    DiscordUnreachable,
    InteractionLost,
    MessageGone,
    NotEditable,
    NotNow,
    NotPermitted,
    TokenOver,
    TooLarge,
    WordsBlocked,
    failure_of,
)


def answered(status: int, code: int) -> CallFailed:
    response: Any = SimpleNamespace(status=status, reason="")
    return failure_of(discord.HTTPException(response, {"code": code, "message": ""}))


def test_a_code_stands_in_the_table_once() -> None:
    codes = [code for codes in KINDS.values() for code in codes]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (10062, InteractionLost),
        (40060, AlreadyAcknowledged),
        *((code, TokenOver) for code in (10015, 50027)),
        *((code, MessageGone) for code in (10003, 10004, 10008)),
        *((code, TooLarge) for code in (40005, 50045)),
        (20016, NotNow),
        (20028, NotNow),
        (30046, NotEditable),
        (50008, NotPermitted),
        (50035, CallRefused),
        (50083, NotEditable),
        (160005, NotEditable),
        (200000, WordsBlocked),
        (200001, WordsBlocked),
        (240000, WordsBlocked),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 429])
def test_a_code_says_more_than_its_status(status: int, code: int, kind: type[CallFailed]) -> None:
    assert type(answered(status, code)) is kind


@pytest.mark.parametrize("code", [0, 987_654])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, CallRefused),
        (401, TokenOver),
        (403, NotPermitted),
        (404, MessageGone),
        (405, CallRefused),
        (408, NotNow),
        (410, MessageGone),
        (413, TooLarge),
        (422, CallRefused),
        (429, NotNow),
        (500, DiscordUnreachable),
        (520, DiscordUnreachable),
    ],
)
def test_a_code_that_nobody_knows_yet_says_as_much_as_its_status(
    status: int, code: int, kind: type[CallFailed]
) -> None:
    assert type(answered(status, code)) is kind


def test_what_gave_no_answer_may_be_tried_later() -> None:
    for error in (TimeoutError(), aiohttp.ServerDisconnectedError(), discord.RateLimited(3_600)):
        assert type(failure_of(error)) is DiscordUnreachable
        assert not failure_of(error).is_refusal


@pytest.mark.parametrize(
    ("failed", "is_refusal"),
    [
        (answered(400, 50083), True),
        (answered(403, 50013), True),
        (answered(404, 10062), True),
        (answered(400, 40060), False),
        (AnsweredElsewhere("", status=400, code=40060), True),
        (answered(408, 0), False),
        (answered(429, 20016), False),
        (answered(503, 0), False),
    ],
)
def test_only_what_surely_did_nothing_is_a_refusal(failed: CallFailed, *, is_refusal: bool) -> None:
    assert failed.is_refusal is is_refusal


def test_what_another_answered_is_lost_for_us() -> None:
    assert issubclass(AnsweredElsewhere, InteractionLost)
    assert not issubclass(AnsweredElsewhere, AlreadyAcknowledged)
