"""Amounts and durations as admins type them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.admin.parsing import MAX_AMOUNT, MAX_DURATION, parse_duration, parse_rule
from bot.errors import Refused
from bot.quotas.rules import Rule
from config.areas.quotas import Period


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("12h", 12),
        ("7d", 168),
        ("2w", 336),
        ("1w 3d", 240),
        ("1d12h", 36),
        (" 1 Day ", 24),
        ("2 weeks", 336),
        ("36 HOURS", 36),
        ("3650d", 87_600),
    ],
)
def test_durations(words: str, hours: int) -> None:
    assert parse_duration(words) == timedelta(hours=hours)


@pytest.mark.parametrize("words", ["", "soon", "7", "h", "-1d", "0h", "1.5d", "3651d", "999999w", "7 d y", "1m", "٧d"])
def test_what_is_no_duration_is_refused(words: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_duration(words)
    assert refused.value.values == {"value": words}


@given(st.text(alphabet="0123456789hdwaysouek ٣", max_size=12))
def test_a_duration_is_refused_or_within_its_bounds(words: str) -> None:
    try:
        duration = parse_duration(words)
    except Refused:
        return
    assert timedelta(0) < duration <= MAX_DURATION


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0", Rule(amount=0, period=Period.WEEK)),
        (" 25 ", Rule(amount=25, period=Period.WEEK)),
        (str(MAX_AMOUNT), Rule(amount=MAX_AMOUNT, period=Period.WEEK)),
        ("Unlimited", Rule(amount=None, period=Period.WEEK)),
        ("default", None),
    ],
)
def test_rules(amount: str, expected: Rule | None) -> None:
    assert parse_rule(amount, "week") == expected


@pytest.mark.parametrize("amount", ["", "many", "-1", "1.5", "1e3", str(MAX_AMOUNT + 1), "9" * 40, "٧"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(Refused):
        parse_rule(amount, "day")
