"""`/admin channel`: where Easel may be used, and what holds there for those who say nothing else."""

from typing import Any

from discord import app_commands
from discord.app_commands import AppCommandChannel, AppCommandThread, Choice, Range

from bot.calls.answers import Interaction
from bot.commands.admin.checks import decision_of, guild_of
from bot.commands.options import Bounds, add_suggestions, checked_defaults
from bot.commands.translating import localized, renamed
from bot.errors import Refused
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import answers
from bot.store.rows import Preferences
from bot.store.servers import WHOLE_SERVER, ChannelRule
from pipeline.protocol import limits

_ALLOW = "allow"
_FORBID = "forbid"
_DEFAULT = "default"
_IS_ALLOWED = {_ALLOW: True, _FORBID: False}


def make_channel(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""
    most = Bounds.of(services)

    @app_commands.command(name="channel", description=localized("command-admin-channel"))
    @app_commands.rename(**renamed("negative", "steps", "size", "images", "model"))
    @app_commands.describe(
        use=localized("option-admin-use"),
        channel=localized("option-admin-channel"),
        model=localized("option-admin-default", option="model"),
        size=localized("option-admin-default", option="size"),
        steps=localized("option-admin-default", option="steps"),
        cfg=localized("option-admin-default", option="cfg"),
        sampler=localized("option-admin-default", option="sampler"),
        images=localized("option-admin-default", option="images"),
        negative=localized("option-admin-default", option="negative"),
        everywhere=localized("option-admin-everywhere"),
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
        model: Range[str, 1, 100] | None = None,
        size: Range[str, 1, 20] | None = None,
        steps: Range[int, limits.MIN_STEPS, most.steps] | None = None,
        cfg: Range[float, limits.MIN_GUIDANCE_SCALE, most.cfg] | None = None,
        sampler: Range[str, 1, 40] | None = None,
        images: Range[int, limits.MIN_IMAGES, most.images] | None = None,
        negative: Range[str, 1, limits.MAX_PROMPT_LENGTH] | None = None,
        everywhere: bool = False,  # noqa: FBT001, FBT002 - an option of a command, which Discord names
    ) -> None:
        if everywhere and (channel is not None or use in _IS_ALLOWED):
            raise Refused("refused-everywhere")
        defaults = Preferences(
            negative_prompt=negative,
            guidance_scale=cfg,
            num_inference_steps=steps,
            size=size,
            scheduler_name=sampler,
            num_images=images,
            model_key=model,
        )
        channel_id = WHOLE_SERVER if everywhere else channel.id if channel else (interaction.channel_id or 0)
        sentence = ""
        if use is not None or defaults != Preferences():
            rule = await _set(services, interaction, channel_id, use, defaults)
            sentence = answers.channel_set(channel_id, rule)
        rules = await services.servers.channels(guild_of(interaction))
        await answer_privately(interaction, answers.channel_rules(rules, sentence))

    add_suggestions(channel_, services)
    return channel_


async def _set(
    services: Services, interaction: Interaction, channel_id: int, use: str | None, given: Preferences
) -> ChannelRule:
    """Change what was named and keep the rest; `default` forgets what was there."""
    before = (await services.servers.channels(guild_of(interaction))).get(channel_id, ChannelRule())
    if use == _DEFAULT:
        before = ChannelRule()
    rule = ChannelRule(
        is_allowed=before.is_allowed if use is None else _IS_ALLOWED.get(use),
        defaults=checked_defaults(services, given.or_else(before.defaults)),
    )
    await services.servers.set_channel(decision_of(interaction), channel_id, rule)
    return rule
