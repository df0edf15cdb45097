"""The message in every state, as a browser shows it.

With SAVE_SCREENSHOTS=1 they go to docs/images/states.png, to be looked at.
"""

import io
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING

import discord
import msgspec
import pytest
from discord import http
from PIL import Image

from bot.presenting.images import done_message
from bot.presenting.jobs.job_message import Allowance
from bot.presenting.jobs.output_files import ShownOutput
from config.catalogue import Catalogue
from pipeline.protocol.requests import GenerationRequest
from playground import LocalDiscord
from tests.end_to_end.browser import CHROMIUM, open_browser
from tests.example_jobs import example_job, states

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(400),  # a busy machine loads libraries slowly
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]

ROOT = Path(__file__).parents[2]
SHAPES = {"square": (256, 256), "wide": (512, 192), "tall": (192, 512)}
HOSTILE = "@everyone ||<@1>|| [a](https://example.org) `x` ```\n# big\n-# small **bold** :x: " + "word " * 80


@pytest.fixture
async def page() -> AsyncGenerator["Page"]:
    async with open_browser() as page:
        yield page


@pytest.fixture
async def client(local: LocalDiscord, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[discord.Client]:
    """A bot that can post."""
    monkeypatch.setattr(http.Route, "BASE", local.api_base_url)
    async with discord.Client(intents=discord.Intents.none()) as client:
        await client.login(local.token)
        yield client


def picture(width: int, height: int, hue: int) -> bytes:
    data = io.BytesIO()
    across = Image.linear_gradient("L").resize((width, height))
    Image.merge("HSV", (Image.new("L", (width, height), hue), across.rotate(180), across)).convert("RGB").save(
        data, "PNG"
    )
    return data.getvalue()


async def post(client: discord.Client, local: LocalDiscord, view: discord.ui.LayoutView, side: tuple[int, int]) -> None:
    """Post a layout with the files that it refers to."""
    galleries = [item for item in view.walk_children() if isinstance(item, discord.ui.MediaGallery)]
    names = [image.media.url.removeprefix("attachment://") for gallery in galleries for image in gallery.items]
    files = [discord.File(io.BytesIO(picture(*side, 60 * k)), name) for k, name in enumerate(names)]
    await client.get_partial_messageable(local.channel.id).send(view=view, files=files)


async def test_every_state_can_be_seen(
    local: LocalDiscord,
    client: discord.Client,
    page: "Page",
    request_: GenerationRequest,
    catalogue: Catalogue,
    tmp_path: Path,
) -> None:
    job = example_job(msgspec.structs.replace(request_, prompt="a red apple on a table"))
    shown = states(job, catalogue)
    for view in shown.values():
        await post(client, local, view, SHAPES["square"])
    await page.goto(await local.open_page())
    messages = page.locator("#channel-message-list")
    await messages.get_by_text("Error ab12").wait_for()
    assert await messages.get_by_text("a red apple on a table").count() == len(shown)
    await _check_pictures(page, 1 + 4 + 2)
    folder = ROOT / "docs" / "images" if os.environ.get("SAVE_SCREENSHOTS") else tmp_path
    await _photograph(page, folder / "states.png")


async def test_any_shape_and_any_prompt_keep_their_frame(
    local: LocalDiscord,
    client: discord.Client,
    page: "Page",
    request_: GenerationRequest,
    catalogue: Catalogue,
    tmp_path: Path,
) -> None:
    job = example_job(msgspec.structs.replace(request_, prompt=HOSTILE, negative_prompt=HOSTILE))
    for count, side in enumerate(SHAPES.values(), start=1):
        images = tuple(ShownOutput(index=k, file_name=f"{k}.png", data=b"", sides=side) for k in range(count))
        view = done_message.done(job, outputs=images, spec=catalogue.default, allowance=Allowance(left=3))
        await post(client, local, view, side)
    await page.goto(await local.open_page())
    messages = page.locator("#channel-message-list")
    await messages.get_by_text("seed 7").nth(2).wait_for()
    await _check_pictures(page, 1 + 2 + 3)
    text = await messages.inner_text()
    for harmless in ("@everyone", "[a](https://example.org)", "`x`", "# big", "**bold**"):
        assert harmless in text, "the prompt is shown as it was typed"
    assert await messages.locator("a[href*='example.org']").count() == 0
    assert await messages.locator("h1, h2, code, .spoiler").count() == 0
    await _photograph(page, tmp_path / "shapes.png")


async def _check_pictures(page: "Page", count: int) -> None:
    """Every picture is loaded, has an alt text and stays inside the list."""
    pictures = page.locator("#channel-message-list img[alt*='apple'], #channel-message-list img[alt*='everyone']")
    await page.wait_for_load_state("networkidle")
    assert await pictures.count() == count
    for k in range(count):
        await pictures.nth(k).scroll_into_view_if_needed()
        assert await pictures.nth(k).evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    overflow = "(list) => list.scrollWidth - list.clientWidth"
    assert await page.locator("#channel-message-list").evaluate(overflow) <= 0


async def _photograph(page: "Page", path: Path) -> None:
    """The whole list on one picture."""
    height: int = await page.locator("#channel-message-list").evaluate("(list) => list.scrollHeight")
    await page.set_viewport_size({"width": 1000, "height": height + 140})
    await page.wait_for_timeout(300)
    await page.locator("#channel-message-list").screenshot(path=path)
