"""Options that Midjourney has and Easel has not: each is answered with what does the same here, or why nothing does."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Habit(StrEnum):
    """What an option is about there; the value is the key of the answer."""

    STYLIZE = "notice-habit-stylize"
    VARIETY = "notice-habit-variety"
    TILE = "notice-habit-tile"
    VERSION = "notice-habit-version"
    SPEED = "notice-habit-speed"
    REPEAT = "notice-habit-repeat"
    PERSONAL = "notice-habit-personal"
    WEIGHT = "notice-habit-weight"
    MOTION = "notice-habit-motion"


_NAMES: Final[Mapping[Habit, tuple[str, ...]]] = MappingProxyType(
    {
        Habit.STYLIZE: ("stylize", "s", "raw", "exp"),
        Habit.VARIETY: ("chaos", "c", "weird", "w"),
        Habit.TILE: ("tile",),
        Habit.VERSION: ("v", "version", "niji"),
        Habit.SPEED: ("q", "quality", "stop", "draft", "fast", "relax", "turbo"),
        Habit.REPEAT: ("repeat", "r"),
        Habit.PERSONAL: ("p", "personalize", "profile"),
        Habit.WEIGHT: ("sw", "cw", "ow"),
        Habit.MOTION: ("video", "motion", "loop"),
    }
)
_HABITS: Final = {name: habit for habit, names in _NAMES.items() for name in names}


def habit_of(name: str) -> Habit | None:
    """What an option is about in Midjourney, by its name without hyphens; None if it has none of this name."""
    return _HABITS.get(name.casefold())
