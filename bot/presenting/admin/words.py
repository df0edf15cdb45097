"""Sentences for admins about rules of words."""

from collections.abc import Mapping, Sequence

from bot.presenting.admin.sentences import fit
from bot.presenting.escaping import escape
from bot.presenting.texts import text
from bot.requests.typed.wildcards import Offending
from bot.safety.words.characters import How
from bot.safety.words.matching import Hit
from bot.safety.words.rules import Rule, RuleSet

_NONE = "none"
_MAX_SHOWN = 100
"""Most characters of a word or a part of a prompt in a line."""


def added(rule: Rule) -> str:
    """A rule that was just added or changed."""
    return text("words-added", word=_shown(rule.word), rule=rule.number, action=rule.action)


def removed(number: int, word: str) -> str:
    """A rule that was just removed."""
    return text("words-removed", rule=number, word=_shown(word))


def excepted(word: str, *, is_there: bool) -> str:
    """An exception that was just added or removed."""
    return text("words-excepted", word=_shown(word), is_there="yes" if is_there else "no")


def imported(rules: int, exceptions: int) -> str:
    """A file that was just imported."""
    return text("words-imported", rules=rules, exceptions=exceptions)


def listed(rules: RuleSet) -> str:
    """All rules and exceptions of a server, as many as fit."""
    if rules == RuleSet():
        return text("words-none")
    lines = [
        text(
            "words-rule",
            rule=rule.number,
            word=_shown(rule.word),
            action=rule.action,
            reason=escape(rule.reason, _MAX_SHOWN) or _NONE,
        )
        for rule in rules.rules
    ]
    return fit([*lines, *(text("words-exception", word=_shown(word)) for word in rules.exceptions)])


def tested(found: Mapping[str, Sequence[Hit]], lists: Sequence[Offending]) -> str:
    """What the rules of the owner and of the server find in a prompt, and in the lists of words that it names."""
    lines = [
        text(
            "words-hit",
            whose=whose,
            rule=hit.rule.number,
            word=_shown(hit.rule.word),
            part=_shown(hit.part),
            how=", ".join(text(f"how-{How(way).name.casefold()}") for way in hit.how),
            action="allow" if hit.exception else hit.rule.action,
            exception=_shown(hit.exception) or _NONE,
        )
        for whose, hits in found.items()
        for hit in hits
    ]
    lines += [
        text(
            "words-list",
            list=each.name,
            line=_shown(each.line),
            whose=each.whose,
            rule=each.hit.rule.number,
            word=_shown(each.hit.rule.word),
        )
        for each in lists
    ]
    return fit(lines or [text("words-no-hit")])


def _shown(words: str) -> str:
    return escape(words, _MAX_SHOWN)
