"""The drawing options in commands: bounds, descriptions and suggestions."""

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import discord
import msgspec
from discord import app_commands
from discord.app_commands import Choice, Range, locale_str

from bot.calls.answers import Interaction
from bot.commands.translating import renamed
from bot.interactions.services import Services
from bot.presenting.escaping import plain, shorten
from bot.presenting.styles_message import style_line
from bot.presenting.summaries import size_choices, use_choices
from bot.presenting.texts import text
from bot.requests.abilities import ROLES, uses_for
from bot.requests.given import GivenRequest
from bot.requests.options.option import Option
from bot.requests.options.table import OPTIONS_WITH_DEFAULTS, arranged, given_by
from bot.requests.options.takes import Number, Picture, PictureUse, Text
from bot.requests.resolving import resolve, sampler_names
from bot.requests.styles import matching_styles, option_value, styles_for
from bot.requests.uses import STRENGTHS
from bot.store.rows.preferences import Preferences
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import InputRole

_MAX_CHOICES = 25
"""Discord's limit of suggestions."""
_MAX_LENGTH = 100
"""Discord's limit for a suggestion's title, and for its value."""

Callback = TypeVar("Callback", bound=Callable[..., Any])
Find = Callable[[Interaction, str], Awaitable[Sequence[Choice[str]] | Sequence[Choice[float]]]]


def widest(services: Services, option: Option) -> float:
    """The highest bound of a number option among all models of the catalogue, within the host's limits.

    Raises:
        TypeError: the option takes no number.
    """
    takes = option.takes
    if not isinstance(takes, Number):
        raise TypeError(option.name)
    limits = services.settings.limits
    return max(takes.highest(spec, limits) for spec in services.catalogue.models.values())


def with_options(
    services: Services, options: Sequence[Option], describe: Callable[[Option], locale_str], *, at: int
) -> Callable[[Callback], Callback]:
    """Give a command's callback the options of the table. The callback receives them as its `**typed`.

    Args:
        services: the services; the catalogue gives the widest bounds.
        options: the options in the command's order.
        describe: the description of an option.
        at: number of the command's own options before them.
    """

    def add(callback: Callback) -> Callback:
        signature = inspect.signature(callback)
        own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        added = [
            inspect.Parameter(
                option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(services, option)
            )
            for option in options
        ]
        own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) if number else each for number, each in enumerate(own)]
        # discord.py reads a command's options from its callback's signature.
        vars(callback)["__signature__"] = signature.replace(parameters=[*own[: at + 1], *added, *own[at + 1 :]])
        app_commands.rename(**renamed(*(option.name for option in options if option.translations)))(callback)
        return app_commands.describe(**{option.name: describe(option) for option in options})(callback)

    return add


def without(callback: Callback, names: Collection[str]) -> Callback:
    """Take options away from a command's callback, which gives each of them a default."""
    signature = inspect.signature(callback)
    kept = [each for name, each in signature.parameters.items() if name not in names]
    vars(callback)["__signature__"] = signature.replace(parameters=kept)
    return callback


def _annotation(services: Services, option: Option) -> Any:
    """The annotation from which discord.py reads an option's type and bounds."""
    takes = option.takes
    if isinstance(takes, Picture):
        return discord.Attachment | None
    if isinstance(takes, Text):
        bounds: Any = Range[str, 1, takes.max_length]
    else:
        bounds = Range[takes.type, takes.type(takes.lowest), takes.type(widest(services, option))]
    return bounds | None


def arranged_defaults() -> list[Option]:
    """The options with defaults in the order of `/settings` and `/admin channel`: the most used first."""
    return arranged(("model", "size", "steps", "cfg", "sampler", "images", "negative"), OPTIONS_WITH_DEFAULTS)


def preferences_of(typed: Mapping[str, Any]) -> Preferences:
    """Typed values as preferences."""
    return msgspec.structs.replace(Preferences(), **given_by(OPTIONS_WITH_DEFAULTS, typed))


def add_suggestions(command: app_commands.Command[Any, ..., None], services: Services) -> None:
    """Add autocomplete to `size`, `model` and `sampler`, whose values are names."""

    async def sizes(interaction: Interaction, current: str) -> list[Choice[str]]:
        choices = size_choices(_chosen_model(interaction, services), services.settings.limits)
        return matching(current, [(words, name) for name, words in choices.items()])

    async def models(_: Interaction, current: str) -> list[Choice[str]]:
        return matching(current, [(spec.title, spec.key) for spec in services.catalogue.models.values()])

    async def samplers(interaction: Interaction, current: str) -> list[Choice[str]]:
        return matching(current, [(name, name) for name in sampler_names(_chosen_model(interaction, services))])

    suggest(services, command, "size", sizes)
    suggest(services, command, "model", models)
    suggest(services, command, "sampler", samplers)


