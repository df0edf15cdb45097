"""The page in a real browser: it follows the bot by itself and lets one act."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.browser import CHROMIUM
from tests.playground.acting import as_bot, open_on, type_command

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

    from playground import LocalDiscord

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("bot"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs chromium"),
]


async def picture_shown(page: Page) -> tuple[int, int]:
    """Wait for a picture in a message and return the size that the browser decoded."""
    picture = page.locator("#channel-message-list img").last
    size = [0, 0]
    async with asyncio.timeout(60):
        while not size[0]:
            # Each publication may replace the element while its picture is still loading.
            size = await picture.evaluate("(image) => [image.naturalWidth, image.naturalHeight]")
            await asyncio.sleep(0.05)
    return size[0], size[1]


async def test_command_picture_and_button(page: Page, local: LocalDiscord) -> None:
    await open_on(page, local)
    await type_command(page, "paint", "an apple")
    await page.keyboard.press("Enter")
    messages = page.locator("#channel-message-list")
    await messages.get_by_text("an apple (square)").wait_for()
    assert await picture_shown(page) == (96, 64)
    await messages.get_by_role("button", name="Make it blue").click()
    await messages.get_by_text("Now blue").wait_for()


async def test_page_follows_by_itself(page: Page, local: LocalDiscord) -> None:
    """Somebody else's job is seen to progress without a click."""
    await open_on(page, local)
    await local.friend.slash(local.channel, "paint", prompt="a pear", seconds=3.0)
    messages = page.locator("#channel-message-list")
    for text in ("a pear: 0 %", "a pear: 50 %", "a pear (square)"):
        await messages.get_by_text(text).wait_for()


async def test_private_answer_and_switch_of_person(page: Page, local: LocalDiscord) -> None:
    await open_on(page, local)
    await local.member.slash(local.channel, "hello")
    messages = page.locator("#channel-message-list")
    await messages.get_by_text("Hello Mia (member)").wait_for()
    await page.locator("#viewer-picker").select_option(label="Finn (friend)")
    await messages.get_by_text("Hello Mia (member)").wait_for(state="hidden")


async def test_action_on_an_older_publication_counts(page: Page, local: LocalDiscord) -> None:
    """With a bot that edits all the time nobody could click if only the newest state counted."""
    await open_on(page, local)
    await local.member.slash(local.channel, "paint", prompt="an apple")
    messages = page.locator("#channel-message-list")
    button = messages.get_by_role("button", name="Make it green")
    await button.wait_for()
    # From here on the page knows nothing new, but the server goes on publishing.
    await page.route("**/api/state", lambda route: route.abort())
    for _ in range(3):
        await local.friend.send(local.channel, "chatter")
        await page.wait_for_timeout(250)
    await button.click()
    message = await local.wait_for_message(lambda m: "green.png" in str(m["attachments"]))
    assert message["attachments"][0]["filename"] == "green.png"


async def test_a_button_that_came_in_the_place_of_the_one_shown_is_not_pressed(
    page: Page, local: LocalDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancel pressed as its job ends must not press what stands there a moment later."""
    button = await _edited_button(page, local, monkeypatch, {"recolor:green": "recolor:gone"})
    async with page.expect_response("**/api/action") as pressed:
        await button.click()
    assert (await (await pressed.value).json())["rejected"]


async def test_a_button_that_moved_is_pressed_where_it_stands_now(
    page: Page, local: LocalDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queued job's Cancel moves down as the first preview comes in above it."""
    button = await _edited_button(page, local, monkeypatch, {"recolor:green": "remix", "remix": "recolor:green"})
    await button.click()
    await local.wait_for_message(lambda m: "green.png" in str(m["attachments"]))


async def _edited_button(
    page: Page, local: LocalDiscord, monkeypatch: pytest.MonkeyPatch, names: dict[str, str]
) -> Locator:
    """A button as the page shows it, in the moment after its message was edited, which is made to last."""
    await open_on(page, local)
    await local.member.slash(local.channel, "paint", prompt="an apple")
    button = page.locator("#channel-message-list").get_by_role("button", name="Make it green")
    await button.wait_for()
    message = await local.wait_for_message(lambda m: "recolor:green" in str(m["components"]))
    monkeypatch.setattr("playground.bridge.page.PUBLISH_DELAY_S", 3_600)
    await page.route("**/api/state", lambda route: route.abort())
    # A publication that is under way already is out by then, and the next is an hour away, or asked for in vain.
    await asyncio.sleep(1.0)
    await _edit_message(local, message, names)
    return button


async def _edit_message(local: LocalDiscord, message: dict[str, Any], names: dict[str, str]) -> None:
    """Edit a message as the bot would, with other custom ids on the same buttons."""

    def renamed(node: Any) -> Any:
        if isinstance(node, list):
            return [renamed(item) for item in node]
        if isinstance(node, dict):
            return {key: renamed(value) for key, value in node.items()}
        return names.get(node, node) if isinstance(node, str) else node

    path = f"/channels/{message['channel_id']}/messages/{message['id']}"
    await as_bot(local, "PATCH", path, {"components": renamed(message["components"])})
