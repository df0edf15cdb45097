"""Sums in prompts, before anything is charged: what cannot be added up is told."""

import msgspec

from bot.errors import Refused
from pipeline.prompts.concepts import in_each_concept
from pipeline.prompts.sums import MAX_TERMS, is_sum, read_sum
from pipeline.prompts.tags import read_tags
from pipeline.protocol.catalogue.models import ModelSpec


class Summed(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt whose sums can be drawn, and the words of minus terms that would have left nothing to draw."""

    prompt: str
    avoided: tuple[str, ...] = ()


def with_sums(prompt: str, spec: ModelSpec) -> Summed:
    """Check the sums of a prompt, one in each of its concepts.

    Args:
        prompt: the prompt.
        spec: the model; one that reads its text literally cannot add up words.

    Raises:
        Refused: the model has no sums, or a sum has too many terms or none to draw.
    """
    avoided: list[str] = []

    def checked(words: str) -> str:
        tagged = read_tags(words)
        if not is_sum(tagged.prompt):
            return words
        if not spec.has_sums:
            raise Refused("refused-sum-model", model=spec.title)
        found = read_sum(tagged.prompt)
        if not found.terms:
            raise Refused("refused-sum-empty")
        if (count := len(found.terms) + len(found.avoided)) > MAX_TERMS:
            raise Refused("refused-sum-long", count=count, limit=MAX_TERMS)
        avoided.extend(found.avoided)
        return " ".join((found.prompt, *tagged.tags)) if found.avoided else words

    changed = in_each_concept(prompt, checked)
    return Summed(prompt=changed if avoided else prompt, avoided=tuple(avoided))
