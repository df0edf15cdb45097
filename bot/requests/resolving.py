"""From a given request to a resolved one: defaults, limits, and a notice for each change.

A number out of bounds is moved to the nearest allowed one, with a notice, if that keeps its meaning. Otherwise the
request is refused.
"""

import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from bot.errors import Refused
from bot.requests.advice import advice
from bot.requests.given import GivenRequest
from bot.requests.options.option import Situation
from bot.requests.options.table import OPTIONS, OPTIONS_WITH_DEFAULTS, arranged, sampler_of
from bot.requests.reading import Words, read_options, read_words
from bot.requests.styles import Mentioned, styled
from bot.requests.typed.known_words import NO_KNOWN_WORD, unknown_words
from bot.requests.typed.offers import Offers
from bot.requests.uses import cut_notice, inputs_of, shaped, wishes
from bot.store.rows.jobs import WantedJob
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.prompts.expansion import Lists, Wildcards
from pipeline.protocol import limits as hard
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import Defaults, ModelSpec
from pipeline.protocol.loras import Style
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

_NO_DEFAULTS: Final = AskerDefaults()
OWNERS: Final = {*GenerationRequest.__struct_fields__} & {*Defaults.__struct_fields__} - {
    "width",
    "height",
    *(option.field for option in OPTIONS),
}
"""Fields of a request that only an owner sets, in a model's entry."""


class Resolved(WantedJob, frozen=True, kw_only=True):
    """A job for pictures, whose request has every field set."""

    request: GenerationRequest

    @property
    def is_hopeless(self) -> bool:
        """Whether the model knows no word of the prompt. Then the member must confirm before the job costs anything."""
        return any(notice.key == NO_KNOWN_WORD for notice in self.notices)


def resolve(
    given: GivenRequest,
    *,
    catalogue: Catalogue,
    limits: LimitSettings,
    defaults: AskerDefaults = _NO_DEFAULTS,
    lists: Lists | None = None,
    styles: Sequence[Style] | None = None,
) -> Resolved:
    """Set every field, within the limits of the model and the host.

    Args:
        given: the member's request.
        catalogue: the models.
        limits: the host's limits.
        defaults: defaults for options without a value; they come before the model's.
        lists: word lists for wildcards; with None, `__name__` stays text.
        styles: the worker's styles; None if they are unknown, and then the worker reports missing ones.

    Raises:
        Refused: the prompt is missing or too long, a name, size or seed is invalid, or a picture has no such use.
        UnknownWildcard, EndlessWildcard, and errors of `lists`.
    """
    given, typed_notices = read_options(given, offers_of(catalogue, styles))
    notices = list(typed_notices)
    usable = _still_there(defaults.merged, catalogue)
    spec = _model(given.model_key or usable.model_key, catalogue)
    usable = _fitting(usable, spec)
    wished = wishes(given, spec, catalogue, notices)
    given = shaped(_without_unused(given, spec, notices), wished, spec, limits)
    typed, given = given, given.or_else(usable)
    seed = _seed(given.seed)
    fill = _as_typed if lists is None else Wildcards(lists, seed).fill
    words = read_words(given, spec, fill)
    notices += words.notices
    mentioned, texts = _texts(given, words, styles, spec=spec, limits=limits, notices=notices)
    request = _request(given, texts, seed, spec=spec, limits=limits, notices=notices)
    request = msgspec.structs.replace(request, inputs=inputs_of(given, wished, spec, catalogue, notices))
    more = (
        cut_notice(wished, request, spec),
        advice(typed, request, spec),
        unknown_words(request.prompt, spec, mentioned.known_words(request.prompt)),
    )
    notices += filter(None, more)
    taken = defaults.only(usable.names() - typed.names())
    return Resolved(request=request, defaults=taken, notices=tuple(notices))


def _texts(
    given: GivenRequest,
    words: Words,
    styles: Sequence[Style] | None,
    *,
    spec: ModelSpec,
    limits: LimitSettings,
    notices: list[Notice],
) -> tuple[Mentioned, tuple[str, str]]:
    """The mentioned styles; prompt and negative prompt with the chosen style, without unusable embeddings."""
    prompt, negative_prompt = _text(words.prompt, "refused-prompt-long", limits), words.negative
    if prompt and given.style is not None:
        prompt, negative_prompt = styled(given.style, prompt, negative_prompt)
    mentioned = Mentioned(styles, spec, prompt)
    prompt = _text(mentioned.usable(prompt), "refused-prompt-long", limits)
    if not prompt:
        raise Refused("refused-prompt-empty")
    negative_prompt = _text(mentioned.usable(negative_prompt), "refused-negative-long", limits)
    notices += mentioned.notices.values()
    if negative_prompt and not spec.can(Capability.NEGATIVE_PROMPT):  # from a style, or from weights below zero
        negative_prompt = ""
        notices.append(_unused("negative", spec))
    return mentioned, (prompt, negative_prompt)


