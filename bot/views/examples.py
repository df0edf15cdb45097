"""`Try it`: the button of an example in `/help`. It runs the example like a typed prompt."""

import re
from typing import Any, Self, cast

from discord import ui
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions import start_jobs
from bot.interactions.replies import answered
from bot.presenting import custom_ids
from bot.presenting.help_message import EXAMPLES
from bot.requests.given import GivenRequest


class ExampleButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=custom_ids.EXAMPLE_TEMPLATE):
    """A button of one example. Each press gets an answer."""

    def __init__(self, item: ui.Button[ui.LayoutView], number: int) -> None:
        super().__init__(item)
        self.number = number

    @override
    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        return cls(cast("ui.Button[ui.LayoutView]", item), int(match["number"]))

    @override
    async def callback(self, interaction: Interaction) -> None:
        async with answered(interaction) as services:
            await start_jobs.imagine(services, interaction, _example(self.number))


def _example(number: int) -> GivenRequest:
    """The request of an example.

    Raises:
        Refused: this Easel has no example of this number.
    """
    if number >= len(EXAMPLES):
        raise Refused("refused-example-gone")
    return GivenRequest(prompt=EXAMPLES[number])
