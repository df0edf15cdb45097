"""Deficit round robin (Shreedhar and Varghese, 1995), worked out when a job is placed instead of when it starts.

A round gives each waiting member as many units as their weight; a job starts in the round in which the units
saved up (the deficit) pay its price. Since a member's later jobs cannot change the round of an earlier one, the
round is known at once: the whole queue has one order, and a position in it can be counted.
"""

from typing import Final

import msgspec

_ROUND_BITS: Final = 29
_ID_BITS: Final = 32
MAX_JOB_ID: Final = (1 << _ID_BITS) - 1
EXPRESS: Final = 0
NORMAL: Final = 1


class Turn(msgspec.Struct, frozen=True):
    """A member's place in the rounds: the round of their last job, and the units that it left over."""

    round: int
    deficit: int


def caught_up(turn: Turn, now_round: int) -> Turn:
    """The turn of a member who asks now: who had nothing waiting begins at this round, without savings."""
    return Turn(now_round, 0) if turn.round < now_round else turn


def next_turn(turn: Turn, *, price: int, weight: int) -> Turn:
    """Where a member's next job goes, and what is left over after it.

    Args:
        turn: after the member's last job.
        price: of the job, in units, at least 1.
        weight: units that a round gives this member, at least 1.
    """
    rounds = max(0, -(-(price - turn.deficit) // weight))
    return Turn(turn.round + rounds, turn.deficit + rounds * weight - price)


def queue_key(lane: int, turn: Turn, job_id: int) -> int:
    """The job's place as one number: lane, then round, then order of arrival."""
    if turn.round >> _ROUND_BITS or job_id > MAX_JOB_ID:
        raise OverflowError("The queue has run out of rounds or job numbers.")
    return lane << (_ROUND_BITS + _ID_BITS) | turn.round << _ID_BITS | job_id


def lane_of(key: int) -> int:
    """The lane that a key belongs to."""
    return key >> (_ROUND_BITS + _ID_BITS)
