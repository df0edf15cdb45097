"""Styles that members may choose: LoRAs and embeddings that the worker found in the owner's folder."""

import difflib
from collections.abc import Sequence
from typing import Final

from bot.errors import Refused
from pipeline.backends.base import BackendStatus
from pipeline.prompts.embeddings import EmbeddingNames, Mention
from pipeline.prompts.tags import read_tags
from pipeline.protocol.loras import EmbeddingEntry, LoraEntry, Style
from pipeline.protocol.messages import Notice
from pipeline.protocol.models import ModelSpec

_MAX_VALUE: Final = 100
"""Discord's limit of characters for the value of an option."""
_MOST_LIKE: Final = 3


def styles_for(status: BackendStatus, spec: ModelSpec | None = None) -> list[Style]:
    """All styles, or those for one model: made for its family, or for one that their file does not tell."""
    styles = known_styles(status) or ()
    return [style for style in styles if spec is None or style.family in ("", spec.family)]


def option_value(style: Style) -> str:
    """What stands for a style as the value of an option: its name, or as much of it as Discord takes."""
    return style.name[:_MAX_VALUE].strip()


def known_styles(status: BackendStatus) -> tuple[Style, ...] | None:
    """All styles; None while the worker has not told them."""
    return None if status.ready is None else (*status.ready.loras, *status.ready.embeddings)


class Mentioned:
    """What a request's words name of the styles that there are, before anything is charged.

    Args:
        styles: all of them; None while nobody knows, and every name is kept.
        spec: of the request's model.
        prompt: with the tags of LoRAs, which may bring embeddings along.
    """

    def __init__(self, styles: Sequence[Style] | None, spec: ModelSpec, prompt: str) -> None:
        self._is_told = styles is not None
        styles = styles or ()
        self._spec = spec
        self._embeddings = {style.name: style for style in styles if isinstance(style, EmbeddingEntry)}
        tagged = {tag.name.casefold() for tag in read_tags(prompt).loras}
        self._loras = [style for style in styles if isinstance(style, LoraEntry) and style.name.casefold() in tagged]
        self._along = {name for lora in self._loras for name in lora.embeddings}
        tokens = {style.token: name for name, style in self._embeddings.items() if style.token}
        self._names = EmbeddingNames(
            tokens | {name: name for name in self._embeddings} | {name: name for name in self._along}
        )
        self._others = {style.name.casefold(): style for style in styles if isinstance(style, LoraEntry)}
        self.notices: dict[str, Notice] = {}

    def usable(self, text: str) -> str:
        """A prompt or negative prompt without the embeddings that there are not, or not for this model."""
        return self._names.replaced(text, self._kept) if self._is_told else text

    def known_words(self, prompt: str) -> tuple[str, ...]:
        """What the styles of a prompt teach its model: trigger words, and the embeddings themselves."""
        embeddings = [mention for mention in self._names.mentions(prompt) if mention.key is not None]
        used = [*self._loras, *filter(None, (self._embeddings.get(str(mention.key)) for mention in embeddings))]
        words = (word for style in used for word in style.trigger_words)
        return *(mention.typed for mention in embeddings), *words

    def _kept(self, mention: Mention) -> str | None:
        embedding = self._embeddings.get(mention.key or "")
        if mention.key in self._along or (embedding is not None and embedding.family in ("", self._spec.family)):
            return mention.typed
        if mention.is_bare:
            return mention.typed  # it is a word like any other, and the worker says what it makes of it
        name = mention.name
        lora = self._others.get(name.casefold())
        if embedding is not None:
            notice = Notice(key="notice-embedding-family", values={"name": name, "model": self._spec.title})
        elif lora is not None:
            notice = Notice(key="notice-embedding-is-lora", values={"name": name, "tag": lora.tag})
        else:
            near = difflib.get_close_matches(name, self._embeddings, n=_MOST_LIKE)
            notice = Notice(key="notice-embedding-unknown", values={"name": name, "near": ", ".join(near) or "none"})
        self.notices[name.casefold()] = notice
        return None


def find_style(wanted: str, styles: Sequence[Style]) -> Style:
    """A style by its name or, since autocomplete is only a hint to Discord, by its title.

    Raises:
        Refused: there is none.
    """
    words = wanted.strip().casefold()
    for style in styles:
        if words in (style.name.casefold(), style.title.casefold(), option_value(style).casefold()):
            return style
    known = ", ".join(style.title for style in styles[:10])
    raise Refused("refused-style" if styles else "refused-no-styles", style=wanted[:80], known=known)


def matching_styles(typed: str, styles: Sequence[Style]) -> list[Style]:
    """Those whose title, name or trigger words hold the typed letters, in the same order."""
    letters = typed.strip().casefold()
    return [
        style
        for style in styles
        if any(letters in words.casefold() for words in (style.title, style.name, *style.trigger_words))
    ]
