"""The hard rule: no sexual pictures of minors. It has no setting, no exception of a server, and no appeal."""

import functools
from importlib import resources
from typing import Final

from bot.safety.judging import hits_of
from bot.safety.words.files import read_text
from bot.safety.words.matching import Matcher
from bot.safety.words.rules import RuleSet
from pipeline.protocol.requests import Request

CATEGORY: Final = "minors"
"""What the audit log names in place of the words."""


class HardRule:
    """Forbids what has a term of both lists, in any order and distance.

    Args:
        minors: terms for minors.
        sexual: sexual terms.
    """

    def __init__(self, minors: RuleSet, sexual: RuleSet) -> None:
        self._minors = Matcher(minors)
        self._sexual = Matcher(sexual)

    def forbids(self, request: Request) -> bool:
        """Whether the rule forbids a request.

        Raises:
            Refused: the prompt changes so often that it is not judged.
        """
        return bool(hits_of(self._sexual, request)) and bool(hits_of(self._minors, request))


@functools.cache
def shipped_rule() -> HardRule:
    """The rule with the lists of the package."""
    return HardRule(read_list("minors"), read_list("sexual"))


def read_list(name: str) -> RuleSet:
    """A list of the package."""
    return read_text(resources.files("bot.safety").joinpath(f"lists/{name}.txt").read_text(encoding="utf-8"))
