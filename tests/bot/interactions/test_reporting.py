"""*Easel: report* where there are no moderators."""

from types import SimpleNamespace
from typing import cast

import pytest

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.reporting import job_to_report
from bot.interactions.services import Services
from bot.presenting.refusal import sentence_of
from config.settings import PrivacySettings, Settings


@pytest.mark.parametrize(("contact", "end"), [("", "tell those who run this place."), ("Ann", "this Easel: Ann")])
async def test_without_moderators_discords_own_report_and_the_owners_contact_are_named(
    settings: Settings, contact: str, end: str
) -> None:
    settings = settings.model_copy(update={"privacy": PrivacySettings(contact=contact)})
    services = cast("Services", SimpleNamespace(settings=settings))
    nowhere = cast("Interaction", SimpleNamespace(guild_id=None, is_guild_integration=lambda: False))
    with pytest.raises(Refused) as refused:
        await job_to_report(services, nowhere, None)
    told = sentence_of(refused.value)
    assert "Use “Report Message” of Discord" in told
    assert told.endswith(end)
