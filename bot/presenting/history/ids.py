"""Custom ids of the buttons of a history. The id holds the whole search, so a page works after any restart.

The page is private, and the member who presses is the member of the search. So a forged id shows nothing of others.
"""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

from bot.errors import Refused
from bot.store.rows.history import Shelf, Sought, Spot

MAX_WORDS: Final = 40
"""Most UTF-16 units of the words, since Discord takes 100 in an id."""
TURN_TEMPLATE: Final = (
    r"easel-past:(?P<turn>[ofnz])(?P<shelf>[osf]):(?P<job>[0-9]{0,12})\.(?P<index>[0-9]?)"
    r":(?P<since>[0-9a-f]{0,7}):(?P<before>[0-9a-f]{0,7}):(?P<model>(?:[0-9a-f]{6})?):(?s:(?P<words>.*))"
)
OPEN_TEMPLATE: Final = r"easel-open:(?P<job>[0-9]{1,18}):[0-9]"
"""Pattern of the button that shows a job's message privately, with all of its buttons."""
_TURN: Final = re.compile(TURN_TEMPLATE)
_MINUTE_S: Final = 60


class Turn(StrEnum):
    """What a button of a page does. Old pages keep these letters for ever."""

    OLDER = "o"
    NEWER = "n"
    ZIP = "z"


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """The values in the id of a page's button; `spot` is the picture at the page's end or beginning."""

    turn: Turn
    sought: Sought
    spot: Spot | None


def units(words: str) -> int:
    """The length of words as Discord counts it."""
    return len(words.encode("utf-16-le")) // 2


def turn_id(turn: Turn, sought: Sought, spot: Spot | None = None) -> str:
    """The id of a button. Times are minutes since 1970, as the beginning of a day is in any time zone."""
    place = "." if spot is None else f"{spot.job_id}.{spot.index}"
    times = f"{_minutes(sought.since)}:{_minutes(sought.before)}"
    return f"easel-past:{turn}{sought.shelf}:{place}:{times}:{sought.model_mark}:{sought.words}"


def read_turn(found: str, *, user_id: int, is_among_adults: bool) -> Turned:
    """The values in a custom id, as a search of the member who presses, in the place of the press.

    Raises:
        Refused: this Easel does not know it.
    """
    match = _TURN.fullmatch(found)
    if match is None or match["turn"] not in list(Turn):
        raise Refused("refused-history-page")
    is_spot = match["job"] and match["index"]
    return Turned(
        turn=Turn(match["turn"]),
        sought=Sought(
            user_id=user_id,
            shelf=Shelf(match["shelf"]),
            words=match["words"],
            model_mark=match["model"],
            since=_time(match["since"]),
            before=_time(match["before"]),
            is_among_adults=is_among_adults,
        ),
        spot=Spot(job_id=int(match["job"]), index=int(match["index"])) if is_spot else None,
    )


def open_id(spot: Spot) -> str:
    """The id of the button that shows a job's message privately. The index only makes it unique on a page."""
    return f"easel-open:{spot.job_id}:{spot.index}"


def _minutes(moment: datetime | None) -> str:
    return "" if moment is None else f"{int(moment.timestamp()) // _MINUTE_S:x}"


def _time(minutes: str) -> datetime | None:
    return None if not minutes else datetime.fromtimestamp(int(minutes, 16) * _MINUTE_S, UTC)
