"""Write `bot/safety/words/confusables.txt`: characters beyond ASCII that look like one ASCII letter.

The source is the table of Unicode Technical Standard 39, as the package confusable-homoglyphs carries it. A target
counts without its marks and case. A character whose compatible form is ASCII anyway is left out.
"""

import json
import unicodedata
from importlib import resources
from typing import Any

HEAD = """\
# Characters beyond ASCII that look like one ASCII letter: a part of confusables.txt of Unicode Technical Standard 39,
# written by `python -m recipes.confusables`. Code point, then letter.
# Copyright (c) 1991-2024 Unicode, Inc. Licensed under the Unicode License v3, which stands in confusables-LICENSE.txt.
"""


def table() -> str:
    """The text of the file."""
    source = resources.files("confusable_homoglyphs").joinpath("confusables.json").read_text(encoding="utf-8")
    return HEAD + "".join(f"{ord(key):04X} {letter}\n" for key, letter in sorted(_letters(json.loads(source)).items()))


def _letters(source: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, targets in source.items():
        if len(key) > 1 or key.isascii() or _bare(key).isascii():
            continue
        letters = {_letter(target["c"]) for target in targets} - {""}
        if len(letters) == 1:
            found[key] = letters.pop()
    return found


def _letter(target: str) -> str:
    """The ASCII letter of a target; "" if it is none. A small capital counts as its letter."""
    bare = _bare(target)
    if len(bare) != 1:
        return ""
    name = unicodedata.name(bare, "")
    if name.startswith("LATIN LETTER SMALL CAPITAL ") and len(name.split()) == 5:
        return name[-1].casefold()
    return bare if bare.isascii() and bare.isalpha() else ""


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(one for one in decomposed if unicodedata.category(one) != "Mn").casefold()
