"""How one lives in the page: what is done while it is busy, where it opens, what it follows, whose messages it has."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from playground.bridge.media import QuickLook, still
from tests.end_to_end.browser import CHROMIUM
from tests.playground.acting import as_bot, open_on, type_command

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

    from playground import LocalDiscord

needs_a_bot = [
    pytest.mark.browser,
    pytest.mark.usefixtures("bot"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs chromium"),
]
IS_AT_THE_END = "(list) => list.scrollHeight - list.scrollTop - list.clientHeight <= 1 && list.scrollTop > 0"


def in_page(test: object) -> object:
    """Mark a test that needs the painter and a browser."""
    for mark in needs_a_bot:
        test = mark(test)
    return test


class Held:
    """The page's next action, under way until it is let go."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._is_free = asyncio.Event()
        self.kinds: list[str] = []

    async def begin(self) -> None:
        """Let the page be busy with its new size."""
        await self.pass_by()
        async with self._page.expect_request("**/api/action"):
            await self._page.set_viewport_size({"width": 1000, "height": 700})

    async def pass_by(self) -> None:
        """Hold whatever comes."""
        await self._page.route("**/api/action", self._pass_on)

    async def _pass_on(self, route: Route) -> None:
        self.kinds.append((route.request.post_data_json or {})["kind"])
        await self._is_free.wait()
        await route.continue_()

    def end(self) -> None:
        """Let it go on."""
        self._is_free.set()


def painted(local: LocalDiscord, words: str) -> int:
    """How many messages show a finished picture of these words."""
    return sum(words in str(message["components"]) for message in local.messages())


@in_page
async def test_enter_while_the_page_is_busy_is_done_once(page: Page, local: LocalDiscord) -> None:
    await open_on(page, local)
    await page.wait_for_load_state("networkidle")
    await type_command(page, "paint", "an apple")
    held = Held(page)
    await held.begin()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    assert painted(local, "an apple") == 0
    held.end()
    await page.locator("#channel-message-list").get_by_text("an apple (square)").wait_for()
    await page.wait_for_load_state("networkidle")
    assert held.kinds.count("run_command") == 1
    assert painted(local, "an apple") == 1


@in_page
@pytest.mark.parametrize("is_pasted", [False, True])
async def test_a_whole_command_may_be_typed_or_pasted_at_once(
    page: Page, local: LocalDiscord, *, is_pasted: bool
) -> None:
    await open_on(page, local)
    await page.wait_for_load_state("networkidle")
    await page.locator("#channel-composer-input").click()
    await (page.keyboard.insert_text if is_pasted else page.keyboard.type)("/paint a red apple")
    await page.keyboard.press("Enter")
    await page.locator("#channel-message-list").get_by_text("a red apple (square)").wait_for()


@in_page
async def test_a_message_and_a_button_while_the_page_is_busy_are_done_in_their_order(
    page: Page, local: LocalDiscord
) -> None:
    await open_on(page, local)
    await local.member.slash(local.channel, "paint", prompt="an apple")
    await page.locator("#channel-message-list").get_by_role("button", name="Make it green").wait_for()
    held = Held(page)
    await held.begin()
    await page.locator("#channel-composer-input").fill("hello")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    # By force: the page greys its buttons while it is busy, which keeps nobody from pressing them.
    await page.locator("#channel-message-list").get_by_role("button", name="Make it green").click(force=True)
    held.end()
    await local.wait_for_message(lambda message: "green.png" in str(message["attachments"]))
    assert [message["content"] for message in local.messages()].count("hello") == 1
    assert held.kinds.index("send_message") < held.kinds.index("click")


@in_page
async def test_a_double_click_is_one_press(page: Page, local: LocalDiscord) -> None:
    await open_on(page, local)
    await local.member.slash(local.channel, "paint", prompt="an apple")
    button = page.locator("#channel-message-list").get_by_role("button", name="Make it green")
    await button.wait_for()
    await page.wait_for_load_state("networkidle")
    held = Held(page)
    await held.pass_by()
    await button.dblclick(force=True)
    held.end()
    await local.wait_for_message(lambda message: "green.png" in str(message["attachments"]))
    await local.friend.send(local.channel, "and then")
    await page.get_by_text("and then").last.wait_for()
    assert held.kinds == ["click"]


