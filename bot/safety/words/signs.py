"""Tables of characters that people write for others.

An entry of a table is a character, and behind it each of the letters that it may be read as.
"""

from importlib import resources
from typing import Final


def _read(entries: str) -> dict[str, str]:
    return {entry[0]: entry[1:] for entry in entries.split()}


def _vendored() -> dict[str, str]:
    lines = resources.files("bot.safety.words").joinpath("confusables.txt").read_text(encoding="utf-8").splitlines()
    return {chr(int(code, 16)): letter for code, letter in (line.split() for line in lines if not line.startswith("#"))}


STANDARD: Final = _vendored()
"""Look-alikes of ASCII letters, from the vendored part of the table of Unicode Technical Standard 39."""
FURTHER: Final = _read(
    "вb нh мm тt кk иnu яr шw пn гr ьb єe эe зz βb δd εe ηn κk λa μu πn τt ωw ξe χx υu θo ðd þp əe ʌa ʘo "
    "øo łl đd ħh ŧt ıi ςs"
)
"""Beside the standard's: letters that look alike when they are large, and letters with a bar."""
SIGNS: Final = _read(
    "4a @a ^a 8b (c ¢c ©c 3e €e 9g 6gb #h 1il !i |il ¡i 0o 5s $s §s 7t +t †t 2z £l ¥y %x ×x * _ ? ₦n ₩w "
    "₱p ₽p ₭k ₮t ₿b ฿b ®r &e ⓧx °o •o"
)
"""Signs and digits, and the letters that they may stand for."""
SIGNS_OF_CYRILLIC: Final = _read("1и !и 4ч 3зэ 6б 0ю 9я")
"""The letters of Cyrillic for which digits and signs stand in Russian texts."""
TURNED_LETTERS: Final = dict(zip("ɐqɔpǝɟƃɥᴉɾʞןɯuodbɹsʇnʌʍxʎz", "abcdefghijklmnopqrstuvwxyz", strict=True)) | _read(
    "ıi ɓg"
)
"""Characters that show a letter upside down."""
SEVERAL: Final = {
    signs: letter
    for letter, all_signs in {
        "a": "/-\\ /\\",
        "b": "|3 13",
        "d": "|)",
        "f": "|= ph",
        "g": "(_,",
        "h": "|-|",
        "j": "_|",
        "k": "|< |{ 1<",
        "m": "|\\/|",
        "n": "|\\|",
        "o": "() []",
        "p": "|>",
        "r": "|2",
        "u": "|_| (_)",
        "v": "\\/",
        "w": "\\/\\/ vv",
        "x": "><",
    }.items()
    for signs in all_signs.split()
}
"""Several signs, or letters, that are drawn together as one letter."""
