"""`/settings`, and which default comes first."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess

StartBot = Callable[..., BotProcess]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


async def said(actor: Any, where: Any, command: str, /, **options: Any) -> str:
    result = await actor.slash(where, command, **options)
    assert result.response is not None
    assert result.response.ephemeral
    return str(result.response.content)


async def test_everybody_reads_their_own_language(local: LocalDiscord, start_bot: StartBot) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="9")
    await bot.start()
    local.member.speak("de")
    local.friend.speak("pt-BR")
    member, studio = local.member, local.channel
    assert "**Heute noch 9 von 9.**" in await said(member, studio, "quota")
    assert "**9 of 9 left today.**" in await said(local.friend, studio, "quota")
    assert "„huge“ ist keine Größe." in await said(member, studio, "imagine", prompt="ein Apfel", size="huge")
    await member.slash(studio, "imagine", prompt="ein roter Apfel", steps=4)
    done = await local.wait_for_message(lambda message: "seed" in str(message["components"]), 90)
    shown = str(done["components"])
    assert "Für <@" in shown
    assert "Preis 1, noch 8" in shown
    assert "Variieren (stark)" in shown
    refused = await local.friend.click(done, label="Neuer Wurf")
    assert refused.response is not None
    assert "Reroll of" in str(refused.response.components)
    assert "Traceback" not in bot.log
    commands = {command["name"]: command for found in local._backend.commands.values() for command in found.values()}
    assert commands["queue"]["name_localizations"] == {"de": "reihe"}
    options = {option["name"]: option for option in commands["imagine"]["options"]}
    assert options["steps"]["name_localizations"] == {"de": "schritte"}
    assert options["steps"]["description_localizations"] == {"de": "Schritte: mehr ist langsamer und feiner"}


async def test_my_defaults_hold_where_nothing_else_does(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    member, studio = local.member, local.channel
    assert "You have no defaults of your own." in await said(member, studio, "settings")
    assert "“huge” is no size" in await said(member, studio, "settings", size="huge")
    answer = await said(member, studio, "settings", size="wide", steps=9, model="Pocket", ping=0)
    assert "Your defaults: steps 9, size wide, model pocket." in answer
    assert "You are not notified" in answer
    assert "Your defaults: steps 9, size tall, model pocket." in await said(member, studio, "settings", size="tall")
    await said(local.admin, studio, "admin channel", channel=studio, steps=7)
    await member.slash(studio, "imagine", prompt="in the studio")
    await member.slash(studio, "imagine", prompt="in the studio --ar 1:1", steps=5)
    await member.slash(local.lounge, "imagine", prompt="in the lounge")
    await local.friend.slash(local.lounge, "imagine", prompt="somebody else")
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        requests = [json.loads(row[0]) for row in connection.execute("SELECT request FROM jobs ORDER BY job_id")]
    drawn = [(item["num_inference_steps"], item["width"], item["height"]) for item in requests]
    assert drawn == [(7, 64, 112), (5, 64, 64), (9, 64, 112), (20, 64, 64)]
    assert "You have no defaults of your own." in await said(member, studio, "settings", clear=True)
