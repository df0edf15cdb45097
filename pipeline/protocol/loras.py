"""Styles in the owner's folder, as a worker reports them: LoRAs and embeddings.

A LoRA is a small file that teaches a model a style or a subject. An embedding is a smaller file that teaches it a word.
"""

import re

import msgspec


class LoraEntry(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One LoRA that members may use.

    Attributes:
        name: name in `<lora:name:weight>`: the file's name without its suffix.
        title: the name that members see.
        trigger_words: words that activate it in a prompt.
        scale: recommended weight.
        family: family of the models that it is made for, as in `ModelSpec.family`; empty when its file does not say.
        embeddings: names of the embeddings in its file, which a prompt with this LoRA can use.
    """

    name: str
    title: str
    trigger_words: tuple[str, ...] = ()
    scale: float = 1.0
    family: str = ""
    embeddings: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """Tag that activates the LoRA in a prompt."""
        return f"<lora:{self.name}:{self.scale:g}>"

    def added_to(self, prompt: str, negative_prompt: str) -> tuple[str, str]:
        """Prompt and negative prompt with the tag and the trigger words that the prompt lacks."""
        is_used = re.search(rf"<lora:\s*{re.escape(self.name.casefold())}\s*[:>]", prompt.casefold())
        tag = "" if is_used else f" {self.tag}"
        return self.with_words(prompt) + tag, negative_prompt

    def with_words(self, prompt: str) -> str:
        """A prompt with the trigger words that it lacks."""
        words = [word for word in self.trigger_words if not _has_words(prompt, word)]
        return ", ".join(filter(None, [prompt.strip(), *words]))


class EmbeddingEntry(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One embedding that members may use.

    Attributes:
        name: name in `embedding:name`: the file's name without its suffix.
        title: the name that members see.
        trigger_words: words that suit it in a prompt.
        is_negative: True when it belongs into the negative prompt.
        family: family of the models that it may fit, as in `ModelSpec.family`.
        token: its trainer's name for it; empty when there is none.
    """

    name: str
    title: str
    trigger_words: tuple[str, ...] = ()
    is_negative: bool = False
    family: str = ""
    token: str = ""

    @property
    def tag(self) -> str:
        """Tag that activates the embedding in a prompt."""
        return f"embedding:{self.name}"

    def added_to(self, prompt: str, negative_prompt: str) -> tuple[str, str]:
        """Prompt and negative prompt; the one that the embedding is for gets its tag unless it has it already."""
        if self.is_negative:
            return prompt, self._added(negative_prompt)
        return self._added(prompt), negative_prompt

    def _added(self, text: str) -> str:
        words = [word for word in (*self.trigger_words, self.tag) if not _has_words(text, word)]
        return ", ".join(filter(None, [text.strip(), *words]))


Style = LoraEntry | EmbeddingEntry
"""Style: the members' word for a LoRA or embedding."""


def _has_words(text: str, words: str) -> bool:
    """True when a text contains these words as whole words; case is ignored."""
    return re.search(rf"(?<![\w-]){re.escape(words.casefold())}(?![\w-])", text.casefold()) is not None
