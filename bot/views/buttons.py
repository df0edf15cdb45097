"""All buttons of Easel: one dynamic item that reads the custom id, and a table of actions."""

import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Self, cast

from discord import ui
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.interactions.replies import answered
from bot.interactions.services import Services
from bot.presenting import custom_ids
from bot.presenting.custom_ids import Action, Press
from bot.presenting.jobs.job_buttons import PANS
from bot.views import ending, expanding, keeping, remix, reporting, starting
from bot.views.animating import morphing
from bot.views.inpainting import outpainting, region

PRESSED: Final[Mapping[Action, Callable[[Services, Interaction, Press], Awaitable[None]]]] = MappingProxyType(
    {
        Action.REROLL: starting.reroll,
        Action.RETRY: starting.retry,
        Action.UPSCALE: starting.upscale,
        Action.VARY_SUBTLE: starting.vary_subtle,
        Action.VARY_STRONG: starting.vary_strong,
        Action.MAKING_OF: starting.making_of,
        Action.MORPH: morphing.open_form,
        Action.REMIX: remix.open_form,
        Action.REGION: region.open_form,
        Action.ZOOM_OUT: outpainting.open_zoom_form,
        Action.PAN: outpainting.open_pan_choice,
        **dict.fromkeys(PANS, outpainting.pan),
        Action.CANCEL: ending.cancel,
        Action.CANCEL_MINE: ending.cancel_mine,
        Action.COLLECT: keeping.collect,
        Action.DELETE: ending.delete,
        Action.STAR: keeping.star,
        Action.COPY: keeping.copy,
        Action.DETAILS: keeping.details,
        Action.APPEAL: reporting.appeal,
        Action.START: expanding.start,
        Action.DISMISS: expanding.dismiss,
        Action.LARGER: region.larger,
        Action.SMALLER: region.smaller,
        Action.INVERT: region.invert,
    }
)


class JobButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=custom_ids.TEMPLATE):
    """A button of a job or an expansion. Each press gets an answer."""

    def __init__(self, item: ui.Button[ui.LayoutView], found: str) -> None:
        super().__init__(item)
        self.found = found

    @override
    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        return cls(cast("ui.Button[ui.LayoutView]", item), match[0])

    @override
    async def callback(self, interaction: Interaction) -> None:
        async with answered(interaction) as services:
            press = custom_ids.read_press(self.found)
            await PRESSED[press.action](services, interaction, press)
