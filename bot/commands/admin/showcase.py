"""`/admin showcase`: the channel that shows what members like."""

from typing import Any, Final

from discord import app_commands
from discord.app_commands import AppCommandChannel, Range

from bot.calls.answers import Interaction
from bot.calls.errors import CallFailed
from bot.commands.admin.checks import decision_of
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting import showcase_message
from bot.presenting.texts import spoken, text
from bot.store.members.showcase import ShowcaseRule

_USUAL_STARS: Final = 3
_MAX_STARS: Final = 1_000


def make_showcase(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="showcase", description=localized("command-admin-showcase"))
    @app_commands.describe(
        channel=localized("option-admin-showcase-channel"), stars=localized("option-admin-showcase-stars")
    )
    async def showcase(
        interaction: Interaction, channel: AppCommandChannel, stars: Range[int, 1, _MAX_STARS] | None = None
    ) -> None:
        by = decision_of(interaction)
        before = await services.showcase.rule(by.guild_id)
        is_same_channel = before is not None and before.channel_id == channel.id
        if is_same_channel and stars is None:
            await services.showcase.set_rule(by, None)
            await answer_privately(interaction, text("admin-showcase-none"))
            return
        rule = ShowcaseRule(channel_id=channel.id, stars=stars or _USUAL_STARS)
        if not is_same_channel:
            await _begin(services, interaction, channel.id)
        await services.showcase.set_rule(by, rule)
        await answer_privately(
            interaction, text("admin-showcase-set", channel_id=str(rule.channel_id), stars=rule.stars)
        )

    return showcase


async def _begin(services: Services, interaction: Interaction, channel_id: int) -> None:
    """Post the first message of a showcase.

    Raises:
        Refused: Easel may not write there.
    """
    await services.calls.defer(interaction, is_private=True)
    with spoken(str(interaction.guild_locale or "")):
        view = showcase_message.beginning()
    try:
        await services.calls.posting.post(channel_id, view=view, nonce=f"easel-{interaction.id}")
    except CallFailed as error:
        raise Refused("refused-showcase-channel") from error
