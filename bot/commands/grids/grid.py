"""`/grid`: the same picture with other values of one or two options, on one sheet."""

from functools import partial
from typing import Any, Final

import msgspec
from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.commands.options import add_style_suggestions, add_suggestions, with_options
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions.services import Services
from bot.interactions.start_jobs import ask_about_grid
from bot.requests.axes import read_axis
from bot.requests.given import GivenRequest
from bot.requests.options.table import OPTIONS, given_by
from bot.requests.styles import find_style, styles_for
from bot.store.rows.sheets import Axis, AxisName, Plan
from pipeline.protocol import limits
from pipeline.protocol.catalogue.models import ModelSpec

_OPTIONS: Final = tuple(
    option
    for option in OPTIONS
    if option.name in ("negative", "cfg", "steps", "size", "sampler", "seed", "model", "style")
)
"""The options of `/imagine` that are not about pictures or their number."""
_MAX_VALUES: Final = 1_000

Values = Range[str, 1, _MAX_VALUES]


def make_grid(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""
    axes = [Choice(name=name.value, value=name.value) for name in AxisName]

    @app_commands.command(name=localized("name-grid"), description=localized("command-grid"))
    @with_options(services, _OPTIONS, lambda option: localized(f"option-{option.name}"), at=5)
    @app_commands.choices(x=axes, y=axes)
    @app_commands.describe(
        prompt=localized("option-prompt"),
        x=localized("option-grid-x"),
        x_values=localized("option-grid-values"),
        y=localized("option-grid-y"),
        y_values=localized("option-grid-values"),
    )
    async def grid(
        interaction: Interaction,
        prompt: Range[str, 1, limits.MAX_PROMPT_LENGTH],
        x: str,
        x_values: Values,
        y: str | None = None,
        y_values: Values | None = None,
        **typed: str | float | None,
    ) -> None:
        fields = given_by(_OPTIONS, typed)
        style = fields.pop("style")
        if style is not None:
            fields["style"] = find_style(style, styles_for(services.backend.status))
        given = msgspec.structs.replace(GivenRequest(prompt=prompt), **fields)
        wanted = [(x, x_values)]
        if y is not None or y_values is not None:
            wanted.append((y or "", y_values or ""))
        await ask_about_grid(services, interaction, given, partial(_plan, services, prompt, wanted))

    add_suggestions(grid, services)
    add_style_suggestions(grid, services)
    return grid


def _plan(services: Services, prompt: str, wanted: list[tuple[str, str]], spec: ModelSpec) -> Plan:
    """The axes of a command.

    Raises:
        Refused: a value is none, or there are too many pictures.
    """
    most = services.settings.prompts.max_cells
    axes: list[Axis] = []
    for name, values in wanted:
        if name not in list(AxisName) or not values:
            raise Refused("refused-grid-axis", known=", ".join(AxisName))
        axes.append(read_axis(AxisName(name), values, spec, services.catalogue, most))
    if len(axes) == 2 and axes[0].name is axes[1].name:  # noqa: PLR2004 - x and y
        raise Refused("refused-grid-twice", axis=axes[0].name)
    plan = Plan(prompt=prompt, x=axes[0], y=axes[1] if len(axes) > 1 else None)
    if plan.count > most:
        raise Refused("refused-grid-many", count=plan.count, most=most)
    return plan
