"""Styles: the LoRAs and embeddings that the worker found in the owner's folder."""

import difflib
from collections.abc import Sequence
from typing import Final

from bot.errors import Refused
from pipeline.backends.base import BackendStatus
from pipeline.prompts.concepts import in_each_concept, split_at_and
from pipeline.prompts.embeddings import EmbeddingNames, Mention
from pipeline.prompts.sums import in_each_term, is_sum
from pipeline.prompts.tags import read_tags
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.loras import EmbeddingEntry, LoraEntry, Style
from pipeline.protocol.wire.outputs import Notice

_MAX_VALUE: Final = 100
"""Discord's limit of characters for an option's value."""
_MOST_LIKE: Final = 3


def styles_for(status: BackendStatus, spec: ModelSpec | None = None) -> list[Style]:
    """All styles, or those for a model: of its family, or of an unknown family."""
    styles = known_styles(status) or ()
    return [style for style in styles if spec is None or style.family in ("", spec.family)]


def option_value(style: Style) -> str:
    """The option value for a style: its name, cut to Discord's limit."""
    return style.name[:_MAX_VALUE].strip()


def known_styles(status: BackendStatus) -> tuple[Style, ...] | None:
    """All styles; None if the worker has not reported them."""
    return None if status.ready is None else (*status.ready.loras, *status.ready.embeddings)


def styled(style: Style, prompt: str, negative_prompt: str) -> tuple[str, str]:
    """Prompt and negative prompt with a style, whose words are added to each concept and term of the prompt.

    A LoRA's tag is added once, because it is for the whole prompt and repeated tags add up.
    """
    whole, negative_prompt = style.added_to(prompt, negative_prompt)
    if not split_at_and(prompt) and not is_sum(prompt):
        return whole, negative_prompt

    def worded(words: str) -> str:
        return style.added_to(words, "")[0] if isinstance(style, EmbeddingEntry) else style.with_words(words)

    is_tagged = isinstance(style, LoraEntry) and whole.endswith(f" {style.tag}")
    tag = f"{style.tag} " if is_tagged else ""
    return tag + in_each_concept(prompt, lambda concept: in_each_term(concept, worded)), negative_prompt


class Mentioned:
    """The styles that a request's words mention. They are checked before anything is charged.

    Args:
        styles: all styles; None if they are unknown, and then every mention is kept.
        spec: the request's model.
        prompt: the prompt with LoRA tags; a LoRA may contain embeddings.
    """

    def __init__(self, styles: Sequence[Style] | None, spec: ModelSpec, prompt: str) -> None:
        self._is_known = styles is not None
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
        """A prompt or negative prompt without embeddings that are missing or do not fit the model."""
        text = self._names.replaced(text, self._kept) if self._is_known else text
        return text if self._spec.drawn_by is None else self._untagged(text)

    def _untagged(self, text: str) -> str:
        """A text for another program, which has no files of ours."""
        tagged = read_tags(text)
        if tagged.tags:
            told = Notice(
                key="notice-tags-elsewhere", values={"tags": " ".join(tagged.tags), "model": self._spec.title}
            )
            self.notices[text] = told
        return tagged.prompt if tagged.tags else text

    def known_words(self, prompt: str) -> tuple[str, ...]:
        """The words that a prompt's styles teach the model: trigger words, and the embeddings' names."""
        embeddings = [mention for mention in self._names.mentions(prompt) if mention.key is not None]
        used = [*self._loras, *filter(None, (self._embeddings.get(str(mention.key)) for mention in embeddings))]
        words = (word for style in used for word in style.trigger_words)
        return *(mention.typed for mention in embeddings), *words

    def _kept(self, mention: Mention) -> str | None:
        embedding = self._embeddings.get(mention.key or "")
        if mention.key in self._along or (embedding is not None and embedding.family in ("", self._spec.family)):
            return mention.typed
        if mention.is_bare:
            return mention.typed  # it may be a usual word; the worker decides and reports it
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
    """A style by its name or title. Members may send text that autocomplete did not offer.

    Raises:
        Refused: there is no such style.
    """
    words = wanted.strip().casefold()
    for style in styles:
        if words in (style.name.casefold(), style.title.casefold(), option_value(style).casefold()):
            return style
    known = ", ".join(style.title for style in styles[:10])
    raise Refused("refused-style" if styles else "refused-no-styles", style=wanted[:80], known=known)


def matching_styles(typed: str, styles: Sequence[Style]) -> list[Style]:
    """The styles whose title, name or trigger words contain the typed letters, in the same order."""
    letters = typed.strip().casefold()
    return [
        style
        for style in styles
        if any(letters in words.casefold() for words in (style.title, style.name, *style.trigger_words))
    ]
