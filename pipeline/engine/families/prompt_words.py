"""Parses a request's texts, step by step, before an encoder reads them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
import torch

from pipeline.engine.families.base import Conditioning, EncodedConcept, EncodedText, TimedConditioning
from pipeline.engine.loras.choosing import ChosenLoras, ModelLoras
from pipeline.engine.loras.mentioning import Marks, ModelEmbeddings
from pipeline.prompts.concepts import Concept, read_concepts
from pipeline.prompts.emphasis import Fragment, read_emphasis
from pipeline.prompts.schedule import read_schedule
from pipeline.prompts.sums import Term, read_sum
from pipeline.prompts.tags import read_tags
from pipeline.protocol.catalogue.models import FamilyFacts
from pipeline.protocol.limits import NO_GUIDANCE
from pipeline.protocol.passes import passes_of
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

_LONGEST_WORD: Final = 40
"""Greatest number of letters before a cut that still count as its word; some scripts put no blanks between words."""


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that may change between steps.

    Attributes:
        parts: pairs of last step and text, in order.
        cut_key: key of the notice about words that did not fit.
        is_negative: True for the negative prompt.
        weight: weight of a concept's guidance.
        has_sums: True when a part that begins with `= ` is a sum; otherwise it is plain text.
    """

    parts: tuple[tuple[int, str], ...]
    cut_key: str
    is_negative: bool
    weight: float = 1.0
    has_sums: bool = False

    @property
    def pieces(self) -> tuple[str, ...]:
        """The texts that are encoded: every part, and of a sum every term."""
        return tuple(term.words for _, part in self.parts for term in self._terms(part))

    def encoded(self, encode: Callable[[str], Conditioning]) -> TimedConditioning:
        """Encode every part; a sum is the weighted sum of its terms' tensors, token by token."""
        return TimedConditioning(tuple((last_step, self._added(part, encode)) for last_step, part in self.parts))

    def _added(self, part: str, encode: Callable[[str], Conditioning]) -> Conditioning:
        terms = self._terms(part)
        if len(terms) == 1:
            return encode(terms[0].words)
        encoded = [(encode(term.words), term.weight) for term in terms]
        added: dict[str, torch.Tensor] = {}
        for name, like in encoded[0][0].items():
            exact = torch.promote_types(like.dtype, torch.float32)
            added[name] = torch.stack([found[name].to(exact) * weight for found, weight in encoded]).sum(0).to(like)
        return added

    def _terms(self, part: str) -> tuple[Term, ...]:
        """The terms of a part. Without any that can be drawn, the part is plain text."""
        found = read_sum(part).terms if self.has_sums else ()
        return found or (Term(part),)


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Prompt and negative prompt.

    Attributes:
        concepts: the concepts of the prompt, at least one.
        negative: the negative prompt; None when guidance does not use it.
        loras: LoRAs that the prompt names; they apply to both texts.
        marks: embeddings by the letter that stands for them in both texts.
        embedding_digests: SHA-256 of the embeddings' files, by the embedding's name.
        notices: facts for the requester about parts that were left out.
    """

    concepts: tuple[Text, ...]
    negative: Text | None
    loras: ChosenLoras
    marks: Marks
    embedding_digests: Mapping[str, str]
    notices: tuple[Notice, ...]

    @property
    def texts(self) -> tuple[Text, ...]:
        """Texts to encode."""
        return self.concepts if self.negative is None else (*self.concepts, self.negative)

    def encoded(self, encode: Callable[[Text], TimedConditioning], more: Iterable[Notice] = ()) -> EncodedText:
        """Encode all texts, and add further notices."""
        return EncodedText(
            concepts=tuple(EncodedConcept(encode(each), each.weight) for each in self.concepts),
            negative=None if self.negative is None else encode(self.negative),
            notices=(*self.notices, *more),
            lora=self.loras.denoiser,
            lora_digests=self.loras.digests,
            embedding_digests=self.embedding_digests,
        )


def read_words(
    request: GenerationRequest,
    loras: ModelLoras,
    embeddings: ModelEmbeddings,
    facts: FamilyFacts,
    *,
    is_guided: bool,
    is_scheduled: bool = True,
) -> Words:
    """Parse a request's texts.

    Args:
        request: the member's request.
        loras: LoRAs of the model.
        embeddings: embeddings of the model.
        facts: facts about the model's family; changes of the text are spread over the steps that are drawn.
        is_guided: True when the model can have rows for a negative prompt. Without them, a prompt is one concept.
        is_scheduled: True when brackets change the text between steps and a prompt may be a sum; otherwise the text is
            read literally.
    """
    tagged = read_tags(request.prompt)
    chosen, lora_notices = loras.choose(tagged)
    notices = [*lora_notices]
    concepts = read_concepts(tagged.prompt) if is_guided else (Concept(tagged.prompt),)
    texts = [concept.words for concept in concepts]
    # Several concepts are joined by their differences from the unconditional prediction, so they need it at any scale.
    if is_guided and (request.guidance_scale > NO_GUIDANCE or len(concepts) > 1):
        # As in A1111, a LoRA is named in the prompt and applies to both texts.
        without = read_tags(request.negative_prompt)
        if without.tags:
            notices.append(Notice(key="notice-tags-ignored", values={"tags": " ".join(without.tags)}))
        texts.append(without.prompt)
    elif not is_guided and request.negative_prompt:
        notices.append(Notice(key="notice-negative-unused"))
    marked = embeddings.mark(texts, chosen.embeddings)
    steps = passes_of(request, facts)[0].steps
    parts = [_parts(text, steps, is_scheduled=is_scheduled) for text in marked.texts]
    negative = parts[len(concepts) :]
    return Words(
        concepts=tuple(
            Text(parts=part, cut_key="notice-prompt-cut", is_negative=False, weight=each.weight, has_sums=is_scheduled)
            for part, each in zip(parts, concepts, strict=False)
        ),
        negative=Text(parts=negative[0], cut_key="notice-negative-cut", is_negative=True) if negative else None,
        loras=chosen,
        marks=marked.marks,
        embedding_digests=marked.digests,
        notices=(*notices, *marked.notices),
    )


def _parts(prompt: str, steps: int, *, is_scheduled: bool) -> tuple[tuple[int, str], ...]:
    """Pairs of last step and text."""
    if not is_scheduled:
        return ((steps, prompt),)
    return tuple((part.last_step, part.text) for part in read_schedule(prompt, steps))


def cut_notices(texts: Iterable[Text], cut_of: Callable[[str], str]) -> list[Notice]:
    """Notices about words that did not fit, at most one for each text."""
    notices: list[Notice] = []
    for text in texts:
        cut = next((found for piece in text.pieces if (found := cut_of(piece))), "")
        if cut:
            notices.append(Notice(key=text.cut_key, values={"text": cut}))
    return notices


def cut_from(text: str, start: int) -> str:
    """Part of a text from a place on, which a token limit cuts off, from the start of a word."""
    beginning = start
    while beginning > 0 and not text[beginning - 1].isspace():
        beginning -= 1
    return text[beginning if start - beginning <= _LONGEST_WORD else start :].strip()


def bracket_notices(texts: Iterable[Text]) -> list[Notice]:
    """A notice if brackets of a text would be weights for other models, because this one reads its text literally."""
    if any(_has_weights(part) for text in texts for _, part in text.parts):
        return [Notice(key="notice-brackets-are-text", values={})]
    return []


def _has_weights(text: str) -> bool:
    return any(not isinstance(part, Fragment) or part.weight != 1.0 for part in read_emphasis(text))
