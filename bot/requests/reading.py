"""From typed text to words for a model: options, wildcards, and notations of other programs."""

from collections.abc import Callable

import msgspec

from bot.errors import Refused
from bot.requests.given import GivenRequest, read_typed_options
from bot.requests.pasted import read_pasted
from bot.requests.typed.addresses import without_addresses
from bot.requests.typed.emoji import with_emoji_named, with_own_emoji_named
from bot.requests.typed.german import in_english
from bot.requests.typed.known_words import BETWEEN
from bot.requests.typed.offers import Offers
from bot.requests.typed.sums import with_sums
from pipeline.prompts.concepts import MAX_CONCEPTS, read_concepts
from pipeline.prompts.neighbors import find_signs, read_weights
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.wire.outputs import Notice


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts for a model, and notices for the member."""

    prompt: str
    negative: str
    notices: tuple[Notice, ...]


def read_command(given: GivenRequest, offers: Offers) -> tuple[GivenRequest, tuple[Notice, ...]]:
    """The request without invisible characters, read from a pasted command if there is one.

    Raises:
        Refused: a value is invalid.
    """
    return read_pasted(given.cleaned(), offers)


def read_options(given: GivenRequest, offers: Offers) -> tuple[GivenRequest, tuple[Notice, ...]]:
    """The request as in `read_command`, with the options typed in its prompt.

    Raises:
        Refused: a value is invalid.
    """
    given, notices = read_command(given, offers)
    given, more = read_typed_options(given, offers)
    return given, (*notices, *more)


def read_words(given: GivenRequest, spec: ModelSpec, fill: Callable[[str], str]) -> Words:
    """Prompt and negative prompt for the worker, in A1111's syntax.

    Args:
        given: the request, with its options already read.
        spec: the model.
        fill: fills wildcards.

    Raises:
        Refused: the prompt has nothing but an address, too many concepts, or a sum that cannot be drawn.
        UnknownWildcard, EndlessWildcard, and errors of `fill`.
    """
    prompt, addresses = without_addresses(with_own_emoji_named(given.prompt))
    negative, more_addresses = without_addresses(with_own_emoji_named(given.negative_prompt or ""))
    if addresses and not prompt:
        raise Refused("refused-address")
    weighed = read_weights(fill(prompt), has_weights=spec.facts.has_weights, has_concepts=spec.has_concepts)
    summed = with_sums(weighed.prompt, spec)
    negative = ", ".join(filter(None, [fill(negative), *weighed.avoided, *summed.avoided]))
    prompt = summed.prompt
    words_by_notice: dict[str, tuple[str, ...]] = {
        "notice-addresses": (*addresses, *more_addresses),
        "notice-weights-avoided": weighed.avoided,
        "notice-sum-avoided": summed.avoided,
        "notice-weights-unread": weighed.unread,
        "notice-signs-unread": find_signs(prompt),
    }
    notices = [
        Notice(key=key, values={"words": ", ".join(words), "count": len(words)})
        for key, words in words_by_notice.items()
        if words
    ]
    if weighed.is_joined:
        notices.append(Notice(key="notice-and", values={"model": spec.title}))
    elif told := _told_of_concepts(prompt):
        notices.append(told)
    if spec.vocabulary is not None:
        known = spec.vocabulary.words
        typed, avoided = (with_emoji_named(words, known, BETWEEN) for words in (prompt, negative))
        prompt, negative = in_english(typed, known), in_english(avoided, known)
        if prompt != typed:
            notices.append(Notice(key="notice-german", values={"model": spec.title, "words": typed}))
    return Words(prompt=prompt, negative=negative, notices=tuple(notices))


def _told_of_concepts(prompt: str) -> Notice | None:
    """A notice that each concept of a prompt has a row of its own beside the usual two; None for a single concept.

    Raises:
        Refused: there are too many.
    """
    count = len(read_concepts(prompt))
    if count > MAX_CONCEPTS:
        raise Refused("refused-concepts", count=count, limit=MAX_CONCEPTS)
    return None if count == 1 else Notice(key="notice-concepts", values={"count": count, "percent": 50 * (count - 1)})
