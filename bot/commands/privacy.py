"""`/privacy`: members see, export and delete what Easel keeps about them. Every answer is private."""

from datetime import UTC, datetime
from typing import Any, Final

from discord import app_commands

from bot.calls.answers import Interaction
from bot.calls.repeating import as_files
from bot.commands.translating import localized
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting import privacy_message
from bot.presenting.privacy_message import Retention
from bot.presenting.texts import text

_MOST_PARTS: Final = 20
"""Most files of an export. Discord lets the answer grow for fifteen minutes."""
_MARGIN: Final = 64 * 1_024
"""Bytes of a message beside its file."""


def make_privacy(services: Services) -> app_commands.Group:
    """The group with its commands."""
    group = app_commands.Group(name="privacy", description=localized("command-privacy"))
    for make in (_make_show, _make_export, _make_delete):
        group.add_command(make(services))
    return group


def _make_show(services: Services) -> app_commands.Command[Any, ..., None]:
    settings = services.settings
    retention = Retention(
        images_days=settings.storage.keep_images_days,
        prompts_days=settings.privacy.keep_prompts_days,
        audit_days=settings.privacy.keep_audit_days,
        hits_days=settings.privacy.keep_hits_days,
        contact=settings.privacy.contact,
        policy_url=settings.privacy.policy_url,
    )

    @app_commands.command(name="show", description=localized("command-privacy-show"))
    async def show(interaction: Interaction) -> None:
        counts = await services.exporting.counts(interaction.user.id)
        await answer_privately(interaction, privacy_message.shown(counts, retention))

    return show


def _make_export(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="export", description=localized("command-privacy-export"))
    async def export(interaction: Interaction) -> None:
        services.exporting.begin(interaction.user.id, datetime.now(UTC))
        try:
            await services.calls.defer(interaction, is_private=True)
            await _send(services, interaction)
        except BaseException:
            services.exporting.give_back(interaction.user.id)
            raise

    return export


async def _send(services: Services, interaction: Interaction) -> None:
    """Send the parts, and say how many there are and what is not in them."""
    left_out: list[str] = []
    limit = interaction.filesize_limit - _MARGIN
    count = 0
    async for part in services.exporting.parts(interaction.user.id, limit, left_out):
        count += 1
        if count > _MOST_PARTS:
            await answer_privately(interaction, text("privacy-export-cut", count=_MOST_PARTS))
            return
        name = f"easel-{interaction.user.id}-{count}.zip"
        await answer_privately(interaction, text("privacy-export-part", count=count), files=as_files([(name, part)]))
    await answer_privately(interaction, text("privacy-export-done", count=count, left_out=len(left_out)))


def _make_delete(_: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="delete", description=localized("command-privacy-delete"))
    async def delete(interaction: Interaction) -> None:
        await answer_privately(interaction, view=privacy_message.choice())

    return delete
