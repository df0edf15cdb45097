"""From what was given to a resolved request: defaults, limits, and a word about everything that was changed.

A number is moved to the nearest one allowed, and told, where its meaning stays; it is refused where it would not.
"""

import math
import secrets
from collections.abc import Sequence
from typing import Final

import msgspec

from bot.errors import Refused
from bot.requests.advice import advice
from bot.requests.given import GivenRequest
from bot.requests.reading import read_options, read_words
from bot.requests.sizes import read_size
from bot.requests.styles import Mentioned
from bot.requests.typed.known_words import NO_KNOWN_WORD, unknown_words
from bot.requests.typed.options import Offers
from bot.store.rows import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.prompts.expansion import Lists, Wildcards
from pipeline.protocol import limits as hard
from pipeline.protocol.loras import Style
from pipeline.protocol.messages import Notice
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import SAMPLERS, Sampler, find_sampler

_NO_DEFAULTS: Final = AskerDefaults()


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """A request with every field set, which defaults it took, and what its member should know about it."""

    request: GenerationRequest
    defaults: AskerDefaults
    notices: tuple[Notice, ...]

    @property
    def is_hopeless(self) -> bool:
        """Whether its model knows not one word of the prompt, so that its member is asked before it costs."""
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
    """Set every field, within the limits of the model and of the server.

    Args:
        given: what a member asked for.
        catalogue: the models.
        limits: of the server.
        defaults: what holds where nothing was said; they come before those of the model.
        lists: of words, for wildcards; None where there are none, and `__name__` is words.
        styles: that the worker has; None where nobody knows yet, and the worker says which it does not have.

    Raises:
        Refused: no prompt, one that is too long, or a name, size or seed that means nothing.
        UnknownWildcard, EndlessWildcard, and what `lists` raises.
    """
    given, typed_notices = read_options(given, offers_of(catalogue, styles))
    notices = list(typed_notices)
    usable = _still_there(defaults.merged, catalogue)
    spec = _model(given.model_key or usable.model_key, catalogue)
    usable = _fitting(usable, spec)
    typed, given = given, given.or_else(usable)
    seed = _seed(given.seed)
    fill = _as_typed if lists is None else Wildcards(lists, seed).fill
    words = read_words(given, spec, fill)
    notices += words.notices
    prompt, negative_prompt = _text(words.prompt, "refused-prompt-long", limits), words.negative
    if prompt and given.style is not None:
        prompt, negative_prompt = given.style.added_to(prompt, negative_prompt)
    mentioned = Mentioned(styles, spec, prompt)
    prompt = _text(mentioned.usable(prompt), "refused-prompt-long", limits)
    if not prompt:
        raise Refused("refused-prompt-empty")
    negative_prompt = _text(mentioned.usable(negative_prompt), "refused-negative-long", limits)
    notices += mentioned.notices.values()
    texts = (prompt, negative_prompt)
    request = _request(given, texts, seed, spec=spec, limits=limits, notices=notices)
    experience = advice(typed, request, spec)
    if experience is not None:
        notices.append(experience)
    strange = unknown_words(prompt, spec, mentioned.known_words(prompt))
    if strange is not None:
        notices.append(strange)
    taken = defaults.only(usable.names() - typed.names())
    return Resolved(request=request, defaults=taken, notices=tuple(notices))


