"""`/imagine`: the form, its bounds and its suggestions."""

from typing import Any

from discord import app_commands
from discord.app_commands import Range

from bot.calls.answers import Interaction
from bot.commands.options import Bounds, add_style_suggestions, add_suggestions
from bot.commands.translating import localized, renamed
from bot.interactions import start_jobs
from bot.interactions.services import Services
from bot.requests.given import GivenRequest
from bot.requests.styles import find_style, styles_for
from pipeline.protocol import limits


def make_imagine(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command, with the widest bounds that any model of the catalogue has."""
    most = Bounds.of(services)

    @app_commands.command(name="imagine", description=localized("command-imagine"))
    @app_commands.rename(**renamed("negative", "steps", "size", "images", "model", "style"))
    @app_commands.describe(
        prompt=localized("option-prompt"),
        negative=localized("option-negative"),
        cfg=localized("option-cfg"),
        steps=localized("option-steps"),
        size=localized("option-size"),
        sampler=localized("option-sampler"),
        seed=localized("option-seed"),
        images=localized("option-images"),
        model=localized("option-model"),
        style=localized("option-style"),
    )
    async def imagine(
        interaction: Interaction,
        prompt: Range[str, 1, limits.MAX_PROMPT_LENGTH],
        negative: Range[str, 1, limits.MAX_PROMPT_LENGTH] | None = None,
        cfg: Range[float, limits.MIN_GUIDANCE_SCALE, most.cfg] | None = None,
        steps: Range[int, limits.MIN_STEPS, most.steps] | None = None,
        size: Range[str, 1, 20] | None = None,
        sampler: Range[str, 1, 40] | None = None,
        seed: Range[int, limits.MIN_SEED, limits.MAX_SEED] | None = None,
        images: Range[int, limits.MIN_IMAGES, most.images] | None = None,
        model: Range[str, 1, 100] | None = None,
        style: Range[str, 1, 100] | None = None,
    ) -> None:
        given = GivenRequest(
            prompt=prompt,
            negative_prompt=negative,
            guidance_scale=cfg,
            num_inference_steps=steps,
            size=size,
            scheduler_name=sampler,
            seed=seed,
            num_images=images,
            model_key=model,
            style=None if style is None else find_style(style, styles_for(services.backend.status)),
        )
        await start_jobs.imagine(services, interaction, given)

    add_suggestions(imagine, services)
    add_style_suggestions(imagine, services)
    return imagine
