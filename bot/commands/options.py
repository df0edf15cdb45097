"""The options that say how to draw, as commands have them: bounds, descriptions and suggestions."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from discord import app_commands
from discord.app_commands import Choice, Range, locale_str

from bot.calls.answers import Interaction
from bot.commands.translating import renamed
from bot.interactions.services import Services
from bot.presenting.escaping import plain, shorten
from bot.presenting.sizes import size_choices
from bot.presenting.styles_message import style_line
from bot.requests.given import GivenRequest
from bot.requests.options import DEFAULTS, Option, arranged
from bot.requests.resolving import resolve, sampler_names
from bot.requests.styles import matching_styles, option_value, styles_for
from bot.requests.takes import Number, Text
from bot.store.rows import Preferences
from pipeline.protocol.models import ModelSpec

_MAX_CHOICES = 25
"""Discord's limit of suggestions."""
_MAX_LENGTH = 100
"""Discord's limit of what one suggestion shows, and of the value behind it."""

Callback = TypeVar("Callback", bound=Callable[..., Any])
Find = Callable[[Interaction, str], Awaitable[list[Choice[str]]]]


def widest(services: Services, option: Option) -> float:
    """The most that any model of the catalogue takes of a number, within the host's limits."""
    takes = option.takes
    if not isinstance(takes, Number):
        raise TypeError(option.name)
    limits = services.settings.limits
    return max(takes.highest(spec, limits) for spec in services.catalogue.models.values())


def with_options(
    services: Services, options: Sequence[Option], describe: Callable[[Option], locale_str], *, at: int
) -> Callable[[Callback], Callback]:
    """Give a command's callback the options of the table, which it takes as its `**typed`.

    Args:
        services: with the catalogue, whose widest bounds hold.
        options: in the order in which the command has them.
        describe: what is said of one.
        at: how many of the command's own options come before them.
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


def _annotation(services: Services, option: Option) -> Any:
    """What discord.py reads the kind of an option's values and their bounds from."""
    takes = option.takes
    if isinstance(takes, Text):
        bounds: Any = Range[str, 1, takes.max_length]
    else:
        bounds = Range[takes.type, takes.type(takes.lowest), takes.type(widest(services, option))]
    return bounds | None


def given_by(options: Sequence[Option], typed: Mapping[str, Any]) -> dict[str, Any]:
    """What members said in a command's options, by the fields of a request; None where they said nothing."""
    return {option.field: typed.get(option.name) for option in options}


def arranged_defaults() -> list[Option]:
    """The options that have defaults, as `/settings` and `/admin channel` show them: what is set most often first."""
    return arranged(("model", "size", "steps", "cfg", "sampler", "images", "negative"), DEFAULTS)


def preferences_of(typed: Mapping[str, Any]) -> Preferences:
    """What somebody chose as defaults."""
    return msgspec.structs.replace(Preferences(), **given_by(DEFAULTS, typed))


def add_suggestions(command: app_commands.Command[Any, ..., None], services: Services) -> None:
    """Autocomplete for `size`, `model` and `sampler`, whose values are names."""

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
    """Autocomplete for `style`: those that fit the model, by title, with the words that they add."""

    async def styles(interaction: Interaction, current: str) -> list[Choice[str]]:
        found = matching_styles(current, styles_for(services.backend.status, _chosen_model(interaction, services)))
        return suggestions([(style_line(style), option_value(style)) for style in found])

    suggest(services, command, "style", styles)


def suggest(services: Services, command: app_commands.Command[Any, ..., None], option: str, find: Find) -> None:
    """Suggest what is found for what somebody types into an option."""

    async def answer(interaction: Interaction, current: str) -> list[Choice[str]]:
        choices = await find(interaction, current)
        await services.calls.suggest(interaction, choices)
        return choices  # which the library sends no more, since they are answered

    command.autocomplete(option)(answer)


def _chosen_model(interaction: Interaction, services: Services) -> ModelSpec:
    """The model that the command names so far, or else the default."""
    key = getattr(interaction.namespace, "model", None)
    return services.catalogue.models.get(str(key), services.catalogue.default)


def checked_defaults(services: Services, defaults: Preferences) -> Preferences:
    """The defaults, with the model's key in place of its title.

    Raises:
        Refused: one of them means nothing.
    """
    asked = GivenRequest(prompt="-").or_else(defaults)
    resolved = resolve(asked, catalogue=services.catalogue, limits=services.settings.limits)
    if defaults.model_key is None:
        return defaults
    return msgspec.structs.replace(defaults, model_key=resolved.request.model_key)


def matching(current: str, names: Sequence[tuple[str, str]]) -> list[Choice[str]]:
    """What contains the typed letters in what it shows or in its value, in the order of the list."""
    wanted = current.strip().casefold()
    return suggestions([(shown, value) for shown, value in names if wanted in f"{shown}\n{value}".casefold()])


def suggestions(names: Sequence[tuple[str, str]]) -> list[Choice[str]]:
    """What is shown and the value behind it, as Discord takes them: one that it does not take takes all away."""
    fitting: dict[str, str] = {}
    for shown, value in names:
        if 1 <= len(value) <= _MAX_LENGTH:
            fitting.setdefault(value, shown)
    offered = list(fitting.items())[:_MAX_CHOICES]
    titles = [shorten(plain(shown) or value, _MAX_LENGTH) for value, shown in offered]
    return [
        Choice(name=title if titles.count(title) == 1 else _told_apart(title, value), value=value)
        for title, (value, _) in zip(titles, offered, strict=True)
    ]


def _told_apart(title: str, value: str) -> str:
    """A title that several have, with the value behind it."""
    return shorten(f"{shorten(title, max(1, _MAX_LENGTH - len(value) - 3))} ({value})", _MAX_LENGTH)