def add_style_suggestions(command: app_commands.Command[Any, ..., None], services: Services) -> None:
    """Add autocomplete to `style`: styles that fit the model, by title, with their trigger words."""

    async def styles(interaction: Interaction, current: str) -> list[Choice[str]]:
        found = matching_styles(current, styles_for(services.backend.status, _chosen_model(interaction, services)))
        return suggestions([(style_line(style), option_value(style)) for style in found])

    suggest(services, command, "style", styles)


def add_strength_suggestions(command: app_commands.Command[Any, ..., None], services: Services) -> None:
    """Add autocomplete to `strength`, since its numbers mean nothing to most members."""

    async def strengths(_: Interaction, current: str) -> list[Choice[float]]:
        titles = {text(f"choice-strength-{name}", strength=f"{value:g}"): value for name, value in STRENGTHS.items()}
        wanted = current.strip().casefold()
        return [Choice(name=title, value=value) for title, value in titles.items() if wanted in title.casefold()]

    suggest(services, command, "strength", strengths)


def add_use_suggestions(command: app_commands.Command[Any, ..., None], services: Services) -> None:
    """Add autocomplete to `use` and `use2`: what the chosen model can do with a picture, and ready-made maps."""

    async def uses(interaction: Interaction, current: str) -> list[Choice[str]]:
        spec = _chosen_model(interaction, services)
        names = [(words, typed) for typed, words in use_choices(spec, services.catalogue).items()]
        names += [
            (text("choice-use-map", use=use.value), PictureUse(use=use, is_map=True).words)
            for use in uses_for(spec, services.catalogue)
            if ROLES[use] is InputRole.CONTROL
        ]
        return matching(current, names)

    for option in ("use", "use2"):
        suggest(services, command, option, uses)


def suggest(services: Services, command: app_commands.Command[Any, ..., None], option: str, find: Find) -> None:
    """Add autocomplete to an option; `find` returns the choices for the typed letters."""

    async def answer(interaction: Interaction, current: str) -> list[Choice[Any]]:
        choices = [*await find(interaction, current)]
        await services.calls.suggest(interaction, choices)
        return choices  # the library does not send them again, since the interaction has its answer

    command.autocomplete(option)(answer)


def _chosen_model(interaction: Interaction, services: Services) -> ModelSpec:
    """The model in the command's present options, or the default model."""
    key = getattr(interaction.namespace, "model", None)
    return services.catalogue.models.get(str(key), services.catalogue.default)


def checked_defaults(services: Services, defaults: Preferences) -> Preferences:
    """The defaults, with the model's key in place of its title.

    Raises:
        Refused: a value is invalid.
    """
    given = GivenRequest(prompt="-").or_else(defaults)
    resolved = resolve(given, catalogue=services.catalogue, limits=services.settings.limits)
    if defaults.model_key is None:
        return defaults
    return msgspec.structs.replace(defaults, model_key=resolved.request.model_key)


def matching(current: str, names: Sequence[tuple[str, str]]) -> list[Choice[str]]:
    """The names whose title or value contains the typed letters, in the order of the list."""
    wanted = current.strip().casefold()
    return suggestions([(shown, value) for shown, value in names if wanted in f"{shown}\n{value}".casefold()])


def suggestions(names: Sequence[tuple[str, str]]) -> list[Choice[str]]:
    """Titles and values as choices. Invalid ones are left out, since Discord refuses all if one is invalid."""
    fitting: dict[str, str] = {}
    for shown, value in names:
        if 1 <= len(value) <= _MAX_LENGTH:
            fitting.setdefault(value, shown)
    offered = list(fitting.items())[:_MAX_CHOICES]
    titles = [shorten(plain(shown) or value, _MAX_LENGTH) for value, shown in offered]
    return [
        Choice(name=title if titles.count(title) == 1 else _distinct(title, value), value=value)
        for title, (value, _) in zip(titles, offered, strict=True)
    ]


def _distinct(title: str, value: str) -> str:
    """A title that occurs several times, with its value."""
    return shorten(f"{shorten(title, max(1, _MAX_LENGTH - len(value) - 3))} ({value})", _MAX_LENGTH)
