"""`/history` and `/favourites`: finished pictures by words, model and date. The answer is private, wherever it is."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.calls.repeating import as_files
from bot.commands.history.days import beginning_of, end_of, suggested
from bot.commands.options import matching, suggest, suggestions
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions.history import is_among_adults, page_of
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.history.ids import MAX_WORDS, units
from bot.presenting.texts import text
from bot.store.rows.history import Shelf, Sought, mark_of
from bot.words import clean

Words = Range[str, 1, MAX_WORDS]
Day = Range[str, 1, 10]
Model = Range[str, 1, 64]
"""The longest key of a model has 64 characters."""


def make_history(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command for the pictures that a member asked for."""

    @app_commands.command(name=localized("name-history"), description=localized("command-history"))
    @app_commands.describe(starred=localized("option-history-starred"))
    @app_commands.rename(starred=localized("name-starred"))
    async def history(
        interaction: Interaction,
        words: Words | None = None,
        model: Model | None = None,
        since: Day | None = None,
        until: Day | None = None,
        starred: bool = False,  # noqa: FBT001, FBT002 - an option of a command, which Discord names
    ) -> None:
        typed = {"words": words, "model": model, "since": since, "until": until}
        await _show(services, interaction, Shelf.STARRED if starred else Shelf.OWN, typed)

    _describe(services, history)
    return history


def make_favourites(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command for the pictures that a member starred, whoever asked for them."""

    @app_commands.command(name=localized("name-favourites"), description=localized("command-favourites"))
    async def favourites(
        interaction: Interaction,
        words: Words | None = None,
        model: Model | None = None,
        since: Day | None = None,
        until: Day | None = None,
    ) -> None:
        typed = {"words": words, "model": model, "since": since, "until": until}
        await _show(services, interaction, Shelf.FAVOURITES, typed)

    _describe(services, favourites)
    return favourites


async def _show(services: Services, interaction: Interaction, shelf: Shelf, typed: Mapping[str, str | None]) -> None:
    sought = _sought(services, interaction, shelf, {name: value or "" for name, value in typed.items()})
    await services.calls.defer(interaction, is_private=True)
    view, files = await page_of(services, interaction, sought, await services.history.first(sought))
    await answer_privately(interaction, view=view, files=as_files(files))


def _sought(services: Services, interaction: Interaction, shelf: Shelf, typed: Mapping[str, str]) -> Sought:
    """The search of a command's options.

    Raises:
        Refused: a day is none, the days lie the wrong way round, or the words are too long.
    """
    words = " ".join(clean(typed["words"]).split())
    if units(words) > MAX_WORDS:
        raise Refused("refused-history-words", most=MAX_WORDS)
    zone = services.settings.quotas.time_zone
    since = beginning_of(typed["since"], zone) if typed["since"] else None
    before = end_of(typed["until"], zone) if typed["until"] else None
    if since is not None and before is not None and since >= before:
        raise Refused("refused-history-days", since=typed["since"], until=typed["until"])
    return Sought(
        user_id=interaction.user.id,
        shelf=shelf,
        words=words,
        model_mark=mark_of(_model_key(services, typed["model"])) if typed["model"] else "",
        since=since,
        before=before,
        is_among_adults=is_among_adults(interaction),
    )


def _model_key(services: Services, typed: str) -> str:
    """The key of a model that was typed as its key or its title. The owner may no longer offer it."""
    wanted = typed.strip().casefold()
    entries = services.catalogue.entries.items()
    return next((key for key, entry in entries if wanted in (key, entry.title.casefold())), wanted)


def _describe(services: Services, command: app_commands.Command[Any, ..., None]) -> None:
    """Describe the options that both commands have, and suggest their values."""
    app_commands.describe(
        words=localized("option-history-words"),
        model=localized("option-history-model"),
        since=localized("option-history-since"),
        until=localized("option-history-until"),
    )(command)
    app_commands.rename(
        words=localized("name-words"),
        model=localized("name-model"),
        since=localized("name-since"),
        until=localized("name-until"),
    )(command)

    async def models(interaction: Interaction, current: str) -> list[Choice[str]]:
        entries = services.catalogue.entries
        keys = await services.history.models(interaction.user.id)
        return matching(current, [(entries[key].title if key in entries else key, key) for key in keys])

    async def days(_: Interaction, current: str) -> list[Choice[str]]:
        offered = suggested(datetime.now(UTC), services.settings.quotas.time_zone)
        named = [(text("choice-days-ago", count=ago, day=day), day) for ago, day in offered.items()]
        typed = current.strip()
        return matching(current, named) or suggestions([(typed, typed)] if typed else [])

    suggest(services, command, "model", models)
    suggest(services, command, "since", days)
    suggest(services, command, "until", days)
