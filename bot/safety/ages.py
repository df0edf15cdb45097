"""Ages below 18, as the terms for minors write them, and as numbers beside a word for the young."""

import re
from collections.abc import Iterator
from typing import Final

_DIGITS: Final = (
    *(
        "{} year old*",
        "{} years old",
        "{} yo",
        "{} y o",
        "aged {}",
        "age {}",
        "age of {}",
        "of {} years",
    ),
    *("{} jahre alt", "{} jährig*", "im alter von {}", "mädchen {} jahre", "junge {} jahre", "kind {} jahre"),
    *("{} años", "{} ans", "{} anni", "{} лет", "{}歳", "{}岁", "{}살"),
)
_ENGLISH: Final = ("{} year old*", "{} years old", "aged {}", "age of {}", "of {} years")
_GERMAN: Final = ("{}jährig*", "{} jahre alt", "im alter von {}")
_ENGLISH_NUMBERS: Final = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
)
_GERMAN_NUMBERS: Final = (
    *("ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
    *("dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn"),
)
_ERAS: Final = ("bronze", "dragon", "golden", "ice", "iron", "middle", "new", "space", "stone")
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_YEARS: Final = r"[\s-]*(?:y|yo|yrs?|years?|j|jahren?|ans|años|anni|anos|лет)\b"
_NUMBER: Final = r"(?:[3-9]|1[0-7])"
_ENDS: Final = r"\s*(?:$|[,;!?)\]-]|[.](?!\d)|:\d\.\d+\)|[歳岁살])"
_ALONE: Final = re.compile(
    rf"(?:^|[,;(\[]|:\s)\s*{_NUMBER}(?:{_ENDS}|{_YEARS})|\s{_NUMBER}{_YEARS}", re.MULTILINE | re.IGNORECASE
)
"""A number from 3 to 17 that is a part by itself, as in `(13)`, or stands before a word for years.

Sizes (`16:9`, `4k`), fractions (`f/8`, `1.5`), counts (`5 candles`) and numbers behind other words (`top 10`) do not.
"""


def has_age(prompt: str, word: str) -> bool:
    """Whether a prompt has the age of a minor as a number, alone or behind this word of it, such as `girl`."""
    return bool(
        _ALONE.search(prompt)
        or re.search(rf"{re.escape(word)}(?:\W{{1,3}}|\s(?:is|of|de|di|von)\s){_NUMBER}{_ENDS}", prompt)
    )


def age_terms() -> Iterator[str]:
    """Every age from 1 to 17 in each form, as lines of a rule file.

    The end of an age above 20 is an exception: `forty five years old` has `five years old` in it. So is `ice age 3`.
    """
    written = (
        (_DIGITS, map(str, range(1, 18))),
        (_ENGLISH, _ENGLISH_NUMBERS),
        (_GERMAN, _GERMAN_NUMBERS),
    )
    for forms, numbers in written:
        for number in numbers:
            yield from (form.format(number) for form in forms)
    for tens in _TENS:
        for ones in _ENGLISH_NUMBERS[:9]:
            yield from (f"! {tens} {ones} year old", f"! {tens} {ones} years old")
    for era in _ERAS:
        yield from (f"! {era} age {number}" for number in range(1, 18))
