"""Nothing is made from a picture that the image check hid, whichever old or forged button asks for it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions import find_job as finding
from bot.interactions.find_job import find_job
from bot.interactions.own_pictures import pictures_of
from bot.jobs.image_checking import hidden_hit
from bot.presenting.admin import case_card
from bot.presenting.custom_ids import ABOUT_ANY_JOB, ABOUT_EXPANSIONS, MADE_FROM_ONE, Action, Press
from bot.presenting.refusal import sentence_of
from bot.store.rows.jobs import Job, JobStatus
from bot.views import keeping
from tests.bot.jobs.conftest import House
from tests.bot.jobs.conftest import open_house as open_house  # noqa: PLC0414 - a fixture, seen by these tests
from tests.bot.jobs.conftest import world as world  # noqa: PLC0414 - a fixture, seen by these tests
from tests.bot.store.conftest import new_job as new_job  # noqa: PLC0414 - a fixture, seen by these tests

OpenHouse = Callable[..., Awaitable[House]]


def pressing(job: Job, monkeypatch: pytest.MonkeyPatch) -> Interaction:
    """A press below the job's message."""
    monkeypatch.setattr(finding, "is_in_timeline", lambda *_: True)
    message = SimpleNamespace(id=job.message_id, flags=discord.MessageFlags())
    found = SimpleNamespace(
        guild_id=job.guild_id,
        channel_id=job.channel_id,
        message=message,
        user=SimpleNamespace(id=job.requester_id),
        is_guild_integration=lambda: True,
    )
    return cast("Interaction", found)


def test_every_button_of_a_picture_is_one_of_them() -> None:
    others = {Action.REROLL, Action.REMIX}  # both ask for the words again, and for no picture
    assert set(Action) - ABOUT_ANY_JOB - ABOUT_EXPANSIONS == MADE_FROM_ONE | others


@pytest.mark.parametrize("action", sorted(MADE_FROM_ONE))
async def test_nothing_is_made_from_a_hidden_picture(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    house = await open_house()
    house.work()
    hidden = await house.until(await house.ask("flagged"), JobStatus.FAILED)
    for index in (None, 0):
        with pytest.raises(Refused) as refused:
            await find_job(
                house.services, pressing(hidden, monkeypatch), Press(action=action, job_id=hidden.job_id, index=index)
            )
        assert sentence_of(refused.value).startswith("The safety filter hid that picture")
    # Of two pictures, the first is hidden.
    shown = await house.until(await house.ask("a cat"), JobStatus.SUCCEEDED)
    change = house.database.change
    await change("UPDATE jobs SET request = json_set(request, '$.num_images', 2) WHERE job_id = ?", (shown.job_id,))
    await change("UPDATE outputs SET output_index = 1 WHERE job_id = ?", (shown.job_id,))
    press = Press(action=action, job_id=shown.job_id, index=0)
    with pytest.raises(Refused, match="refused-hidden"):
        await find_job(house.services, pressing(shown, monkeypatch), press)
    press = Press(action=action, job_id=shown.job_id, index=1)
    assert (await find_job(house.services, pressing(shown, monkeypatch), press)).job_id == shown.job_id


@pytest.mark.parametrize("answer", [keeping.star, keeping.copy])
async def test_hidden_pictures_are_neither_kept_nor_sent(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch, answer: Callable[..., Awaitable[Any]]
) -> None:
    house = await open_house()
    house.work()
    hidden = await house.until(await house.ask("flagged"), JobStatus.FAILED)
    press = Press(action=Action.COPY, job_id=hidden.job_id, index=None)
    with pytest.raises(Refused, match="refused-no-pictures"):
        await answer(house.services, pressing(hidden, monkeypatch), press)
    with pytest.raises(Refused, match="refused-no-pictures"):  # the menu that upscales, remix and vary
        await pictures_of(house.services, hidden)


@pytest.mark.parametrize(("prompt", "is_hidden"), [("flagged in part", True), ("a cat", False)])
async def test_a_member_appeals_where_some_pictures_were_hidden(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch, prompt: str, *, is_hidden: bool
) -> None:
    house = await open_house()
    house.work()
    done = await house.until(await house.ask(prompt), JobStatus.SUCCEEDED)
    assert (f"easel:appeal:{done.job_id}" in house.said(done)) is is_hidden
    press = Press(action=Action.APPEAL, job_id=done.job_id, index=None)
    hit = hidden_hit(await find_job(house.services, pressing(done, monkeypatch), press))
    assert (hit is not None and hit.word) == (is_hidden and "sexual")
    if hit is not None:  # moderators read how sure the filter was
        await house.services.reviewing.appeal_hidden(done, hit, datetime.now(UTC), "en-US")
        (case,) = (await house.services.cases.waiting(done.guild_id, 9)).cases
        shown = case_card.card(await house.services.reviewing.card_of(case, datetime.now(UTC)))
        assert "took it for sexual. It was 93 % sure." in str(shown.to_components())
