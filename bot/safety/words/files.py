"""Rule files: plain text with a rule a line, or TOML with an action and a reason for each rule.

Each mistake is one sentence with the line and what to write.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bot.safety.words.rules import MAX_RULES, Action, BadRule, Rule, RuleSet, read_patterns

_EXCEPTION: Final = "!"
"""Begins an exception in a plain text."""
_COMMENT: Final = "#"
_RULE_KEYS: Final = ("word", "words", "action", "reason")
_FILE_KEYS: Final = ("rules", "exceptions")
_HEADER: Final = re.compile(r"\s*\[\[\s*rules\s*\]\]")
_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_LIKE_TOML: Final = re.compile(r"\[\[?\s*\w+\s*\]\]?|\w+\s*=")


class BadRuleFile(Exception):
    """A rule file that cannot be read; the text is one sentence."""


class _Mistake(Exception):
    """What is wrong in a rule file, and the text by which its line is found."""

    def __init__(self, sentence: str, *, wanted: str = "", rule: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.wanted = wanted
        self.rule = rule


def read_rule_file(path: Path) -> RuleSet:
    """Read a rule file: TOML if its name ends in `.toml`, plain text otherwise.

    Raises:
        BadRuleFile: it cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadRuleFile(f"The rule file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadRuleFile(f"{path}, line {line}: save the file as UTF-8; these bytes are no text.") from error
    try:
        return read_toml(text) if path.suffix.casefold() == ".toml" else read_text(text)
    except BadRuleFile as error:
        raise BadRuleFile(f"{path}, {error}") from error


def read_text(text: str) -> RuleSet:
    """Read rules of plain text: a word or phrase a line, `!` before an exception, `#` before a comment.

    Raises:
        BadRuleFile: a line is wrong; the sentence begins with its number.
    """
    rules: list[Rule] = []
    exceptions: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if not word or word.startswith(_COMMENT):
            continue
        try:
            _check_is_word(word)
            if word.startswith(_EXCEPTION):
                exceptions.append(_checked(word.removeprefix(_EXCEPTION).strip()))
            else:
                rules.append(Rule(word=_checked(word), number=len(rules) + 1))
            _check_count(rules)
        except _Mistake as mistake:
            raise BadRuleFile(f"line {number}: {mistake.sentence}.") from mistake
    return RuleSet(rules=tuple(rules), exceptions=tuple(exceptions))


def _check_is_word(line: str) -> None:
    if _LIKE_TOML.match(line):
        raise _Mistake("this is TOML; give the file a name that ends in .toml, or write one word a line")


def read_toml(text: str) -> RuleSet:
    """Read rules of TOML: `[[rules]]` with `word` or `words`, `action` and `reason`, and a list `exceptions`.

    Raises:
        BadRuleFile: something is wrong; the sentence begins with the number of the line.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = found[1] if found else len(text.splitlines())
        raise BadRuleFile(f"line {line}: this is not TOML: {_LINE.sub('', str(error)).strip()}.") from error
    try:
        _check_keys(document, _FILE_KEYS, "a rule file", None)
        rules = tuple(_numbered(_rules(document.get("rules", []))))
        _check_count(rules)
        return RuleSet(rules=rules, exceptions=tuple(_exceptions(document.get("exceptions", []))))
    except _Mistake as mistake:
        raise BadRuleFile(f"line {_line(text, mistake)}: {mistake.sentence}.") from mistake


def _rules(entries: Any) -> Iterator[Rule]:
    if not isinstance(entries, list):
        raise _Mistake("write each rule below a line [[rules]]", wanted="rules")
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise _Mistake("write each rule below a line [[rules]]", wanted="rules")
        _check_keys(entry, _RULE_KEYS, "a rule", index)
        action, reason = entry.get("action", Action.REFUSE.value), entry.get("reason", "")
        if action not in list(Action):
            raise _Mistake(f'"{action}" is no action; write {_either(list(Action))}', wanted="action", rule=index)
        if not isinstance(reason, str):
            raise _Mistake('a reason is a text: reason = "No weapons."', wanted="reason", rule=index)
        for word in _words(entry, index):
            yield Rule(word=_checked(word, index), action=Action(action), reason=reason.strip())


def _words(entry: dict[str, Any], index: int) -> Sequence[str]:
    if ("word" in entry) == ("words" in entry):
        raise _Mistake('a rule has either word = "cat" or words = ["cat", "dog*"]', wanted="word", rule=index)
    words = [entry["word"]] if "word" in entry else entry["words"]
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise _Mistake('write word = "cat" or words = ["cat", "dog*"]', wanted="word", rule=index)
    return words


def _exceptions(entries: Any) -> Iterator[str]:
    if not isinstance(entries, list) or not all(isinstance(word, str) for word in entries):
        raise _Mistake('write exceptions = ["Dagger Falls"]', wanted="exceptions")
    for word in entries:
        yield _checked(word)


def _numbered(rules: Iterator[Rule]) -> Iterator[Rule]:
    for number, rule in enumerate(rules, 1):
        yield Rule(word=rule.word, action=rule.action, reason=rule.reason, number=number)


def _check_keys(table: dict[str, Any], known: Sequence[str], where: str, rule: int | None) -> None:
    for key in table:
        if key not in known:
            raise _Mistake(f'"{key}" is no key of {where}; write {_either(known)}', wanted=key, rule=rule)


def _check_count(rules: Sequence[Rule]) -> None:
    if len(rules) > MAX_RULES:
        raise _Mistake(f"a file has at most {MAX_RULES:,} rules", wanted=rules[MAX_RULES].word)


def _checked(word: str, index: int | None = None) -> str:
    try:
        read_patterns(word)
    except BadRule as error:
        raise _Mistake(f'"{word}" is no rule: {error}', wanted=word, rule=index) from error
    return word.strip()


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _line(text: str, mistake: _Mistake) -> int:
    """The line of a mistake: the first with the wanted text in its rule, else that of the rule's header."""
    lines = text.splitlines()
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    first, last = 0, len(lines)
    if mistake.rule is not None and mistake.rule < len(headers):
        first, last = headers[mistake.rule], ([*headers, last])[mistake.rule + 1]
    for number in range(first, last):
        if mistake.wanted and mistake.wanted in lines[number] and not _HEADER.match(lines[number]):
            return number + 1
    return first + 1
