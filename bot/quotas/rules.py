"""Which rule of a server holds for a member: their own, else the best of their roles, else the server's."""

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from config.settings import Period

_HOURS: Final = {Period.HOUR: 1.0, Period.DAY: 24.0, Period.WEEK: 168.0, Period.MONTH: 730.5}
"""Mean length of a period in hours, to compare rules whose periods differ."""


class Subject(StrEnum):
    """Whom a rule is about."""

    SERVER = "server"
    ROLE = "role"
    USER = "user"
    POOL = "pool"
    """All members of the server together."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Units a period; `amount` None is without limit."""

    amount: int | None
    period: Period


class SetRule(Rule, frozen=True, kw_only=True):
    """A rule that an admin set, and for whom; `subject_id` is 0 for the server and its pool."""

    subject: Subject
    subject_id: int


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one member: the member's rule and that of the server's pool, if it has one."""

    member: Rule
    pool: Rule | None


def effective(rules: Iterable[SetRule], fallback: Rule) -> Rules:
    """What holds for a member.

    Args:
        rules: the server's rules that concern the member: for them, for their roles, for all.
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
    """For comparing rules: units an hour, then units at once; no limit beats any."""
    if rule.amount is None:
        return math.inf, math.inf
    return rule.amount / _HOURS[rule.period], rule.amount
