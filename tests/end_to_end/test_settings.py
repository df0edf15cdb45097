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


def private(result: Any) -> Any:
    """The answer that only the one who asked sees."""
    assert result.response is not None
    assert result.response.ephemeral
    return result.response


async def said(actor: Any, where: Any, command: str, /, **options: Any) -> str:
    return str(private(await actor.slash(where, command, **options)).content)


async def test_everybody_reads_their_own_language(local: LocalDiscord, start_bot: StartBot) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="9")
    await bot.start()
    local.member.speak("de")
    local.friend.speak("pt-BR")
    member, studio = local.member, local.channel
    assert "**Heute noch 9 von 9.**" in await said(member, studio, "quota")
    assert "**9 of 9 left today.**" in await said(local.friend, studio, "quota")
    assert "„huge“ ist keine Größe." in await said(member, studio, "imagine", prompt="ein Apfel", size="huge")
    await member.slash(studio, "imagine", prompt="a red Apfel", steps=4)
    done = await local.wait_for_message(lambda message: "seed " in str(message["components"]), 90)
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


async def test_help_is_read_in_ones_language_and_its_examples_run(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="1")
    await bot.start()
    local.friend.speak("de")
    member, friend, studio = local.member, local.friend, local.channel

    async def names(actor: Any, typed: str) -> list[str]:
        return [choice["name"] for choice in await actor.autocomplete(studio, "help", "topic", typed)]

    assert await names(member, "o") == [
        "Prompts",
        "Words",
        "Options",
        "Buttons",
        "Quota and queue",
        "Models",
        "Coming from Midjourney",
    ]
    assert "For admins" not in await names(member, "")
    assert "For admins" in await names(local.admin, "")
    assert await names(friend, "knö") == ["Knöpfe"]
    german = str(private(await friend.slash(studio, "help", topic="knöpfe")).components)
    assert "Buttons" not in german
    assert "Knöpfe werden nie alt" in german
    refused = await said(member, studio, "help", topic="cooking @everyone")
    assert refused.startswith("There is no help about “cooking \\@everyone”. Choose one of: First steps, Prompts,")
    shown = private(await member.slash(studio, "help"))
    await member.click(shown, custom_id="easel-example:1")
    drawn = await local.wait_for_message(lambda message: "two yellow stars" in str(message["components"]))
    assert f"<@{member.id}>" in str(drawn["components"])
    again = private(await member.click(shown, custom_id="easel-example:0"))
    assert "you have 0 of 1 left" in again.content
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        assert connection.execute("SELECT started_by, requester_id FROM jobs").fetchall() == [("imagine", member.id)]
    assert "Traceback" not in bot.log


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
    told = await said(local.admin, studio, "admin channel", everywhere=True, size="square", cfg=4.0)
    assert "Whole server: pictures as usual; defaults: CFG 4.0, size square" in told.replace("\\", "")
    refused = await said(local.admin, studio, "admin channel", everywhere=True, use="forbid")
    assert "cannot be set together with a channel" in refused
    assert "set the server to default" in await said(local.admin, studio, "admin audit")
    await member.slash(studio, "imagine", prompt="a star in the studio")
    await member.slash(studio, "imagine", prompt="a star in the studio --ar 1:1", steps=5)
    await member.slash(local.lounge, "imagine", prompt="a star in the lounge")
    await local.friend.slash(local.lounge, "imagine", prompt="a star of somebody")
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        requests = [json.loads(row[0]) for row in connection.execute("SELECT request FROM jobs ORDER BY job_id")]
    drawn = [(item["num_inference_steps"], item["width"], item["height"]) for item in requests]
    assert drawn == [(7, 64, 112), (5, 64, 64), (9, 64, 112), (20, 64, 64)]
    assert {item["guidance_scale"] for item in requests} == {4.0}
    asked = next(message for message in local.messages() if "in the studio" in str(message["components"]))
    explained = await local.friend.context_menu(studio, "Easel: details", asked)
    lines = str(private(explained).components).replace("\\", "")
    assert "The member's own defaults: " in lines
    assert "The server's defaults: CFG 4.0" in lines
    assert "What a command says comes first, then the channel's defaults" in lines
    assert "You have no defaults of your own." in await said(member, studio, "settings", clear=True)
