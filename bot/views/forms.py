"""Submitted forms: each is found by its custom id, so that a restart meanwhile does no harm."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import discord

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.replies import answered
from bot.interactions.services import Services
from bot.presenting import custom_ids
from bot.presenting.custom_ids import Action, Press
from bot.presenting.images.remix_form import PROMPT
from bot.views import cases, reference, refused, remix, reporting
from bot.views.animating import morphing
from bot.views.fields import Fields
from bot.views.inpainting import outpainting, region
from bot.words import clean_texts

ANSWERED: Final[Mapping[Action, Callable[[Services, Interaction, Press, Fields], Awaitable[None]]]] = MappingProxyType(
    {
        Action.REMIX: remix.answer,
        Action.MORPH: morphing.answer,
        Action.REGION: region.answer,
        Action.ZOOM_OUT: outpainting.answer_zoom,
    }
)


def is_form(interaction: Interaction) -> bool:
    """Whether an interaction is a submitted form."""
    return interaction.type is discord.InteractionType.modal_submit


async def answer_form(services: Services, interaction: Interaction) -> None:
    """Do what a submitted form asks for."""
    data: Any = clean_texts(interaction.data or {})
    fields = Fields.of(data, interaction)
    async with answered(interaction, prompt=fields.text(PROMPT)):
        custom_id = str(data.get("custom_id", ""))
        if (key := custom_ids.read_reference(custom_id)) is not None:
            await reference.answer(services, interaction, key, fields)
        elif (number := custom_ids.read_report(custom_id)) is not None:
            await reporting.answer(services, interaction, number, fields)
        elif (number := custom_ids.read_hit(custom_id)) is not None:
            await refused.change(services, interaction, number, fields)
        elif (number := custom_ids.read_except(custom_id)) is not None:
            await cases.add_exception(services, interaction, number, fields)
        elif (number := custom_ids.read_block(custom_id)) is not None:
            await cases.block_member(services, interaction, number, fields)
        else:
            press = custom_ids.read_press(custom_id)
            await ANSWERED.get(press.action, _refuse)(services, interaction, press, fields)


async def _refuse(_: Services, __: Interaction, ___: Press, ____: Fields) -> None:
    raise Refused("refused-unknown-job")
