"""A rule of the action `review`: a picture is drawn, and nobody but moderators sees it until they agree."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_admins import rows, said
from tests.end_to_end.test_reports import cards, word

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


async def held(local: LocalDiscord, prompt: str) -> dict[str, Any]:
    """The message of a drawn job that waits for a moderator, and that never showed a preview."""
    await local.member.slash(local.channel, "imagine", prompt=prompt, steps=20)
    async with asyncio.timeout(120):
        while True:
            (found,) = [each for each in local.messages() if prompt in str(each["components"])]
            assert found["attachments"] == []
            if "A moderator looks at it before" in str(found["components"]):
                return found
            await asyncio.sleep(0.01)


async def test_what_a_rule_wants_looked_at_is_shown_once_a_moderator_agrees(
    local: LocalDiscord, start_bot: Callable[..., BotProcess], tmp_path: Path
) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="10")
    await bot.start()
    await bot.wait_for_log("worker ready")
    admin, member, studio = local.admin, local.member, local.channel
    await admin.slash(studio, "admin channel", reports=local.lounge)
    answer = await said(admin, studio, "admin words add", word="star", action="review", reason="Ask first.")
    assert answer == "Rule 1: “star” is drawn, and shown once a moderator agrees."

    message = await held(local, "a star to look at")
    assert message["attachments"] == []
    assert "because of “star” (rule 1: Ask first)" in str(message["components"])
    assert "**9 of 10 left today.**" in await said(member, studio, "quota")
    assert "In flight: 1." in await said(member, studio, "quota")
    card = await cards(local, "**Held 1**")
    assert len(card["attachments"]) == 1
    # Nobody gets the picture by another door.
    for menu in ("Easel: details", "Easel: use as reference", "Easel: upscale", "Easel: report"):
        assert "A moderator decides first" in await word(await local.friend.context_menu(studio, menu, message)), menu

    # It waits over a restart.
    await bot.stop()
    await bot.start()
    await admin.click(card, custom_id="easel-case:show:1")
    shown = await local.wait_for_message(lambda found: found["id"] == message["id"] and found["attachments"], 120)
    assert "seed " in str(shown["components"])
    card = await cards(local, f"Shown, says <@{admin.id}>")
    assert card["attachments"] == []

    # What they do not agree to costs nothing and leaves no byte.
    before = {path.name for path in (tmp_path / "data" / "images").rglob("*.png")}
    message = await held(local, "another star to refuse")
    card = await cards(local, "**Held 2**")
    await admin.click(card, custom_id="easel-case:refuse:2")
    await local.wait_for_message(lambda found: "does not show it here" in str(found["components"]), 60)
    assert {path.name for path in (tmp_path / "data" / "images").rglob("*.png")} == before
    assert "**9 of 10 left today.**" in await said(member, studio, "quota")
    assert "In flight: 0." in await said(member, studio, "quota")

    # Its member may cancel it, which ends the case.
    message = await held(local, "a third star to cancel")
    await cards(local, "**Held 3**")
    await member.click(message, custom_id="easel:cancel:3")
    await local.wait_for_message(lambda found: "Cancelled." in str(found["components"]), 60)
    card = await cards(local, "Ended without a decision")
    assert card["attachments"] == []
    assert "easel-case:show" not in str(card["components"])
    outcomes = [row[0] for row in rows(tmp_path, "SELECT outcome FROM cases ORDER BY case_id")]
    assert outcomes == ["show", "refuse", "expired"]
    audit = await said(admin, studio, "admin audit")
    assert f"let job 1 of <@{member.id}> be shown" in audit
    assert f"did not let job 2 of <@{member.id}> be shown" in audit
