"""`/admin block`, `unblock`, `pause` and `warn`."""

from typing import Any

import discord
import structlog
from discord import app_commands
from discord.app_commands import Range

from bot.calls.answers import Interaction
from bot.calls.errors import CallFailed
from bot.commands.admin.checks import Person, decision_of
from bot.commands.admin.parsing import parse_duration
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import sentences
from bot.presenting.escaping import escape
from bot.presenting.texts import text
from bot.store.members.servers import Decision

_MAX_REASON = 200
_MAX_JOBS = 1_000

_log = structlog.get_logger(__name__)


def make_block(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="block", description=localized("command-admin-block"))
    @app_commands.rename(duration="for")
    @app_commands.describe(
        user=localized("option-admin-user"),
        reason=localized("option-admin-reason-notified"),
        duration=localized("option-admin-for"),
    )
    async def block(
        interaction: Interaction,
        user: discord.User,
        reason: Range[str, 1, _MAX_REASON] | None = None,
        duration: Range[str, 1, 40] | None = None,
    ) -> None:
        if user.bot:
            raise Refused("refused-bot")
        by = decision_of(interaction, reason)
        until = None if duration is None else by.now + parse_duration(duration)
        # Cancelling and notifying call Discord. That may take longer than the three seconds for an answer.
        await services.calls.defer(interaction, is_private=True)
        await services.servers.block(by, user.id, until)
        cancelled = await cancel_all(services, by, user.id)
        server = interaction.guild.name if interaction.guild else ""
        is_notified = await _notify(services, user, sentences.blocked_notice(server, until, reason))
        await answer_privately(
            interaction, sentences.blocked(user.id, until, cancelled=cancelled, is_notified=is_notified)
        )

    return block


def make_unblock(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="unblock", description=localized("command-admin-unblock"))
    @app_commands.describe(user=localized("option-admin-user"))
    async def unblock(interaction: Interaction, user: discord.User) -> None:
        was_blocked = await services.servers.unblock(decision_of(interaction), user.id)
        key = "admin-unblocked" if was_blocked else "admin-not-blocked"
        await answer_privately(interaction, text(key, user_id=str(user.id)))

    return unblock


def make_warn(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="warn", description=localized("command-admin-warn"))
    @app_commands.describe(user=localized("option-admin-user"), reason=localized("option-admin-reason-notified"))
    async def warn(interaction: Interaction, user: discord.User, reason: Range[str, 1, _MAX_REASON]) -> None:
        if user.bot:
            raise Refused("refused-bot")
        await services.calls.defer(interaction, is_private=True)
        await services.cases.warn(decision_of(interaction, reason), user.id, reason)
        server = interaction.guild.name if interaction.guild else ""
        is_notified = await _notify(services, user, sentences.warned_notice(server, escape(reason)))
        await answer_privately(interaction, sentences.warned(user.id, is_notified=is_notified))

    return warn


def make_pause(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command: a block that must end, and that never makes another one shorter."""

    @app_commands.command(name="pause", description=localized("command-admin-pause"))
    @app_commands.rename(duration="for")
    @app_commands.describe(
        user=localized("option-admin-user"),
        duration=localized("option-admin-pause-for"),
        reason=localized("option-admin-reason-notified"),
    )
    async def pause(
        interaction: Interaction,
        user: discord.User,
        duration: Range[str, 1, 40],
        reason: Range[str, 1, _MAX_REASON] | None = None,
    ) -> None:
        if user.bot:
            raise Refused("refused-bot")
        by = decision_of(interaction, reason)
        length = parse_duration(duration)
        await services.calls.defer(interaction, is_private=True)
        until = await services.servers.pause(by, user.id, by.now + length)
        server = interaction.guild.name if interaction.guild else ""
        is_notified = await _notify(services, user, sentences.blocked_notice(server, until, reason))
        await answer_privately(interaction, sentences.blocked(user.id, until, cancelled=0, is_notified=is_notified))

    return pause


async def cancel_all(services: Services, by: Decision, user_id: int) -> int:
    """Cancel all open jobs of a blocked member; returns their number."""
    jobs = await services.queue.of_member(by.guild_id, user_id, _MAX_JOBS)
    return sum([await services.dispatcher.cancel(job, by.actor_id) for job in jobs])


async def _notify(services: Services, user: Person, sentence: str) -> bool:
    """Send a direct message; returns whether it arrived."""
    try:
        await services.calls.send_direct_message(user, sentence)
    except CallFailed as error:
        _log.info("direct message not sent", action="not_notified", user_id=user.id, error=repr(error))
        return False
    return True
