"""Which rule of a server holds for a member."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.quotas.rules import Rule, Rules, SetRule, Subject, effective, generosity
from config.areas.quotas import Period

FALLBACK = Rule(amount=50, period=Period.DAY)

RULES = st.builds(Rule, amount=st.none() | st.integers(0, 1_000), period=st.sampled_from(Period))


def _rule(subject: Subject, amount: int | None, period: Period = Period.DAY, subject_id: int = 0) -> SetRule:
    return SetRule(subject=subject, subject_id=subject_id, amount=amount, period=period)


def test_without_any_rule_the_hosts_setting_holds_and_there_is_no_pool() -> None:
    assert effective([], FALLBACK) == Rules(member=FALLBACK, pool=None)


@pytest.mark.parametrize(
    ("subjects", "amount"),
    [
        ((Subject.SERVER,), 1),
        ((Subject.SERVER, Subject.ROLE), 2),
        ((Subject.SERVER, Subject.ROLE, Subject.USER), 3),
        ((Subject.USER, Subject.SERVER), 3),
        ((Subject.POOL,), 50),
    ],
)
def test_the_nearest_rule_holds_even_where_it_gives_less(subjects: tuple[Subject, ...], amount: int) -> None:
    amounts = {Subject.SERVER: 1, Subject.ROLE: 2, Subject.USER: 3, Subject.POOL: 4}
    given_ = [_rule(subject, amounts[subject]) for subject in subjects]
    assert effective(given_, FALLBACK).member.amount == amount
    opposite = [_rule(subject, 5 - amounts[subject]) for subject in subjects]
    assert effective(opposite, FALLBACK).member.amount == (amount if amount == 50 else 5 - amount)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ((20, Period.DAY), (10, Period.DAY)),
        ((None, Period.DAY), (1_000_000, Period.HOUR)),
        ((2, Period.HOUR), (40, Period.DAY)),
        ((8, Period.DAY), (50, Period.WEEK)),
        ((24, Period.DAY), (1, Period.HOUR)),
        ((1, Period.HOUR), (0, Period.HOUR)),
    ],
)
def test_of_two_roles_the_better_one_holds(better: tuple[int | None, Period], worse: tuple[int | None, Period]) -> None:
    good, bad = _rule(Subject.ROLE, *better, subject_id=1), _rule(Subject.ROLE, *worse, subject_id=2)
    assert effective([good, bad], FALLBACK).member == effective([bad, good], FALLBACK).member == good


@pytest.mark.parametrize(
    ("amount", "period"), [(2, Period.HOUR), (48, Period.DAY), (336, Period.WEEK), (1461, Period.MONTH)]
)
def test_periods_are_compared_by_their_mean_length(amount: int, period: Period) -> None:
    # A month is a twelfth of 365.25 days.
    assert generosity(Rule(amount=amount, period=period)) == (2, amount)


def test_the_pool_is_beside_the_members_rule() -> None:
    pool = _rule(Subject.POOL, 7, Period.WEEK)
    found = effective([_rule(Subject.USER, None), pool], FALLBACK)
    assert (found.member.amount, found.pool) == (None, pool)


@given(RULES, RULES)
def test_more_units_in_the_same_period_are_never_less_generous(one: Rule, other: Rule) -> None:
    same = Rule(amount=other.amount, period=one.period)
    least = float("inf")
    fewer = (least if one.amount is None else one.amount) <= (least if same.amount is None else same.amount)
    assert (generosity(one) <= generosity(same)) is fewer
