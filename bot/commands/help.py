"""`/help`: instructions for members. The answer is private."""

from typing import Any

from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.commands.options import matching, suggest, widest
from bot.commands.translating import localized, renamed
from bot.errors import Refused
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting import help_message
from bot.presenting.help_message import Reach, Topic, topic_name, topic_of
from bot.requests.options.table import FIELDS


def make_help(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""
    steps, cfg, images = (widest(services, FIELDS[name]) for name in ("steps", "cfg", "images"))
    reach = Reach(steps=int(steps), cfg=cfg, images=int(images))

    @app_commands.command(name=localized("name-help"), description=localized("command-help"))
    @app_commands.rename(**renamed("topic"))
    @app_commands.describe(topic=localized("option-topic"))
    async def help_(interaction: Interaction, topic: Range[str, 1, 40] | None = None) -> None:
        wanted = Topic.START if topic is None else topic_of(topic)
        if wanted is None:
            known = ", ".join(topic_name(known) for known in _topics_for(interaction))
            raise Refused("refused-topic", topic=topic or "", known=known)
        page = help_message.help_page(
            wanted,
            reach=reach,
            models=tuple(services.catalogue.models.values()),
            default_key=services.catalogue.default_key,
        )
        await answer_privately(interaction, view=page)

    async def topics(interaction: Interaction, current: str) -> list[Choice[str]]:
        return matching(current, [(topic_name(topic), topic.value) for topic in _topics_for(interaction)])

    suggest(services, help_, "topic", topics)
    return help_


def _topics_for(interaction: Interaction) -> list[Topic]:
    """The topics to suggest. Topics for admins are suggested only to members who manage the server."""
    is_admin = interaction.permissions.manage_guild
    return [topic for topic in Topic if is_admin or topic is not Topic.ADMINS]
