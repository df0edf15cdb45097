"""The hard rule: no sexual pictures of minors. It has no setting, no exception of a server, and no appeal."""

import functools
from importlib import resources
from pathlib import Path
from typing import Final

from bot.errors import Refused
from bot.safety.ages import age_terms, has_age
from bot.safety.judging import hits_of, prompts_of
from bot.safety.words.files import BadRuleFile, read_rule_file, read_text
from bot.safety.words.matching import Matcher
from bot.safety.words.rules import RuleSet
from pipeline.protocol.requests import Request

_MINORS: Final = "minors"
_SEXUAL: Final = "sexual"
_YOUNG: Final = "young"
CATEGORY: Final = "minors"
"""What the audit log names in place of the words."""


class HardRule:
    """Forbids what has a term of both lists, in any order and distance.

    Args:
        minors: terms for minors.
        sexual: sexual terms.
        young: words for minors and for adults, which name a minor beside an age below 18.
    """

    def __init__(self, minors: RuleSet, sexual: RuleSet, young: RuleSet) -> None:
        self._minors = Matcher(minors)
        self._sexual = Matcher(sexual)
        self._young = Matcher(young)

    def names_minors(self, request: Request) -> bool:
        """Whether a request has a term for minors. Pictures of such a request are checked most strictly."""
        try:
            return self._has_minors(request)
        except Refused:  # it changes so often that it is not judged
            return True

    def forbids(self, request: Request) -> bool:
        """Whether the rule forbids a request.

        Raises:
            Refused: the prompt changes so often that it is not judged.
        """
        return bool(hits_of(self._sexual, request)) and self._has_minors(request)

    def _has_minors(self, request: Request) -> bool:
        return bool(hits_of(self._minors, request)) or any(
            has_age(prompt, hit.part) for hit in hits_of(self._young, request) for prompt in prompts_of(request)
        )


@functools.cache
def shipped_rule() -> HardRule:
    """The rule with the lists of the package."""
    return HardRule(read_list(_MINORS), read_list(_SEXUAL), read_list(_YOUNG))


def widened_rule(directory: Path) -> HardRule:
    """The rule with the lists of the package and those of a folder of the owner: `minors.txt`, `sexual.txt` or both.

    Raises:
        BadRuleFile: there is neither, or one cannot be read or takes something away.
    """
    files = {name: directory / f"{name}.txt" for name in (_MINORS, _SEXUAL)}
    if not any(file.is_file() for file in files.values()):
        raise BadRuleFile(f"{directory} has neither minors.txt nor sexual.txt.")
    minors, sexual = (_widened(name, file) for name, file in files.items())
    return HardRule(minors, sexual, read_list(_YOUNG))


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
