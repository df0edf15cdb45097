"""Embeddings in a prompt: `embedding:name` as in ComfyUI, the bare name as in A1111, `<name>` as in InvokeAI.

Case is ignored. A folder before the name and a file suffix after it are accepted. Names count only as whole words.
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
"""Private use characters of Unicode, which no script uses."""


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """Place in a prompt that names an embedding.

    Attributes:
        typed: the whole mention as typed.
        name: the name as typed, without prefix, brackets, folder and suffix.
        key: key of the embedding; None when the name is unknown.
        is_bare: True for a bare name, which may also be meant as a word.
    """

    typed: str
    name: str
    key: str | None
    is_bare: bool = False


class EmbeddingNames:
    """Finds names of embeddings in prompts.

    Args:
        keys: key of the embedding, by name.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = {name.casefold(): key for name, key in keys.items()}
        # The longest names come first, because a name may begin with another name.
        names = "|".join(map(re.escape, sorted(keys, key=len, reverse=True))) or "(?!)"
        self._pattern = re.compile(
            rf"(?<!\w)embedding:(?:{_FOLDERS}(?P<known>{names}){_ENDING}(?![\w-])|(?P<unknown>{_UNKNOWN}))"
            rf"|<(?P<angled>{names})>"
            rf"|(?<![\w-])(?P<bare>{names})(?![\w-])",
            re.IGNORECASE,
        )

    def mentions(self, prompt: str) -> Iterator[Mention]:
        """Mentions in a prompt, in order."""
        return map(self._mention, self._pattern.finditer(prompt))

    def replaced(self, prompt: str, replace: Callable[[Mention], str | None]) -> str:
        """Replace each mention in a prompt.

        Args:
            prompt: the prompt as typed.
            replace: gives the replacement; None removes the mention, with its own brackets and comma.
        """
        # Chosen from the end of the range, because `replace` may return letters of `marks_beside` from its start.
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
    """Letters that can mark places in a prompt, because the prompt contains none of them."""
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
