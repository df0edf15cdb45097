"""What admins decide, from the command to what members notice."""

import csv
import io
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from playground import LocalDiscord

StartBot = Callable[..., Any]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


async def said(actor: Any, where: Any, command: str, /, **options: Any) -> str:
    """What a command answers, privately."""
    result = await actor.slash(where, command, **options)
    assert result.response is not None
    assert result.response.ephemeral or not result.response.content
    return str(result.response.content)


def rows(tmp_path: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
async def bot(start_bot: StartBot) -> Any:
    """Jobs are taken and never start, since it has nothing to draw with yet when they are asked for."""
    started = start_bot(EASEL_QUOTAS__AMOUNT="10")
    await started.start()
    return started


@pytest.mark.usefixtures("bot")
async def test_quotas_are_set_granted_reset_and_shown(local: LocalDiscord, tmp_path: Path) -> None:
    admin, member, studio = local.admin, local.member, local.channel
    mia = f"<@{member.id}>"
    answer = await said(admin, studio, "admin quota set", amount="3", period="week", user=member)
    assert answer == f"{mia} has a rule of their own now: 3 a week."
    assert "**3 of 3 left this week.**" in await said(member, studio, "quota")
    assert "**10 of 10 left today.**" in await said(local.friend, studio, "quota")
    answer = await said(
        admin, studio, "admin quota grant", user=member, amount=2, expires="7d", reason="birth\ud83cday"
    )
    assert answer.startswith(f"{mia} has a bonus of 2, used before their quota. It ends <t:")
    await member.slash(studio, "imagine", prompt="four", images=4)
    quota = await said(member, studio, "quota")
    assert "**1 of 3 left this week.**" in quota
    assert "In flight: 4." in quota
    shown = await said(admin, studio, "admin quota show", user=member)
    assert f"{mia} may use 3 a week, by a rule of their own." in shown
    assert "job 1: 4 reserved" in shown
    assert f"bonus of 2 from <@{admin.id}> (“birthday”)" in shown
    assert "used nothing in this period" in await said(admin, studio, "admin quota reset", user=member)
    assert "“many” is no amount" in await said(admin, studio, "admin quota set", amount="many", period="day")
    answer = await said(admin, studio, "admin quota grant", user=member, amount=2, expires="soon")
    assert "“soon” is no duration" in answer
    await said(admin, studio, "admin quota set", amount="default", period="day", user=member)
    assert "left today.**" in await said(member, studio, "quota")
    await said(admin, studio, "admin quota pool", amount="1", period="day")
    refused = await said(local.friend, studio, "imagine", prompt="two", images=2)
    assert "more than is left of what all members of this server may use together" in refused
    audit = await said(admin, studio, "admin audit")
    assert audit.count("\n") == 4
    assert f"gave {mia} a bonus of 2" in audit
    assert rows(tmp_path, "SELECT DISTINCT actor_id FROM audit") == [(admin.id,)]


@pytest.mark.usefixtures("bot")
async def test_a_block_a_channel_and_a_drained_queue_are_obeyed(local: LocalDiscord) -> None:
    admin, member, studio = local.admin, local.member, local.channel
    await member.slash(studio, "imagine", prompt="one of an abuser")
    await member.slash(studio, "imagine", prompt="another star")
    kept = await local.friend.slash(studio, "imagine", prompt="somebody's star")
    assert await said(admin, studio, "admin block", user=member, reason="spam", **{"for": "2d"}) == ""
    blocked = await local.wait_for_message(lambda message: "may ask for nothing" in message["content"], viewer=admin)
    assert "Their 2 jobs under way are cancelled. They were told." in blocked["content"]
    ends = sorted("Cancelled by" in str(message["components"]) for message in local.messages())
    assert ends == [False, True, True]
    assert kept.response is not None
    told = await local.wait_for_message(lambda _: True, channel=member.user.dm_channel)
    assert "You may not use Easel in Easel playground for now" in told["content"]
    assert "The reason given: spam" in told["content"]
    refused = await said(member, studio, "imagine", prompt="a cat")
    assert "You may not use Easel in this server; that ends <t:" in refused
    assert "Your prompt: a cat" in refused
    assert "may ask again" in await said(admin, studio, "admin unblock", user=member)

    answer = await said(admin, studio, "admin channel", use="forbid", channel=studio)
    assert f"<#{studio.id}>: forbidden" in answer
    assert "Easel may not be used in this channel" in await said(member, studio, "imagine", prompt="a cat")
    answer = await said(admin, studio, "admin channel", use="allow", model="Pocket", steps=7, size="wide")
    assert "allowed; defaults: steps 7, size wide, model pocket" in answer
    answer = await said(admin, studio, "admin channel", content="strict")
    assert "allowed; defaults: steps 7, size wide, model pocket; only harmless pictures" in answer
    refused = await said(admin, studio, "admin channel", size="huge")
    assert "“huge” is no size" in refused
    assert "Easel may not be used in this channel" in await said(member, local.lounge, "imagine", prompt="a cat")

    assert "draining: no new jobs are taken" in await said(admin, studio, "admin queue", action="drain")
    assert "Easel takes no new jobs in this server for now" in await said(member, studio, "imagine", prompt="a cat")


async def test_a_paused_queue_takes_jobs_and_starts_none(local: LocalDiscord, bot: Any, tmp_path: Path) -> None:
    admin, member, studio = local.admin, local.member, local.channel
    await said(admin, studio, "admin channel", channel=studio, steps=7, images=1)
    assert "paused: jobs are taken" in await said(admin, studio, "admin queue", action="pause")
    for number in range(3):
        await member.slash(studio, "imagine", prompt=f"star {number}")
    await bot.wait_for_log("worker ready")
    assert rows(tmp_path, "SELECT DISTINCT json_extract(request, '$.num_inference_steps') FROM jobs") == [(7,)]
    assert "3 waiting, 0 running" in await said(admin, studio, "admin queue")
    mine = await member.slash(studio, "queue")
    assert mine.response is not None
    await member.click(mine.response, custom_id="easel:cancel-mine:2")
    await local.wait_for_message(lambda message: "2 waiting, 0" in str(message["components"]), viewer=member)
    foreign = await local.friend.slash(studio, "queue")
    assert "You have no jobs in line." in str(foreign.response.components if foreign.response else "")
    await admin.slash(studio, "admin queue", cancel=3)
    await local.wait_for_message(lambda message: "Cancelled by" in str(message["components"]))
    assert "The queue is open" in await said(admin, studio, "admin queue", action="resume")
    await bot.wait_for_log("job delivered")
    assert rows(tmp_path, "SELECT status FROM jobs") == [("succeeded",), ("cancelled",), ("cancelled",)]

    await admin.slash(studio, "admin quota report", days=7)
    report = await local.wait_for_message(lambda message: len(message["attachments"]) == 2, 60, viewer=admin)
    assert "The last 7 days: 1 used by one member in one job." in report["content"]
    chart, table = [await local.fetch_cdn(found["url"]) for found in report["attachments"]]
    assert Image.open(io.BytesIO(chart)).width >= 600
    _, line = csv.reader(io.StringIO(table.decode("utf-8-sig")))
    assert line[1:] == [str(member.id), "Mia (member)", "pocket", "1", "1", "1"]
    status = await said(admin, studio, "admin status")
    assert "In the last hour: 0 of 3 jobs failed." in status


@pytest.mark.usefixtures("bot")
async def test_who_may_not_manage_the_server_is_refused_even_where_discord_shows_the_command(
    local: LocalDiscord, tmp_path: Path
) -> None:
    for commands in local._backend.commands.values():
        for command in commands.values():
            command["default_member_permissions"] = None
    for command, options in (
        ("admin quota set", {"amount": "unlimited", "period": "day"}),
        ("admin block", {"user": local.friend}),
        ("admin channel", {}),
        ("admin queue", {"action": "pause"}),
        ("admin status", {}),
        ("admin audit", {}),
        ("admin quota report", {}),
        ("admin quota show", {"user": local.friend}),
    ):
        answer = await said(local.member, local.channel, command, **options)
        assert answer == "This command is for those who may manage the server. Ask one of them.", command
    assert rows(tmp_path, "SELECT count(*) FROM audit") == [(0,)]
