"""Buttons below a refusal by a rule of words: `✏️ Change`, and *This is wrong*. Only its member sees them."""

import re
from datetime import UTC, datetime
from typing import Any, Self, cast

from discord import ui
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.replies import answer_privately, answered
from bot.interactions.services import Services
from bot.interactions.start_job import asker_of, defaults_of
from bot.presenting import custom_ids
from bot.presenting.images.remix_form import change_form
from bot.presenting.texts import text
from bot.store.cases import MOST_APPEALS, AlreadyAppealed, TooManyAppeals
from bot.store.hits import StoredHit
from bot.store.rows.jobs import WantedJob
from bot.store.rows.origin import StartedBy
from bot.views.fields import Fields
from bot.views.remix import ask_changed
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest


class HitButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=custom_ids.HIT_TEMPLATE):
    """A button below a refusal. Each press gets an answer."""

    def __init__(self, item: ui.Button[ui.LayoutView], act: str, hit_id: int) -> None:
        super().__init__(item)
        self.act = act
        self.hit_id = hit_id

    @override
    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        return cls(cast("ui.Button[ui.LayoutView]", item), match["act"], int(match["hit_id"]))

    @override
    async def callback(self, interaction: Interaction) -> None:
        async with answered(interaction) as services:
            await (_open_form if self.act == "change" else _appeal)(services, interaction, self.hit_id)


async def change(services: Services, interaction: Interaction, hit_id: int, fields: Fields) -> None:
    """Ask for the request of a submitted form."""
    hit = await _hit(services, interaction, hit_id)
    request, _ = _drawn(services, hit)
    defaults = await defaults_of(services, asker_of(interaction))
    refused = WantedJob(request=request, defaults=defaults, notices=())
    await ask_changed(services, interaction, refused, fields, StartedBy.IMAGINE, None)


async def _open_form(services: Services, interaction: Interaction, hit_id: int) -> None:
    hit = await _hit(services, interaction, hit_id)
    request, spec = _drawn(services, hit)
    form_id = custom_ids.hit_button_id("change", hit_id)
    await services.calls.open_form(
        interaction, change_form(form_id, request, hit.prompt, spec, services.settings.limits)
    )


async def _appeal(services: Services, interaction: Interaction, hit_id: int) -> None:
    """Show the refusal to the moderators."""
    hit = await _hit(services, interaction, hit_id)
    await services.calls.defer(interaction, is_private=True, is_answered_later=True)
    try:
        is_shown = await services.reviewing.appeal(hit, datetime.now(UTC), str(interaction.guild_locale or ""))
    except AlreadyAppealed as error:
        raise Refused("refused-appeal-again") from error
    except TooManyAppeals as error:
        raise Refused("refused-appeal-often", most=MOST_APPEALS) from error
    await answer_privately(interaction, text("appeal-taken" if is_shown else "appeal-taken-unseen"))


async def _hit(services: Services, interaction: Interaction, hit_id: int) -> StoredHit:
    """The refusal of this member.

    Raises:
        Refused: it is not kept any more, or it is another member's.
    """
    hit = await services.hits.get(hit_id)
    if hit is None or hit.user_id != interaction.user.id:
        raise Refused("refused-hit-gone")
    return hit


def _drawn(services: Services, hit: StoredHit) -> tuple[GenerationRequest, ModelSpec]:
    """A refused request that a form can change, and its model.

    Raises:
        Refused: the owner does not offer the model any more.
    """
    request = hit.request
    spec = services.catalogue.models.get(request.model_key)
    if spec is None or not isinstance(request, GenerationRequest):
        raise Refused("refused-model-unavailable", model=request.model_key)
    return request, spec
