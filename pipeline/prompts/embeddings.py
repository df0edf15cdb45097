"""Embeddings in a prompt: `embedding:name` as in ComfyUI, the bare name as in A1111, `<name>` as in InvokeAI.

Names are read in whatever case, with or without a folder before and an ending behind, and only as whole words.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

_ENDING: Final = r"(?:\.(?:safetensors|pt|bin))?"
_FOLDERS: Final = r"(?:[^\s,:()\[\]{}<>|\\/]+[\\/])*"
_UNKNOWN: Final = r"[^\s,;:()\[\]{}<>|]+"
_NUMBER: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_MARKS: Final = range(0xE000, 0xF900)
"""Letters that no script has."""


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """Where a prompt names an embedding.

    Attributes:
        typed: as it stands there.
        name: as it was typed, without what is around it.
        key: what the name means; None where nothing has it.
        is_bare: it may also be meant as a word.
    """

    typed: str
    name: str
    key: str | None
    is_bare: bool = False


class EmbeddingNames:
    """Names by which embeddings can be mentioned.

    Args:
        keys: what each name means.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = {name.casefold(): key for name, key in keys.items()}
        # The longest first, so that none is taken for another that it begins with.
        names = "|".join(map(re.escape, sorted(keys, key=len, reverse=True))) or "(?!)"
        self._pattern = re.compile(
            rf"(?<!\w)embedding:(?:{_FOLDERS}(?P<known>{names}){_ENDING}(?![\w-])|(?P<unknown>{_UNKNOWN}))"
            rf"|<(?P<angled>{names})>"
            rf"|(?<![\w-])(?P<bare>{names})(?![\w-])",
            re.IGNORECASE,
        )

    def mentions(self, prompt: str) -> Iterator[Mention]:
        """Those in a prompt, in its order."""
        return map(self._mention, self._pattern.finditer(prompt))

    def replaced(self, prompt: str, replace: Callable[[Mention], str | None]) -> str:
        """The prompt with something else for each mention.

        Args:
            prompt: as typed.
            replace: what stands for it; None leaves it out, with the brackets and the comma that were about it alone.
        """
        # From the other end than `marks_beside`, whose letters `replace` may give.
        gap = next(chr(code) for code in reversed(_MARKS) if chr(code) not in prompt)
        return _without_gaps(self._pattern.sub(lambda match: _or(replace(self._mention(match)), gap), prompt), gap)

    def _mention(self, match: re.Match[str]) -> Mention:
        name = match["known"] or match["angled"] or match["bare"]
        if name is not None:
            key = self._keys.get(name.casefold())
            return Mention(typed=match[0], name=name, key=key, is_bare=match["bare"] is not None)
        unknown = re.split(r"[\\/]", match["unknown"].rstrip(".!?"))[-1]
        return Mention(typed=match[0], name=re.sub(rf"{_ENDING}$", "", unknown), key=None)


def marks_beside(prompt: str) -> Iterator[str]:
    """Letters that can stand for something in a prompt, since it has none of them."""
    return (chr(code) for code in _MARKS if chr(code) not in prompt)


def _or(text: str | None, gap: str) -> str:
    return gap if text is None else text


def _without_gaps(text: str, gap: str) -> str:
    alone = re.compile(rf"(?<!\\)[(\[]\s*{gap}\s*(?::\s*{_NUMBER}\s*)?[)\]]|{gap}\s*,?\s*{gap}")
    while (closed := alone.sub(gap, text)) != text:
        text = closed
    text = re.sub(rf"(^|[(\[|])\s*{gap}\s*,?\s*", r"\1", text)
    text = re.sub(rf"\s*,?\s*{gap}\s*($|[)\]|:])", r"\1", text)
    return re.sub(rf"\s*(,?)\s*{gap}\s*(,?)\s*", lambda match: ", " if match[1] or match[2] else " ", text)
