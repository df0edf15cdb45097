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
from bot.store.members.servers import WHOLE_SERVER, ChannelRule, Content

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
        content=localized("option-admin-content"),
    )
    @app_commands.choices(use=_uses(), content=_contents())
    async def channel_(
        interaction: Interaction,
        use: str | None = None,
        channel: AppCommandChannel | AppCommandThread | None = None,
        everywhere: bool = False,  # noqa: FBT001, FBT002 - an option of a command, which Discord names
        reports: AppCommandChannel | AppCommandThread | None = None,
        content: str | None = None,
        **typed: str | float | None,
    ) -> None:
        if everywhere and (channel is not None or use in _IS_ALLOWED):
            raise Refused("refused-everywhere")
        shown = None if content is None else Content(content)
        defaults = preferences_of(typed)
        channel_id = WHOLE_SERVER if everywhere else channel.id if channel else (interaction.channel_id or 0)
        sentence = "" if reports is None else await _toggle_reports(services, interaction, reports.id)
        given = ChannelRule(is_allowed=_IS_ALLOWED.get(use or ""), content=shown, defaults=defaults)
        if use is not None or given != ChannelRule():
            rule = await _set(services, interaction, channel_id, given, is_anew=use == _DEFAULT)
            sentence = sentences.channel_set(channel_id, rule)
        rules = await services.servers.channels(guild_of(interaction))
        await answer_privately(interaction, sentences.channel_rules(rules, sentence))

    add_suggestions(channel_, services)
    return channel_


def _uses() -> list[Choice[str]]:
    return [
        Choice(name=localized("choice-allow"), value=_ALLOW),
        Choice(name=localized("choice-forbid"), value=_FORBID),
        Choice(name=localized("choice-default"), value=_DEFAULT),
    ]


def _contents() -> list[Choice[str]]:
    return [
        Choice(name=localized("choice-content-strict"), value=Content.STRICT.value),
        Choice(name=localized("choice-content-usual"), value=Content.USUAL.value),
    ]


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
    services: Services, interaction: Interaction, channel_id: int, given: ChannelRule, *, is_anew: bool
) -> ChannelRule:
    """Change the given values and keep the others, unless the rule `is_anew`."""
    rules = {} if is_anew else await services.servers.channels(guild_of(interaction))
    before = rules.get(channel_id, ChannelRule())
    rule = ChannelRule(
        is_allowed=before.is_allowed if given.is_allowed is None else given.is_allowed,
        content=given.content or before.content,
        defaults=checked_defaults(services, given.defaults.or_else(before.defaults)),
    )
    await services.servers.set_channel(decision_of(interaction), channel_id, rule)
    return rule