@in_page
async def test_it_opens_at_the_newest_message_and_comes_back_for_ones_own_command(
    page: Page, local: LocalDiscord
) -> None:
    for number in range(60):
        await local.friend.send(local.channel, f"line {number}")
    await open_on(page, local)
    timeline = page.locator("#channel-timeline")
    await page.get_by_text("line 59").last.wait_for()
    await page.wait_for_function(IS_AT_THE_END, arg=await timeline.element_handle())
    # Whoever reads what was is not disturbed by others.
    await timeline.hover()
    await page.mouse.wheel(0, -1_000)
    await page.wait_for_function(f"(list) => !({IS_AT_THE_END})(list)", arg=await timeline.element_handle())
    await local.friend.send(local.channel, "a new line")
    await page.locator("#new-messages").wait_for()
    assert not await timeline.evaluate(IS_AT_THE_END)
    await type_command(page, "paint", "an apple")
    await page.keyboard.press("Enter")
    await page.locator("#channel-message-list").get_by_text("an apple (square)").wait_for()
    await page.locator("#channel-message-list img").last.wait_for()
    await page.wait_for_function(IS_AT_THE_END, arg=await timeline.element_handle())


@in_page
async def test_a_picture_stays_until_the_next_one_is_there(page: Page, local: LocalDiscord) -> None:
    await open_on(page, local)
    await local.member.slash(local.channel, "paint", prompt="an apple")
    messages = page.locator("#channel-message-list")
    image = messages.locator(".media-lightbox-trigger img")
    is_decoded = "(image) => image.naturalWidth > 0"
    await page.wait_for_function(is_decoded, arg=await image.element_handle())
    before = await image.get_attribute("src")
    is_free = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_free.wait()
        await route.continue_()

    await page.route("**/api/assets/*", hold)
    await messages.get_by_role("button", name="Make it green").click()
    await messages.get_by_text("Now green").wait_for()
    assert await image.evaluate(is_decoded)
    assert await image.get_attribute("src") == before
    is_free.set()
    await page.wait_for_function(
        "([image, before]) => image.src !== before", arg=[await image.element_handle(), before]
    )


@in_page
async def test_direct_messages_are_seen_by_their_person_alone(page: Page, local: LocalDiscord) -> None:
    await open_on(page, local)
    button, messages = page.locator("#direct-messages"), page.locator("#channel-message-list")
    assert await button.is_hidden()
    channel = await as_bot(local, "POST", "/users/@me/channels", {"recipient_id": str(local.member.id)})
    remix = {"type": 2, "id": 2, "style": 2, "label": "Remix", "custom_id": "remix"}
    row = {"type": 1, "id": 1, "components": [remix]}
    body = {"content": "Your pictures, Mia", "components": [row]}
    await as_bot(local, "POST", f"/channels/{channel['id']}/messages", body)
    await button.get_by_text("(1)").click()
    await messages.get_by_text("Your pictures, Mia").wait_for()
    await messages.get_by_role("button", name="Remix").click()
    await page.get_by_role("dialog").get_by_text("Remix").first.wait_for()
    await page.keyboard.press("Escape")
    await page.locator("#viewer-picker").select_option(label="Finn (friend)")
    await page.get_by_text("Ask Easel for a picture").first.wait_for()
    assert await button.is_hidden()
    await page.locator("#viewer-picker").select_option(label="Mia (member)")
    await button.click()
    await messages.get_by_text("Your pictures, Mia").wait_for()
    await page.get_by_role("button", name="Back to the channel").click()
    await page.get_by_text("Ask Easel for a picture").first.wait_for()


@in_page
async def test_the_bot_has_a_face_and_what_authors_need_is_hidden(page: Page, local: LocalDiscord) -> None:
    await open_on(page, local)
    await local.member.slash(local.channel, "hello")
    face = page.locator("#channel-message-list .message-avatar img")
    await page.wait_for_function("(image) => image.naturalWidth === 256", arg=await face.element_handle())
    for name in ("Inspector", "Refresh preview", "Capture"):
        assert await page.get_by_role("button", name=name).count() == 0


def picture(kind: str, *, orientation: int = 1, frames: int = 1) -> bytes:
    """A picture file of 12 by 8 pixels."""
    stills = [Image.new("RGB", (12, 8), (200 * number, 0, 0)) for number in range(frames)]
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    extra = {"save_all": True, "append_images": stills[1:]} if frames > 1 else {}
    stills[0].save(buffer, kind, exif=exif, **extra)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_still_picture_goes_to_the_browser_as_it_is(kind: str) -> None:
    """No process, no decoding and no second copy: forty of them cost milliseconds."""
    blob = picture(kind)
    info = await QuickLook().validate("key", blob)
    assert info.normalized is blob
    assert (info.width, info.height, info.content_type) == (12, 8, f"image/{kind.lower()}")


@pytest.mark.parametrize(
    ("blob", "size"),
    [
        (picture("JPEG", orientation=6), (8, 12)),
        (picture("PNG", orientation=6), (8, 12)),
        (picture("WEBP", frames=2), (12, 8)),
        (picture("GIF", frames=2), (12, 8)),
    ],
)
async def test_what_a_header_does_not_tell_is_looked_at_thoroughly(blob: bytes, size: tuple[int, int]) -> None:
    assert still(blob) is None
    info = await QuickLook().validate("key", blob)
    assert (info.width, info.height) == size
