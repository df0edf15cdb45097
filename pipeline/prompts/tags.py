"""Tags such as `<lora:name:weight>`: parts of a prompt that are not for the text encoder.

Weights are read as in A1111. A single number is for both parts of the model. Of two numbers, the first is for the text
encoder and the second for the U-Net. Both may be named (`<lora:fur:te=0.5:unet=1>`). Older prompts have `<lyco:…>` for
LyCORIS files that are plain LoRAs; it means the same.
"""

import re
from typing import Final

import msgspec

MAX_LORA_SCALE: Final = 5.0
"""Greatest absolute weight; larger ones give useless pictures and may overflow."""

_TAG = re.compile(r"<(?P<kind>lora|lyco|hypernet):(?P<rest>[^<>]*)>", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,6}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})")
_LORA_KINDS: Final = ("lora", "lyco")
_PARTS: Final = ("te", "unet")
"""Parts of a model in the order of two weights without names: text encoder, U-Net."""


class LoraTag(msgspec.Struct, frozen=True, kw_only=True):
    """One LoRA that a prompt names.

    Attributes:
        name: name as typed, without spaces around it.
        scale: weight for the U-Net or transformer, from -`MAX_LORA_SCALE` to `MAX_LORA_SCALE`.
        text_scale: weight for the text encoders, with the same limits.
    """

    name: str
    scale: float
    text_scale: float


class Tagged(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt without its tags.

    Attributes:
        prompt: remaining text for the text encoder.
        tags: all tags as typed.
        loras: LoRA tags in the order of the prompt; a name may occur more than once.
        ignored: tags as typed of other kinds, or without meaning.
        clamped: tags as typed whose weight was beyond `MAX_LORA_SCALE`.
    """

    prompt: str
    tags: tuple[str, ...]
    loras: tuple[LoraTag, ...]
    ignored: tuple[str, ...]
    clamped: tuple[str, ...]


def read_tags(prompt: str) -> Tagged:
    """Remove the tags from a prompt and parse them; other words in angle brackets stay."""
    tags: list[str] = []
    loras: list[LoraTag] = []
    ignored: list[str] = []
    clamped: list[str] = []
    for match in _TAG.finditer(prompt):
        tags.append(match[0])
        found = _read_lora(match["rest"]) if match["kind"].casefold() in _LORA_KINDS else None
        if found is None:
            ignored.append(match[0])
            continue
        loras.append(
            LoraTag(name=found.name, scale=_within_bounds(found.scale), text_scale=_within_bounds(found.text_scale))
        )
        if loras[-1] != found:
            clamped.append(match[0])
    return Tagged(
        prompt=_TAG.sub("", prompt),
        tags=tuple(tags),
        loras=tuple(loras),
        ignored=tuple(ignored),
        clamped=tuple(clamped),
    )


def _read_lora(rest: str) -> LoraTag | None:
    name, *words = (word.strip() for word in rest.split(":"))
    if not name or len(words) > len(_PARTS):
        return None
    given: dict[str, float] = {}
    for place, word in enumerate(words):
        key, _, number = word.rpartition("=")
        key = key.strip().casefold() or _PARTS[place]
        if key not in _PARTS or not _NUMBER.fullmatch(number.strip()):
            return None
        given[key] = float(number)
    text_scale = given.get("te", 1.0)
    return LoraTag(name=name, scale=given.get("unet", text_scale), text_scale=text_scale)


def _within_bounds(scale: float) -> float:
    return min(max(scale, -MAX_LORA_SCALE), MAX_LORA_SCALE)
