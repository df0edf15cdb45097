"""The hard rule: no sexual pictures of minors. It has no setting, no exception of a server, and no appeal."""

import functools
from importlib import resources
from pathlib import Path
from typing import Final

from bot.errors import Refused
from bot.safety.ages import age_terms
from bot.safety.judging import hits_of
from bot.safety.words.files import BadRuleFile, read_rule_file, read_text
from bot.safety.words.matching import Matcher
from bot.safety.words.rules import RuleSet
from pipeline.protocol.requests import Request

_MINORS: Final = "minors"
_LISTS: Final = (_MINORS, "sexual")
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

    def names_minors(self, request: Request) -> bool:
        """Whether a request has a term for minors. Pictures of such a request are checked most strictly."""
        try:
            return bool(hits_of(self._minors, request))
        except Refused:  # it changes so often that it is not judged
            return True

    def forbids(self, request: Request) -> bool:
        """Whether the rule forbids a request.

        Raises:
            Refused: the prompt changes so often that it is not judged.
        """
        return bool(hits_of(self._sexual, request)) and bool(hits_of(self._minors, request))


@functools.cache
def shipped_rule() -> HardRule:
    """The rule with the lists of the package."""
    return HardRule(*map(read_list, _LISTS))


def widened_rule(directory: Path) -> HardRule:
    """The rule with the lists of the package and those of a folder of the owner: `minors.txt`, `sexual.txt` or both.

    Raises:
        BadRuleFile: there is neither, or one cannot be read or takes something away.
    """
    files = {name: directory / f"{name}.txt" for name in _LISTS}
    if not any(file.is_file() for file in files.values()):
        raise BadRuleFile(f"{directory} has neither minors.txt nor sexual.txt.")
    return HardRule(*(_widened(name, file) for name, file in files.items()))


def _widened(name: str, file: Path) -> RuleSet:
    ours = read_list(name)
    if not file.is_file():
        return ours
    theirs = read_rule_file(file)
    if theirs.exceptions:
        raise BadRuleFile(f"{file} adds to the hard rule and takes nothing away: leave out lines that begin with “!”.")
    return RuleSet(rules=(*ours.rules, *theirs.rules), exceptions=ours.exceptions)


def read_list(name: str) -> RuleSet:
    """A list of the package."""
    text = resources.files("bot.safety").joinpath(f"lists/{name}.txt").read_text(encoding="utf-8")
    return read_text("\n".join([text, *age_terms()]) if name == _MINORS else text)
