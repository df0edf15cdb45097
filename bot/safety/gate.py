"""The gate: rules of words judge a resolved request before it is accepted."""

from collections.abc import Iterable, Iterator
from typing import Final

from bot.errors import Refused
from bot.safety.words.matching import Hit, Matcher
from bot.safety.words.rules import Action, RuleSet
from pipeline.protocol.requests import GenerationRequest, Request
from pipeline.protocol.wire.outputs import Notice

_NO_REASON: Final = "none"
_MAX_PART: Final = 80
"""Most characters of a prompt's part in a sentence."""


class Gate:
    """Judges requests by the owner's rules.

    Args:
        owners: the owner's rules.
    """

    def __init__(self, owners: RuleSet) -> None:
        self._owners = Matcher(owners)

    def judge(self, request: Request) -> tuple[Notice, ...]:
        """Judge a request; returns what its rules of the action `warn` tell.

        Raises:
            Refused: a rule forbids it.
        """
        hits = hits_of(self._owners, request)
        for hit in hits:
            if hit.rule.action is Action.REFUSE:
                raise Refused("refused-word", **_values(hit))
        return tuple(_warnings(hits))


def hits_of(matcher: Matcher, request: Request) -> tuple[Hit, ...]:
    """The rules that a request meets: by its prompt, and by what its negative prompt attracts.

    Raises:
        Refused: the prompt changes so often that it is not judged.
    """
    if not isinstance(request, GenerationRequest):
        return matcher.hits(request.prompt)
    steps = request.num_inference_steps
    hits = matcher.hits(request.prompt, steps=steps)
    # Without guidance, the negative prompt has no effect.
    return (
        hits
        if request.guidance_scale <= 1
        else (*hits, *matcher.hits_in_negative(request.negative_prompt, steps=steps))
    )


def _warnings(hits: Iterable[Hit]) -> Iterator[Notice]:
    for hit in hits:
        values = _values(hit)
        yield Notice(key="notice-word", values={name: values[name] for name in ("word", "rule", "reason")})


def _values(hit: Hit) -> dict[str, str | int]:
    part = hit.part if len(hit.part) <= _MAX_PART else f"{hit.part[:_MAX_PART]}…"
    return {
        "word": hit.rule.word.strip("*"),
        "rule": hit.rule.number,
        "reason": hit.rule.reason.rstrip(".") or _NO_REASON,
        "part": part,
    }
