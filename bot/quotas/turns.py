"""Deficit round robin (Shreedhar and Varghese, 1995). A job's round is computed when the job is placed.

In each round, a waiting member gets as many units as their weight. A job starts in the round in which the member's
saved units (the deficit) cover its price. A member's later jobs cannot change the round of an earlier one, so the round
is known at once. The whole queue therefore has one order, and positions can be counted.
"""

from typing import Final

import msgspec

_ROUND_BITS: Final = 29
_ID_BITS: Final = 32
MAX_JOB_ID: Final = (1 << _ID_BITS) - 1
EXPRESS: Final = 0
NORMAL: Final = 1


class Turn(msgspec.Struct, frozen=True):
    """A member's place in the rounds: the round of their last job, and the units left after it."""

    round: int
    deficit: int


def caught_up(turn: Turn, now_round: int) -> Turn:
    """The turn of a member who asks now. A member without waiting jobs begins in the current round without savings."""
    return Turn(now_round, 0) if turn.round < now_round else turn


def next_turn(turn: Turn, *, price: int, weight: int) -> Turn:
    """The turn of a member's next job.

    Args:
        turn: the turn of the member's last job.
        price: the job's price in units, at least 1.
        weight: the member's units in each round, at least 1.
    """
    rounds = max(0, -(-(price - turn.deficit) // weight))
    return Turn(turn.round + rounds, turn.deficit + rounds * weight - price)


def queue_key(lane: int, turn: Turn, job_id: int) -> int:
    """The job's place as one number: lane, then round, then order of arrival.

    Raises:
        OverflowError: the round or the job id is too large for the key.
    """
    if turn.round >> _ROUND_BITS or job_id > MAX_JOB_ID:
        raise OverflowError("The queue has run out of rounds or job numbers.")
    return lane << (_ROUND_BITS + _ID_BITS) | turn.round << _ID_BITS | job_id


def lane_of(key: int) -> int:
    """The lane in a queue key."""
    return key >> (_ROUND_BITS + _ID_BITS)
