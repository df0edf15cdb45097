"""Buttons of `/privacy delete`. The message is private, so whoever presses is its member."""

import re
from typing import Any, Final, Self, cast

import structlog
from discord import ui
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.calls.errors import CallFailed
from bot.interactions.replies import answered
from bot.interactions.services import Services
from bot.presenting import custom_ids, privacy_message
from bot.presenting.custom_ids import PrivacyAct
from bot.presenting.texts import text
from bot.store.rows.wishes import AskedBy, Scope

_ASKED: Final = {PrivacyAct.WORDS: Scope.WORDS, PrivacyAct.EVERYTHING: Scope.EVERYTHING}
_SURE: Final = {PrivacyAct.SURE_WORDS: Scope.WORDS, PrivacyAct.SURE_EVERYTHING: Scope.EVERYTHING}

_log = structlog.get_logger(__name__)


class PrivacyButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=custom_ids.PRIVACY_TEMPLATE):
    """A button of the two questions. Each press gets an answer."""

    def __init__(self, item: ui.Button[ui.LayoutView], act: PrivacyAct) -> None:
        super().__init__(item)
        self.act = act

    @override
    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        return cls(cast("ui.Button[ui.LayoutView]", item), PrivacyAct(match["act"]))

    @override
    async def callback(self, interaction: Interaction) -> None:
        async with answered(interaction) as services:
            await _answer(services, interaction, self.act)


async def _answer(services: Services, interaction: Interaction, act: PrivacyAct) -> None:
    if act in _ASKED:
        await services.calls.redraw(interaction, privacy_message.question(_ASKED[act]), [])
    elif act in _SURE:
        await services.calls.redraw(interaction, privacy_message.said(text("privacy-deleting")), [])
        forgotten = await services.forgetting.forget(interaction.user.id, _SURE[act], AskedBy.MEMBER)
        view = privacy_message.forgotten(forgotten.jobs, len(forgotten.cancelled))
        try:
            await services.calls.edit_answer(interaction, view)
        except CallFailed as error:
            _log.info("deletion not told", action="not_told", error=repr(error))
    else:
        await services.calls.redraw(interaction, privacy_message.said(text("privacy-kept")), [])
