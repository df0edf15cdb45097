"""The local Discord refuses what Discord refuses."""

from typing import Any

import aiohttp
import pytest

from playground import LocalDiscord
from playground.limits import mistake_in

CALLBACK = "/interactions/1/a-token/callback"
MESSAGES = "/channels/1/messages"
COMMANDS = "/applications/1/commands"
COMMAND = {"name": "imagine", "description": "Draw", "type": 1}
RIGHT = {"name": "a name", "value": "a value"}


def choices(*items: dict[str, Any]) -> dict[str, Any]:
    return {"type": 8, "data": {"choices": [*items]}}


def option(**about: Any) -> dict[str, Any]:
    return {"name": "prompt", "description": "What", "type": 3, **about}


def button(**about: Any) -> dict[str, Any]:
    inner = {"type": 2, "style": 2, "custom_id": "x", **about}
    return {"components": [{"type": 17, "components": [{"type": 1, "components": [inner]}]}]}


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", CALLBACK, choices({**RIGHT, "name": "x" * 101}), "choices.0.name"),
        ("POST", CALLBACK, choices(RIGHT, {**RIGHT, "name": ""}), "choices.1.name"),
        ("POST", CALLBACK, choices({**RIGHT, "value": "x" * 101}), "choices.0.value"),
        ("POST", CALLBACK, choices(*[RIGHT] * 26), "25 or fewer"),
        ("PUT", COMMANDS, [{**COMMAND, "name": "Imagine"}], "name"),
        ("PUT", COMMANDS, [{**COMMAND, "name": "an image"}], "name"),
        ("PUT", COMMANDS, [{**COMMAND, "description": ""}], "description"),
        ("PUT", COMMANDS, [{**COMMAND, "description_localizations": {"de": "x" * 101}}], "description"),
        ("PUT", COMMANDS, [{**COMMAND, "options": [option(name=f"o{k}") for k in range(26)]}], "25 or fewer"),
        ("PUT", COMMANDS, [{**COMMAND, "options": [option(), option()]}], "unique"),
        ("PUT", COMMANDS, [{**COMMAND, "options": [option(), option(name="a", required=True)]}], "Required"),
        ("PUT", COMMANDS, [{**COMMAND, "options": [option(choices=[{**RIGHT, "name": "x" * 101}])]}], "choices.0"),
        ("PUT", COMMANDS, [{**COMMAND, "options": [option(options=[option(description="")])]}], "description"),
        ("POST", MESSAGES, {"nonce": "x" * 26}, "nonce"),
        ("POST", MESSAGES, {"attachments": [{"id": 0}] * 11}, "10 or fewer"),
        ("PATCH", MESSAGES + "/1", {"attachments": [{"id": 0, "description": "x" * 1_025}]}, "1024"),
        ("POST", MESSAGES, button(), "label or an emoji"),
        ("POST", CALLBACK, {"type": 4, "data": button()}, "label or an emoji"),
        (
            "POST",
            CALLBACK,
            {
                "type": 9,
                "data": {"components": [{"type": 18, "component": {"type": 4, "max_length": 3, "value": "four"}}]},
            },
            "3 or fewer",
        ),
    ],
)
def test_what_discord_takes_not_is_named(method: str, path: str, body: Any, words: str) -> None:
    assert words in (mistake_in(method, path, body, 0) or "")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", CALLBACK, choices(*[{"name": "x" * 100, "value": "y" * 100}] * 25)),
        ("POST", CALLBACK, choices()),
        ("PUT", COMMANDS, [{**COMMAND, "options": [option(required=True), option(name="größe")]}]),
        ("PUT", COMMANDS, [{"name": "Easel: details", "type": 3, "description": ""}]),
        ("POST", MESSAGES, {"content": "words", "nonce": "x" * 25}),
        ("POST", MESSAGES, button(label="Press")),
        ("POST", MESSAGES, button(emoji={"name": "⭐"})),
        ("GET", MESSAGES, None),
        ("DELETE", MESSAGES + "/1", None),
    ],
)
def test_what_discord_takes_is_taken(method: str, path: str, body: Any) -> None:
    assert mistake_in(method, path, body, 1) is None


async def test_on_the_wire_it_is_discords_refusal(local: LocalDiscord) -> None:
    headers = {"Authorization": f"Bot {local.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for description, status in (("Draw", 200), ("", 400)):
            body = [{**COMMAND, "description": description}]
            async with session.put(local.api_base_url + COMMANDS, json=body) as response:
                answer = await response.json()
                assert response.status == status
    assert answer["code"] == 50035
    assert "description" in str(answer["errors"])
