"""`/settings`: what holds for me where I say nothing else. Only the one who asks sees the answer."""

from typing import Any

from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.commands.options import Bounds, add_suggestions, checked_defaults
from bot.commands.translating import localized, renamed
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting import settings_message
from bot.store.rows import Preferences
from bot.store.user_settings import UserSettings
from pipeline.protocol import limits


def make_settings(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""
    most = Bounds.of(services)

    @app_commands.command(name=localized("name-settings"), description=localized("command-settings"))
    @app_commands.rename(**renamed("negative", "steps", "size", "images", "model"))
    @app_commands.describe(
        model=localized("option-my-default", option="model"),
        size=localized("option-my-default", option="size"),
        steps=localized("option-my-default", option="steps"),
        cfg=localized("option-my-default", option="cfg"),
        sampler=localized("option-my-default", option="sampler"),
        images=localized("option-my-default", option="images"),
        negative=localized("option-my-default", option="negative"),
        ping=localized("option-my-ping"),
        clear=localized("option-my-clear"),
    )
    @app_commands.choices(
        ping=[Choice(name=localized("choice-on"), value=1), Choice(name=localized("choice-off"), value=0)]
    )
    async def settings(
        interaction: Interaction,
        model: Range[str, 1, 100] | None = None,
        size: Range[str, 1, 20] | None = None,
        steps: Range[int, limits.MIN_STEPS, most.steps] | None = None,
        cfg: Range[float, limits.MIN_GUIDANCE_SCALE, most.cfg] | None = None,
        sampler: Range[str, 1, 40] | None = None,
        images: Range[int, limits.MIN_IMAGES, most.images] | None = None,
        negative: Range[str, 1, limits.MAX_PROMPT_LENGTH] | None = None,
        ping: int | None = None,
        clear: bool = False,  # noqa: FBT001, FBT002 - an option of a command, which Discord names
    ) -> None:
        given = Preferences(
            negative_prompt=negative,
            guidance_scale=cfg,
            num_inference_steps=steps,
            size=size,
            scheduler_name=sampler,
            num_images=images,
            model_key=model,
        )
        before = await services.user_settings.get(interaction.user.id)
        after = UserSettings() if clear else before
        defaults = checked_defaults(services, given.or_else(after.defaults))
        after = UserSettings(defaults=defaults, is_told=after.is_told if ping is None else bool(ping))
        if after != before:
            await services.user_settings.set(interaction.user.id, after)
        await answer_privately(interaction, settings_message.settings_lines(after, is_changed=after != before))

    add_suggestions(settings, services)
    return settings
