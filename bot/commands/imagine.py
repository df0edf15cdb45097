"""`/imagine`: the form, its bounds and its suggestions."""

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range

from bot.commands.asking import ask
from bot.jobs.given import GivenRequest
from bot.jobs.resolving import SIZES, resolve, sampler_names
from bot.presenting.texts import text
from bot.services import Services
from bot.store.rows import JobKind
from pipeline.protocol import limits

MAX_CHOICES = 25
"""Discord's limit of suggestions."""

Interaction = discord.Interaction[discord.Client]


def make_imagine(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command, with the widest bounds that any model of the catalogue has."""
    specs = services.catalogue.models.values()
    max_steps = min(services.settings.limits.max_steps, max(spec.bounds.max_steps for spec in specs))
    max_cfg = max(spec.bounds.max_cfg for spec in specs)
    max_images = min(services.settings.limits.max_images, max(spec.bounds.max_images for spec in specs))

    @app_commands.command(name="imagine", description=text("command-imagine"))
    @app_commands.describe(
        prompt=text("option-prompt"),
        negative=text("option-negative"),
        cfg=text("option-cfg"),
        steps=text("option-steps"),
        size=text("option-size"),
        sampler=text("option-sampler"),
        seed=text("option-seed"),
        images=text("option-images"),
        model=text("option-model"),
    )
    async def imagine(
        interaction: Interaction,
        prompt: Range[str, 1, limits.MAX_PROMPT_LENGTH],
        negative: Range[str, 1, limits.MAX_PROMPT_LENGTH] | None = None,
        cfg: Range[float, limits.MIN_GUIDANCE_SCALE, max_cfg] | None = None,
        steps: Range[int, limits.MIN_STEPS, max_steps] | None = None,
        size: Range[str, 1, 20] | None = None,
        sampler: Range[str, 1, 40] | None = None,
        seed: Range[int, limits.MIN_SEED, limits.MAX_SEED] | None = None,
        images: Range[int, limits.MIN_IMAGES, max_images] | None = None,
        model: Range[str, 1, 100] | None = None,
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
        )
        resolved = resolve(given, catalogue=services.catalogue, limits=services.settings.limits)
        await ask(services, interaction, kind=JobKind.IMAGINE, request=resolved.request, notices=resolved.notices)

    _add_suggestions(imagine, services)
    return imagine


def _add_suggestions(command: app_commands.Command[Any, ..., None], services: Services) -> None:
    """Autocomplete for the options whose values are names."""

    async def sizes(_: Interaction, current: str) -> list[Choice[str]]:
        return _matching(current, [(f"{name} ({ratio})", name) for name, ratio in SIZES.items()])

    async def models(_: Interaction, current: str) -> list[Choice[str]]:
        return _matching(current, [(spec.title, spec.key) for spec in services.catalogue.models.values()])

    async def samplers(interaction: Interaction, current: str) -> list[Choice[str]]:
        key = getattr(interaction.namespace, "model", None)
        spec = services.catalogue.models.get(str(key), services.catalogue.default)
        return _matching(current, [(name, name) for name in sampler_names(spec)])

    command.autocomplete("size")(sizes)
    command.autocomplete("model")(models)
    command.autocomplete("sampler")(samplers)


def _matching(current: str, names: list[tuple[str, str]]) -> list[Choice[str]]:
    """What contains the typed letters, in the order of the list."""
    wanted = current.strip().casefold()
    return [Choice(name=shown, value=value) for shown, value in names if wanted in shown.casefold()][:MAX_CHOICES]
