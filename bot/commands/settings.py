"""`/settings`: a member's own defaults. The answer is private."""

from typing import Any

from discord import app_commands
from discord.app_commands import Choice

from bot.calls.answers import Interaction
from bot.commands.options import add_suggestions, arranged_defaults, checked_defaults, preferences_of, with_options
from bot.commands.translating import localized
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting import settings_message
from bot.store.members.user_settings import UserSettings


def make_settings(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name=localized("name-settings"), description=localized("command-settings"))
    @with_options(
        services, arranged_defaults(), lambda option: localized("option-my-default", option=option.name), at=0
    )
    @app_commands.describe(
        ping=localized("option-my-ping"),
        showcase=localized("option-my-showcase"),
        clear=localized("option-my-clear"),
    )
    @app_commands.choices(ping=_on_or_off(), showcase=_on_or_off())
    async def settings(
        interaction: Interaction,
        ping: int | None = None,
        showcase: int | None = None,
        clear: bool = False,  # noqa: FBT001, FBT002 - an option of a command, which Discord names
        **typed: str | float | None,
    ) -> None:
        given = preferences_of(typed)
        before = await services.user_settings.get(interaction.user.id)
        after = UserSettings() if clear else before
        defaults = checked_defaults(services, given.or_else(after.defaults))
        after = UserSettings(
            defaults=defaults,
            notifies_when_done=after.notifies_when_done if ping is None else bool(ping),
            is_shown=before.is_shown if showcase is None else bool(showcase),
        )
        if after != before:
            await services.user_settings.set(interaction.user.id, after)
        await answer_privately(interaction, settings_message.settings_lines(after, is_changed=after != before))
        if after.is_shown and not before.is_shown:
            await services.showcase.note_consent(interaction.user.id)

    add_suggestions(settings, services)
    return settings


def _on_or_off() -> list[Choice[int]]:
    return [Choice(name=localized("choice-on"), value=1), Choice(name=localized("choice-off"), value=0)]
