"""What a worker says of the LoRAs in the owner's folder: small files that teach a model a style or a subject."""

import msgspec


class LoraEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One LoRA that members may use.

    Attributes:
        name: what stands in `<lora:name:weight>`: the file's name without its ending.
        title: the name that members see.
        trigger_words: words that it was trained to answer to, as they go into a prompt.
        scale: the weight that it is best used with.
        family: of the models that it is made for, as `ModelSpec.family` names them; empty where its file does not say.
    """

    name: str
    title: str
    trigger_words: tuple[str, ...] = ()
    scale: float = 1.0
    family: str = ""

    @property
    def tag(self) -> str:
        """What makes a prompt use it."""
        return f"<lora:{self.name}:{self.scale:g}>"

    def added_to(self, prompt: str) -> str:
        """The prompt with its tag and its trigger words, without those that are there, as a member would type them."""
        known = prompt.casefold()
        words = [word for word in self.trigger_words if word.casefold() not in known]
        tag = "" if f"<lora:{self.name}".casefold() in known else f" {self.tag}"
        return ", ".join(filter(None, [prompt.strip(), *words])) + tag
