"""`easel words check`: judge prompts from a file or a pipe by a rule file."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bot.errors import Refused
from bot.safety.words.files import BadRuleFile, read_rule_file
from bot.safety.words.matching import Hit, Matcher


class CannotCheck(Exception):
    """The prompts or the rules cannot be read; the text is one sentence."""


def check(lines: Iterable[bytes], rules: Path, *, is_json: bool, say: Callable[[str], None]) -> bool:
    """Judge each line as a prompt, or as a JSON string of one, and say what was found. Returns whether a rule was met.

    Args:
        lines: the prompts.
        rules: the rule file.
        is_json: whether to say one JSON object for each prompt; otherwise one sentence for each hit.
        say: takes a line of the answer.

    Raises:
        CannotCheck: the rule file or a prompt cannot be read.
    """
    try:
        matcher = Matcher(read_rule_file(rules))
    except BadRuleFile as error:
        raise CannotCheck(str(error)) from error
    has_hits = False
    for number, line in enumerate(lines, 1):
        text = _prompt(line, number)
        hits = _judged(matcher, text)
        has_hits = has_hits or bool(hits)
        if is_json:
            say(json.dumps({"text": text, "hits": hits}))
        else:
            for hit in hits:
                say(f"line {number}: {_quoted(hit['part'])} is read as the rule {_quoted(hit['rule'])} ({hit['how']})")
    return has_hits


def _judged(matcher: Matcher, text: str) -> Sequence[dict[str, str]]:
    try:
        return [_hit(hit) for hit in matcher.hits(text)]
    except Refused:
        return [{"rule": "", "how": "the prompt changes so often that it is not judged", "part": text}]


def _hit(hit: Hit) -> dict[str, str]:
    return {"rule": hit.rule.word, "how": ", ".join(hit.how), "part": hit.part}


def _prompt(line: bytes, number: int) -> str:
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise CannotCheck(f"Line {number} of the prompts is not UTF-8.") from error
    if not text.startswith('"'):
        return text
    try:
        decoded = json.loads(text)
    except ValueError:
        return text
    return decoded if isinstance(decoded, str) else text


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())