def _request(
    given: GivenRequest,
    texts: tuple[str, str],
    seed: int,
    *,
    spec: ModelSpec,
    limits: LimitSettings,
    notices: list[Notice],
) -> GenerationRequest:
    """Prompt and negative prompt with every number within the limits; a notice for each that was moved."""
    width, height, size_notice = read_size(given.size, spec, limits)
    notices += filter(None, [size_notice])
    usual, bounds = spec.defaults, spec.bounds
    sampler = _sampler(given.scheduler_name, spec)
    return GenerationRequest(
        prompt=texts[0],
        negative_prompt=texts[1],
        num_inference_steps=int(
            _clamp(
                "steps",
                _given(given.num_inference_steps, usual.steps),
                hard.MIN_STEPS,
                min(bounds.max_steps, limits.max_steps, sampler.max_steps),
                notices,
            )
        ),
        guidance_scale=_clamp(
            "cfg",
            _given(given.guidance_scale, usual.cfg),
            hard.MIN_GUIDANCE_SCALE,
            bounds.max_cfg,
            notices,
        ),
        width=width,
        height=height,
        scheduler_name=sampler.name,
        seed=seed,
        num_images=int(
            _clamp(
                "images",
                _given(given.num_images, usual.images),
                hard.MIN_IMAGES,
                min(bounds.max_images, limits.max_images),
                notices,
            )
        ),
        model_key=spec.key,
        guidance_start=usual.guidance_start,
        guidance_end=usual.guidance_end,
        guidance_rescale=usual.guidance_rescale,
    )


def offers_of(catalogue: Catalogue, styles: Sequence[Style] | None) -> Offers:
    """The names that a typed option may say.

    Args:
        catalogue: the models.
        styles: of the host; None where nobody knows them yet.
    """
    models = [name for spec in catalogue.models.values() for name in (spec.key, spec.title)]
    return Offers(models=models, styles=styles)


def choose_seed() -> int:
    """Any seed, each as likely as the next."""
    return secrets.randbelow(hard.MAX_SEED + 1)


def sampler_names(spec: ModelSpec) -> tuple[str, ...]:
    """The samplers that are offered with a model, in the order in which they are shown."""
    return spec.offered_samplers


def _as_typed(words: str) -> str:
    return words


def _given(value: float | None, default: float) -> float:
    return default if value is None else value


def _text(text: str, key: str, limits: LimitSettings) -> str:
    stripped = text.strip()
    if len(stripped) > limits.max_prompt_length:
        raise Refused(key, length=len(stripped), limit=limits.max_prompt_length)
    return stripped


def _model(key: str | None, catalogue: Catalogue) -> ModelSpec:
    """A model by its key or, since autocomplete is only a hint to Discord, by its title."""
    if key is None:
        return catalogue.default
    wanted = key.strip().casefold()
    for spec in catalogue.models.values():
        if wanted in (spec.key, spec.title.casefold()):
            return spec
    known = ", ".join(spec.key for spec in catalogue.models.values())
    raise Refused("refused-model", model=key[:80], known=known)


def _still_there(defaults: Preferences, catalogue: Catalogue) -> Preferences:
    """Defaults without a model that the owner took away since, which is nobody's wish."""
    if defaults.model_key in (None, *catalogue.models):
        return defaults
    return msgspec.structs.replace(defaults, model_key=None)


def _fitting(defaults: Preferences, spec: ModelSpec) -> Preferences:
    """Defaults without a sampler that this model does not have."""
    if defaults.scheduler_name in (None, *sampler_names(spec)):
        return defaults
    return msgspec.structs.replace(defaults, scheduler_name=None)


def _sampler(name: str | None, spec: ModelSpec) -> Sampler:
    if name is None:
        return SAMPLERS[spec.defaults.sampler]
    sampler = find_sampler(name)
    if sampler is None or sampler.name not in sampler_names(spec):
        raise Refused("refused-sampler", sampler=name[:80], known=", ".join(sampler_names(spec)))
    return sampler


def _seed(seed: int | None) -> int:
    if seed is None:
        return choose_seed()
    if not hard.MIN_SEED <= seed <= hard.MAX_SEED:
        raise Refused("refused-seed", seed=str(seed)[:40], limit=str(hard.MAX_SEED))
    return seed


def _clamp(name: str, value: float, low: float, high: float, notices: list[Notice]) -> float:
    """The nearest allowed number, with a notice where it differs.

    Raises:
        Refused: not a number at all.
    """
    if math.isnan(value):
        raise Refused("refused-typed-number", option=name, value="nan")
    clamped = min(max(value, low), high)
    if clamped != value:
        notices.append(
            Notice(key="notice-clamped", values={"option": name, "given": f"{value:g}", "used": f"{clamped:g}"})
        )
    return clamped
