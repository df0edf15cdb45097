"""What a member asked for, before any default or limit: the form's options and those typed in the prompt."""

import re
from typing import Final, Self

import msgspec

from bot.errors import Refused
from bot.store.rows import Preferences
from bot.words import clean
from pipeline.protocol.loras import LoraEntry
from pipeline.protocol.messages import Notice

MAX_NUMBER_LENGTH: Final = 12
"""Characters of a typed number; longer ones are no numbers that anybody means, and slow to convert."""


class GivenRequest(Preferences, frozen=True, kw_only=True):
    """Fields that are None were not given. A style's words and tag are added behind the prompt."""

    prompt: str
    seed: int | None = None
    style: LoraEntry | None = None

    def cleaned(self) -> Self:
        """Without characters that no row and no message can hold, and that nobody can see."""
        words = {name: clean(value) for name, value in msgspec.structs.asdict(self).items() if isinstance(value, str)}
        return msgspec.structs.replace(self, **words)


_KNOWN = ("no", "ar", "seed", "steps", "cfg")
# An em dash is what phones make of two hyphens. It counts only after a blank and right before a known name,
# since people also write it between words.
_OPTION = re.compile(
    r"(?:(?<!\S)—(?P<dashed>" + "|".join(_KNOWN) + r")|(?<!\S)--(?P<plain>[A-Za-z]+))",
    re.IGNORECASE,
)


def read_typed_options(given: GivenRequest) -> tuple[GivenRequest, tuple[Notice, ...]]:
    """Move `--no --ar --seed --steps --cfg` out of the prompt; an option of the form wins over a typed one.

    Raises:
        Refused: a value that is no number or no ratio.
    """
    matches = list(_OPTION.finditer(given.prompt))
    if not matches:
        return given, ()
    kept = [given.prompt[: matches[0].start()]]
    typed: dict[str, str] = {}
    unknown: list[str] = []
    for match, following in zip(matches, [*matches[1:], None], strict=True):
        name = (match["dashed"] or match["plain"]).casefold()
        rest = given.prompt[match.end() : following.start() if following else len(given.prompt)]
        if name == "no":
            typed[name] = ", ".join(part for part in (typed.get(name), rest.strip(" ,")) if part)
            continue
        value, text = _split_value(rest)
        if name in _KNOWN:
            typed[name] = value
        else:
            unknown.append(f"--{name} {value}".rstrip() if _looks_like_value(value) else f"--{name}")
            text = text if _looks_like_value(value) else rest
        kept.append(text)
    notices = (Notice(key="notice-unknown-options", values={"options": ", ".join(unknown)}),) if unknown else ()
    prompt = " ".join(" ".join(kept).split())
    return _merge(given, prompt, typed), notices


def _split_value(rest: str) -> tuple[str, str]:
    """The first word after an option, and what follows it."""
    words = rest.split(maxsplit=1)
    return (words[0] if words else "", words[1] if len(words) > 1 else "")


def _looks_like_value(word: str) -> bool:
    """Whether a word after an unknown option belongs to it rather than to the prompt."""
    return bool(word) and (word[0].isdigit() or ":" in word)


def _merge(given: GivenRequest, prompt: str, typed: dict[str, str]) -> GivenRequest:
    """The form's values, then the typed ones; what to avoid is added up."""
    negative = ", ".join(part for part in (given.negative_prompt, typed.get("no")) if part)
    return msgspec.structs.replace(
        given,
        prompt=prompt,
        negative_prompt=negative or given.negative_prompt,
        size=given.size if given.size is not None or "ar" not in typed else _ratio(typed["ar"]),
        seed=_whole("seed", typed) if given.seed is None else given.seed,
        num_inference_steps=(
            _whole("steps", typed) if given.num_inference_steps is None else given.num_inference_steps
        ),
        guidance_scale=_decimal("cfg", typed) if given.guidance_scale is None else given.guidance_scale,
    )


def _whole(name: str, typed: dict[str, str]) -> int | None:
    if name not in typed:
        return None
    value = typed[name].rstrip(",.")
    if len(value) > MAX_NUMBER_LENGTH or not re.fullmatch(r"-?[0-9]+", value):
        raise Refused("refused-typed-number", option=f"--{name}", value=value[:40])
    return int(value)


def _decimal(name: str, typed: dict[str, str]) -> float | None:
    if name not in typed:
        return None
    value = typed[name].rstrip(",.")
    if len(value) > MAX_NUMBER_LENGTH or not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        raise Refused("refused-typed-number", option=f"--{name}", value=value[:40])
    return float(value)


def _ratio(value: str) -> str:
    match = re.fullmatch(r"([0-9]{1,4}):([0-9]{1,4})", value.rstrip(",."))
    if match is None or not int(match[1]) or not int(match[2]):
        raise Refused("refused-ratio", value=value[:40])
    return f"{int(match[1])}:{int(match[2])}"
