"""Time in which 512 rules of words judge a prompt of 2,000 characters, for texts that cost most."""

import random
import statistics
import time
from typing import Final

from benchmarks.report import Report
from bot.safety.words.matching import Matcher
from bot.safety.words.rules import Rule, RuleSet

GOAL_MS: Final = 20.0
RULES: Final = 512
CHARACTERS: Final = 2_000
REPEATS: Final = 7
_SYLLABLES: Final = tuple(f"{first}{vowel}{last}" for first in "bdfgklmnprst" for vowel in "aeiou" for last in "lnrst")


def run() -> Report:
    """Measure each text; the slowest counts."""
    dice = random.Random(7)  # noqa: S311 - made-up rules are no secret
    words = [_word(dice) for _ in range(RULES)]
    matcher = Matcher(RuleSet(rules=tuple(Rule(word=_shaped(word, index)) for index, word in enumerate(words))))
    texts = {name: (text * CHARACTERS)[:CHARACTERS] for name, text in _texts(dice, words).items()}
    samples = {name: [_milliseconds(matcher, text) for _ in range(REPEATS)] for name, text in texts.items()}
    medians = {name: statistics.median(times) for name, times in samples.items()}
    worst = max(medians.values())
    return Report(
        name="words",
        goal=f"{RULES} rules judge {CHARACTERS} characters in at most {GOAL_MS:g} ms, whatever they are",
        value=worst,
        holds=worst <= GOAL_MS,
        median=statistics.median(medians.values()),
        minimum=min(medians.values()),
        pairs=REPEATS,
        detail={f"{name}_ms": median for name, median in medians.items()},
    )


def _word(dice: random.Random) -> str:
    return "".join(dice.choice(_SYLLABLES) for _ in range(dice.choice((1, 2, 2, 3))))


def _shaped(word: str, index: int) -> str:
    """The word as one of the kinds of rules, in equal shares."""
    return (word, f"{word}*", f"*{word}", f"*{word}*", f"{word} {word[::-1]}")[index % 5]


def _texts(dice: random.Random, words: list[str]) -> dict[str, str]:
    return {
        "plain": " ".join(_word(dice) for _ in range(CHARACTERS // 4)),
        "rules": " ".join(words),
        "signs": "1|!l",
        "apart": "i l ",
        "marks": "a" + "\u0301" * 9,
        "emoji": "\U0001f600\U0001f52a",
        "chinese": "山水画云雾松树古寺",
        "russian": "кинжал и роза ",
        "kana": "ナイフとばなな ",
        "hiding": "*#?_",
        "hidden": "a*",
        "drawn": "/\\|_" * 5 + "x",
        "turned": "ɐqɔpǝɟƃɥ ",
        "brackets": "(((a)))[b|c]",
        "schedule": "[a:b:0.5]",
        "open_brackets": "[",
        "long": "a",
        "chance": "".join(
            chr(dice.choice((dice.randrange(33, 0x3000), dice.randrange(0x4E00, 0x9FFF)))) for _ in words
        ),
    }


def _milliseconds(matcher: Matcher, text: str) -> float:
    started = time.process_time()
    matcher.hits(text)
    return (time.process_time() - started) * 1_000
