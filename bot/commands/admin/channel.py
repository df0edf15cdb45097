"""`/admin channel`: channels in which Easel may be used, and their defaults."""

from typing import Any

from discord import app_commands
from discord.app_commands import AppCommandChannel, AppCommandThread, Choice

from bot.calls.answers import Interaction
from bot.calls.errors import CallFailed
from bot.commands.admin.checks import decision_of, guild_of
from bot.commands.options import add_suggestions, arranged_defaults, checked_defaults, preferences_of, with_options
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import case_card, sentences
from bot.presenting.texts import spoken, text
from bot.store.members.servers import WHOLE_SERVER, ChannelRule
from bot.store.rows.preferences import Preferences

_ALLOW = "allow"
_FORBID = "forbid"
_DEFAULT = "default"
_IS_ALLOWED = {_ALLOW: True, _FORBID: False}


def make_channel(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="channel", description=localized("command-admin-channel"))
    @with_options(
        services, arranged_defaults(), lambda option: localized("option-admin-default", option=option.name), at=2
    )
    @app_commands.describe(
        use=localized("option-admin-use"),
        channel=localized("option-admin-channel"),
        everywhere=localized("option-admin-everywhere"),
        reports=localized("option-admin-reports"),
    )
    @app_commands.choices(
        use=[
            Choice(name=localized("choice-allow"), value=_ALLOW),
            Choice(name=localized("choice-forbid"), value=_FORBID),
            Choice(name=localized("choice-default"), value=_DEFAULT),
        ]
    )
    async def channel_(
        interaction: Interaction,
        use: str | None = None,
        channel: AppCommandChannel | AppCommandThread | None = None,
        everywhere: bool = False,  # noqa: FBT001, FBT002 - an option of a command, which Discord names
        reports: AppCommandChannel | AppCommandThread | None = None,
        **typed: str | float | None,
    ) -> None:
        if everywhere and (channel is not None or use in _IS_ALLOWED):
            raise Refused("refused-everywhere")
        defaults = preferences_of(typed)
        channel_id = WHOLE_SERVER if everywhere else channel.id if channel else (interaction.channel_id or 0)
        sentence = "" if reports is None else await _toggle_reports(services, interaction, reports.id)
        if use is not None or defaults != Preferences():
            rule = await _set(services, interaction, channel_id, use, defaults)
            sentence = sentences.channel_set(channel_id, rule)
        rules = await services.servers.channels(guild_of(interaction))
        await answer_privately(interaction, sentences.channel_rules(rules, sentence))

    add_suggestions(channel_, services)
    return channel_


async def _toggle_reports(services: Services, interaction: Interaction, channel_id: int) -> str:
    """Let cards be posted in a channel, or no more if it is the one; returns what the admin reads.

    Raises:
        Refused: Easel may not write there.
    """
    by = decision_of(interaction)
    if await services.servers.reports_channel(by.guild_id) == channel_id:
        await services.servers.set_reports_channel(by, None)
        return text("admin-reports-none")
    await services.calls.defer(interaction, is_private=True)
    with spoken(str(interaction.guild_locale or "")):
        view = case_card.beginning()
    try:
        await services.calls.posting.post(channel_id, view=view, nonce=f"easel-{interaction.id}")
    except CallFailed as error:
        raise Refused("refused-reports-channel") from error
    await services.servers.set_reports_channel(by, channel_id)
    return text("admin-reports-set", channel_id=str(channel_id))


async def _set(
    services: Services, interaction: Interaction, channel_id: int, use: str | None, given: Preferences
) -> ChannelRule:
    """Change the given values and keep the others. `default` first clears the old rule."""
    before = (await services.servers.channels(guild_of(interaction))).get(channel_id, ChannelRule())
    if use == _DEFAULT:
        before = ChannelRule()
    rule = ChannelRule(
        is_allowed=before.is_allowed if use is None else _IS_ALLOWED.get(use),
        defaults=checked_defaults(services, given.or_else(before.defaults)),
    )
    await services.servers.set_channel(decision_of(interaction), channel_id, rule)
    return rule