def _request(
    given: GivenRequest,
    texts: tuple[str, str],
    seed: int,
    *,
    spec: ModelSpec,
    limits: LimitSettings,
    notices: list[Notice],
) -> GenerationRequest:
    """The request with every number within the limits, and a notice for each moved number."""
    sampler = sampler_of(given.scheduler_name, spec)
    situation = Situation(spec=spec, limits=limits, sampler=sampler, notices=notices)
    fields: dict[str, Any] = {name: getattr(spec.defaults, name) for name in OWNERS}
    for option in arranged(["size", "steps"]):  # their notices come first
        if option.resolve is not None:
            fields |= option.resolve(getattr(given, option.field), situation)
    prompt, negative_prompt = texts
    fields |= {"prompt": prompt, "negative_prompt": negative_prompt, "seed": seed, "model_key": spec.key}
    return msgspec.convert(fields, GenerationRequest)


def offers_of(catalogue: Catalogue, styles: Sequence[Style] | None) -> Offers:
    """The known names for typed options.

    Args:
        catalogue: models, control nets and reference adapters.
        styles: the worker's styles; None if they are unknown.
    """
    models = [name for spec in catalogue.models.values() for name in (spec.key, spec.title)]
    guides = [name for spec in catalogue.guides.values() for name in (spec.key, spec.title)]
    return Offers(models=models, guides=guides, styles=styles)


def choose_seed() -> int:
    """A random seed; all seeds are equally likely."""
    return secrets.randbelow(hard.MAX_SEED + 1)


def sampler_names(spec: ModelSpec) -> tuple[str, ...]:
    """The samplers of a model in the order of their display."""
    return spec.offered_samplers


def _as_typed(words: str) -> str:
    return words


def _text(text: str, key: str, limits: LimitSettings) -> str:
    stripped = text.strip()
    if len(stripped) > limits.max_prompt_length:
        raise Refused(key, length=len(stripped), limit=limits.max_prompt_length)
    return stripped


def _model(key: str | None, catalogue: Catalogue) -> ModelSpec:
    """A model by its key or title. Members may send text that autocomplete did not offer.

    Raises:
        Refused: there is no such model.
    """
    if key is None:
        return catalogue.default
    wanted = key.strip().casefold()
    for spec in catalogue.models.values():
        if wanted in (spec.key, spec.title.casefold()):
            return spec
    known = ", ".join(spec.key for spec in catalogue.models.values())
    raise Refused("refused-model", model=key[:80], known=known)


def _still_there(defaults: Preferences, catalogue: Catalogue) -> Preferences:
    """The defaults without a model that the owner has removed."""
    if defaults.model_key in (None, *catalogue.models):
        return defaults
    return msgspec.structs.replace(defaults, model_key=None)


def _fitting(defaults: Preferences, spec: ModelSpec) -> Preferences:
    """The defaults without a sampler that this model lacks, and without options that it cannot use."""
    unused = {option.field for option in OPTIONS_WITH_DEFAULTS if not spec.can(option.needs)}
    if defaults.scheduler_name not in (None, *sampler_names(spec)):
        unused.add("scheduler_name")
    return defaults.only(defaults.names() - unused)


def _without_unused(given: GivenRequest, spec: ModelSpec, notices: list[Notice]) -> GivenRequest:
    """A request without options that the model cannot use, with a notice for each."""
    unused = [
        option for option in OPTIONS if not spec.can(option.needs) and getattr(given, option.field) not in (None, "")
    ]
    notices += (_unused(option.name, spec) for option in unused)
    return msgspec.structs.replace(given, **dict.fromkeys(option.field for option in unused))


def _unused(option: str, spec: ModelSpec) -> Notice:
    return Notice(key="notice-option-unused", values={"option": option, "model": spec.title})


def _seed(seed: int | None) -> int:
    if seed is None:
        return choose_seed()
    if not hard.MIN_SEED <= seed <= hard.MAX_SEED:
        raise Refused("refused-seed", seed=str(seed)[:40], limit=str(hard.MAX_SEED))
    return seed
