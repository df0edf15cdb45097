"""What a worker says of the styles in the owner's folder: LoRAs, small files that teach a model a style or a subject,
and embeddings, smaller ones that teach it a word.
"""

import re

import msgspec


class LoraEntry(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One LoRA that members may use.

    Attributes:
        name: what stands in `<lora:name:weight>`: the file's name without its ending.
        title: the name that members see.
        trigger_words: words that it was trained to answer to, as they go into a prompt.
        scale: the weight that it is best used with.
        family: of the models that it is made for, as `ModelSpec.family` names them; empty where its file does not say.
        embeddings: names of those that lie in its file, and are known where it is used.
    """

    name: str
    title: str
    trigger_words: tuple[str, ...] = ()
    scale: float = 1.0
    family: str = ""
    embeddings: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """What makes a prompt use it."""
        return f"<lora:{self.name}:{self.scale:g}>"

    def added_to(self, prompt: str, negative_prompt: str) -> tuple[str, str]:
        """Both with its tag and its trigger words, without those that are there, as a member would type them."""
        words = [word for word in self.trigger_words if not _has_words(prompt, word)]
        is_used = re.search(rf"<lora:\s*{re.escape(self.name.casefold())}\s*[:>]", prompt.casefold())
        tag = "" if is_used else f" {self.tag}"
        return ", ".join(filter(None, [prompt.strip(), *words])) + tag, negative_prompt


class EmbeddingEntry(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One embedding that members may use.

    Attributes:
        name: what stands in `embedding:name`: the file's name without its ending.
        title: the name that members see.
        trigger_words: words that go well with it, as they go into a prompt.
        is_negative: it is a word for what is to be avoided.
        family: of the models that it may fit, as `ModelSpec.family` names them.
        token: another name, which its trainer gave it; empty where there is none.
    """

    name: str
    title: str
    trigger_words: tuple[str, ...] = ()
    is_negative: bool = False
    family: str = ""
    token: str = ""

    @property
    def tag(self) -> str:
        """What makes a prompt use it."""
        return f"embedding:{self.name}"

    def added_to(self, prompt: str, negative_prompt: str) -> tuple[str, str]:
        """Both, with its tag in the one that it is for, unless it is there, as a member would type it."""
        if self.is_negative:
            return prompt, self._added(negative_prompt)
        return self._added(prompt), negative_prompt

    def _added(self, text: str) -> str:
        words = [word for word in (*self.trigger_words, self.tag) if not _has_words(text, word)]
        return ", ".join(filter(None, [text.strip(), *words]))


Style = LoraEntry | EmbeddingEntry
"""What members call a style."""


def _has_words(text: str, words: str) -> bool:
    """Whether they stand in a text, whatever their case; longer words that begin or end with them are others."""
    return re.search(rf"(?<![\w-]){re.escape(words.casefold())}(?![\w-])", text.casefold()) is not None
