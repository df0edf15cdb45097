"""What a request's words say at each step, before any encoder reads them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from pipeline.engine.families.base import Conditioning, EncodedText, TimedConditioning
from pipeline.engine.loras.choosing import ChosenLoras, ModelLoras
from pipeline.engine.loras.mentioning import Marks, ModelEmbeddings
from pipeline.prompts.schedule import read_schedule
from pipeline.prompts.tags import read_tags
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest

NO_GUIDANCE: Final = 1.0
"""At this scale and below, guidance adds nothing and the unconditional row is left out."""


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt as it changes from step to step.

    Attributes:
        parts: what it says, each with the last step of it, in order.
        cut_key: the notice about words that did not fit.
        is_negative: what to avoid.
    """

    parts: tuple[tuple[int, str], ...]
    cut_key: str
    is_negative: bool

    def encoded(self, encode: Callable[[str], Conditioning]) -> TimedConditioning:
        """Every part as tensors."""
        return TimedConditioning(tuple((last_step, encode(text)) for last_step, text in self.parts))


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Prompt and negative prompt.

    Attributes:
        positive: what one asks for.
        negative: what to avoid; None where guidance does not use it.
        loras: that the prompt names; they hold for both.
        marks: letters of both that stand for embeddings.
        embedding_digests: SHA-256 of their files, by the embeddings' names.
        notices: about what was left out so far.
    """

    positive: Text
    negative: Text | None
    loras: ChosenLoras
    marks: Marks
    embedding_digests: Mapping[str, str]
    notices: tuple[Notice, ...]

    @property
    def texts(self) -> tuple[Text, ...]:
        """Those that are encoded."""
        return (self.positive,) if self.negative is None else (self.positive, self.negative)

    def encoded(self, encode: Callable[[Text], TimedConditioning], more: Iterable[Notice] = ()) -> EncodedText:
        """All of it as tensors, with further notices."""
        return EncodedText(
            positive=encode(self.positive),
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
    *,
    is_guided: bool,
    is_scheduled: bool = True,
) -> Words:
    """Take a request's texts apart.

    Args:
        request: whose.
        loras: of the model.
        embeddings: of the model.
        is_guided: the model has rows for a negative prompt at all.
        is_scheduled: brackets change the text from step to step; else they are text.
    """
    steps = request.num_inference_steps

    def read(prompt: str, cut_key: str, *, is_negative: bool = False) -> Text:
        parts = ((steps, prompt),)
        if is_scheduled:
            parts = tuple((part.last_step, part.text) for part in read_schedule(prompt, steps))
        return Text(parts=parts, cut_key=cut_key, is_negative=is_negative)

    tagged = read_tags(request.prompt)
    chosen, lora_notices = loras.choose(tagged)
    notices = [*lora_notices]
    texts = [tagged.prompt]
    if is_guided and request.guidance_scale > NO_GUIDANCE:
        # As in A1111, a LoRA is named in the prompt and holds for both.
        without = read_tags(request.negative_prompt)
        if without.tags:
            notices.append(Notice(key="notice-tags-ignored", values={"tags": " ".join(without.tags)}))
        texts.append(without.prompt)
    marked = embeddings.mark(texts, chosen.embeddings)
    positive, *negative = marked.texts
    return Words(
        positive=read(positive, "notice-prompt-cut"),
        negative=read(negative[0], "notice-negative-cut", is_negative=True) if negative else None,
        loras=chosen,
        marks=marked.marks,
        embedding_digests=marked.digests,
        notices=(*notices, *marked.notices),
    )


def cut_notices(texts: Iterable[Text], cut_of: Callable[[str], str]) -> list[Notice]:
    """What did not fit, told once for each text."""
    notices: list[Notice] = []
    for text in texts:
        cut = next((found for _, part in text.parts if (found := cut_of(part))), "")
        if cut:
            notices.append(Notice(key=text.cut_key, values={"text": cut}))
    return notices
