"""The quota rule for a member: their own rule, else the best one of their roles, else the server's rule."""

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from config.areas.quotas import Period

_HOURS: Final = {Period.HOUR: 1.0, Period.DAY: 24.0, Period.WEEK: 168.0, Period.MONTH: 730.5}
"""Mean hours in a period, to compare rules with different periods."""


class Subject(StrEnum):
    """The subject of a rule."""

    SERVER = "server"
    ROLE = "role"
    USER = "user"
    POOL = "pool"
    """All members of the server together."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Units in a period; `amount` is None without a limit."""

    amount: int | None
    period: Period


class SetRule(Rule, frozen=True, kw_only=True):
    """A rule that an admin set, with its subject; `subject_id` is 0 for the server and its pool."""

    subject: Subject
    subject_id: int


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules for one member: the member's rule, and the rule of the server's pool if it has one."""

    member: Rule
    pool: Rule | None


def effective(rules: Iterable[SetRule], fallback: Rule) -> Rules:
    """The rules that apply to a member.

    Args:
        rules: the server's rules for this member, for their roles, and for everybody.
        fallback: the host's setting.
    """
    by_subject: dict[Subject, list[SetRule]] = {}
    for rule in rules:
        by_subject.setdefault(rule.subject, []).append(rule)
    candidates: Iterable[Rule] = (
        by_subject.get(Subject.USER) or by_subject.get(Subject.ROLE) or by_subject.get(Subject.SERVER) or (fallback,)
    )
    pools = by_subject.get(Subject.POOL)
    return Rules(member=max(candidates, key=generosity), pool=pools[0] if pools else None)


def generosity(rule: Rule) -> tuple[float, float]:
    """A key to compare rules: units in an hour, then units at once. No limit is greater than any limit."""
    if rule.amount is None:
        return math.inf, math.inf
    return rule.amount / _HOURS[rule.period], rule.amount
