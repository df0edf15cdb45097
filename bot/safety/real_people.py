"""No sexual pictures of real people: refused unless the owner takes the rule away, since such pictures need consent."""

import functools
from pathlib import Path
from typing import Final

import msgspec

from bot.safety.hard_rule import read_list
from bot.safety.judging import hits_of
from bot.safety.words.files import read_rule_file
from bot.safety.words.matching import Hit, Matcher
from bot.safety.words.rules import RuleSet
from pipeline.protocol.requests import Request

REASON: Final = "no sexual pictures of real people"
"""For moderators, who read it beside what was found."""


class RealPeople:
    """Refuses what names a real person beside a sexual term, in any order and distance.

    Args:
        people: words for real people, and names.
        sexual: sexual terms.
    """

    def __init__(self, people: RuleSet, sexual: RuleSet) -> None:
        rules = (msgspec.structs.replace(rule, reason=REASON, number=0) for rule in people.rules)
        self._people = Matcher(RuleSet(rules=tuple(rules), exceptions=people.exceptions))
        self._sexual = Matcher(sexual)

    def hits(self, request: Request) -> tuple[Hit, ...]:
        """The words for people, if a request has sexual terms too.

        Raises:
            Refused: the prompt changes so often that it is not judged.
        """
        found = hits_of(self._people, request)
        return found if found and hits_of(self._sexual, request) else ()

    def explain(self, prompt: str) -> tuple[Hit, ...]:
        """The same for a prompt, with words that an exception allows.

        Raises:
            Refused: the prompt changes so often that it is not judged.
        """
        return self._people.explain(prompt) if self._sexual.hits(prompt) else ()


@functools.cache
def nobody() -> RealPeople:
    """The rule that refuses nothing."""
    return RealPeople(RuleSet(), RuleSet())


def real_people(file: Path | None) -> RealPeople:
    """The rule with the words of the package and those of the owner's file.

    Raises:
        BadRuleFile: the file cannot be read.
    """
    ours = read_list("people")
    theirs = RuleSet() if file is None else read_rule_file(file)
    people = RuleSet(rules=(*ours.rules, *theirs.rules), exceptions=(*ours.exceptions, *theirs.exceptions))
    return RealPeople(people, read_list("sexual"))
