"""`<lora:name:weight>` and its kin: words in a prompt that are not for the text encoder."""

import re

import msgspec

_TAG = re.compile(r"<(?P<kind>lora|lyco|hypernet):(?P<rest>[^<>]*)>", re.IGNORECASE)


class Tagged(msgspec.Struct, frozen=True):
    """A prompt without its tags, and the tags as they were typed."""

    prompt: str
    tags: tuple[str, ...]


def read_tags(prompt: str) -> Tagged:
    """Take the tags out of a prompt; other words in angle brackets stay."""
    tags = tuple(match[0] for match in _TAG.finditer(prompt))
    return Tagged(_TAG.sub("", prompt), tags)
