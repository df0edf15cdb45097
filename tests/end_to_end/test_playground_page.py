"""The README's first command, in a real browser: ask, watch, reroll, vary, remix, explain, cancel, delete, get help.

With SAVE_SCREENSHOTS=1 the pictures go to docs/images, where the README shows them.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw

from tests.end_to_end.browser import CHROMIUM, open_browser
from tests.shared_worker import share_worker_state, warm_starter

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

ROOT = Path(__file__).parents[2]
EXPLAINED = "How #"
"""How the details of a job begin."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(400),  # a busy machine loads libraries slowly
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]


@pytest.fixture
async def first_address(tmp_path: Path) -> AsyncGenerator[str]:
    """The page of `easel playground` where nothing was started before."""
    async with _playground(tmp_path, EASEL_PIPELINE__PREVIEW_INTERVAL_S="0.3") as address:
        yield address


@pytest.fixture
async def address(tmp_path: Path) -> AsyncGenerator[str]:
    """The page where a starter runs that knows what workers have measured."""
    share_worker_state(tmp_path / "playground")
    async with _playground(tmp_path, EASEL_PIPELINE__STARTER=warm_starter()) as address:
        yield address


@contextlib.asynccontextmanager
async def _playground(storage: Path, **variables: str) -> AsyncGenerator[str]:
    """Run `easel playground`; gives what it prints. It is ended by Ctrl-C, after which nothing of it is left."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EASEL_")}
    environment |= {"EASEL_STORAGE__DIRECTORY": str(storage), **variables}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "playground", "--no-open", "--port", "0"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    async with asyncio.timeout(90):
        while (match := re.search(rb"http://\S+", line := await process.stdout.readline())) is None:
            assert line, "the playground ended without an address"
    yield match[0].decode()
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        assert await process.wait() == 0


@pytest.fixture
async def page() -> AsyncGenerator["Page"]:
    async with open_browser() as page:
        yield page


async def _type(page: "Page", command: str, value: str = "", **options: str) -> None:
    """Choose a command from the list, fill in its first option, and send it."""
    await page.locator("#channel-composer-input").click()
    await page.keyboard.type(f"/{command}")
    await page.get_by_role("option").filter(has_text=f"/{command}").first.wait_for()
    await page.keyboard.press("Enter")
    if value:
        await page.keyboard.type(value)
        for name, chosen in options.items():
            await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")
            await page.get_by_role("option").filter(has_text=name).click()
            await page.keyboard.type(chosen)
        await page.keyboard.press("Enter")
    else:
        await page.locator("#send-message").click()


async def _show_newest(page: "Page") -> None:
    """Scroll down to the end of the last message, and wait until the page rests."""
    await page.locator("#channel-message-list").evaluate(
        "(list) => list.lastElementChild.scrollIntoView({block: 'end'})"
    )
    await page.wait_for_timeout(500)


async def _pictures_shown(page: "Page", count: int) -> None:
    """Wait until so many pictures of a finished size are shown."""
    async with asyncio.timeout(60):
        while True:
            # A preview of one picture has its size.
            sizes = await page.locator("#channel-message-list img:not([alt^='Preview'])").evaluate_all(
                "(images) => images.map((image) => image.naturalWidth)"
            )
            if sum(size == 256 for size in sizes) >= count:
                return
            await asyncio.sleep(0.2)


async def _preview_shown(page: "Page") -> None:
    """Wait until a preview is there and loaded."""
    preview = page.locator("#channel-message-list img[alt^='Preview']")
    async with asyncio.timeout(60):
        while not any(await preview.evaluate_all("(images) => images.map((image) => image.naturalWidth)")):
            await asyncio.sleep(0.05)


async def _press_until(button: "Locator", answer: "Locator") -> None:
    """Press again until the answer is there: a button whose message is edited under the finger is another one."""
    from playwright.async_api import Error  # noqa: PLC0415 - skipped where there is no browser

    async with asyncio.timeout(120):
        while not await answer.count():
            with contextlib.suppress(Error):
                await button.click(timeout=1_000)


async def test_a_newcomer_asks_watches_rerolls_cancels_and_reads_the_help(
    first_address: str, page: "Page", tmp_path: Path
) -> None:
    pictures = ROOT / "docs" / "images" if os.environ.get("SAVE_SCREENSHOTS") else tmp_path
    pictures.mkdir(parents=True, exist_ok=True)
    await page.goto(first_address)
    await page.get_by_text("Ask Easel for a picture").first.wait_for()
    # The page is live once it has the commands that the bot registered.
    await page.wait_for_load_state("networkidle")
    messages = page.locator("#channel-message-list")
    await _type(page, "imagine", "a red apple")
    await messages.get_by_text(re.compile(r"seed \d+")).first.wait_for()
    await _pictures_shown(page, 1)
    await messages.get_by_role("button", name="Reroll").first.click()
    await messages.get_by_text("Reroll of").wait_for()
    await _pictures_shown(page, 2)
    await _type(page, "imagine", "a yellow house in the snow --steps 50 --seed 3", images="4")
    await messages.get_by_text(re.compile(r"Drawing: [1-9]\d %")).first.wait_for()
    await _preview_shown(page)
    await _show_newest(page)
    await page.screenshot(path=pictures / "drawing.png")
    await messages.get_by_text(re.compile(r"seed 3 ")).wait_for()
    await _pictures_shown(page, 6)
    await _show_newest(page)
    await page.screenshot(path=pictures / "playground.png")
    # Long enough that a crowded machine still finds the button before the pictures are done.
    await _type(page, "imagine", "a green frog --steps 50", images="4")
    await messages.get_by_text(re.compile(r"Drawing: \d+ %")).first.wait_for()
    await _press_until(messages.get_by_role("button", name="Cancel"), messages.get_by_text("Nothing was charged."))
    await _show_newest(page)
    await page.screenshot(path=pictures / "cancelled.png")
    await _type(page, "help")
    await messages.get_by_text("First steps").first.wait_for()
    await _show_newest(page)
    await page.screenshot(path=pictures / "help.png")
    await messages.get_by_role("button", name="Try it").last.click()
    await messages.get_by_text("two yellow stars on a blue background").nth(1).wait_for()
    await _pictures_shown(page, 7)


async def test_a_member_varies_remixes_and_deletes(address: str, page: "Page", tmp_path: Path) -> None:
    pictures = ROOT / "docs" / "images" if os.environ.get("SAVE_SCREENSHOTS") else tmp_path
    await page.goto(address)
    await page.get_by_text("Ask Easel for a picture").first.wait_for()
    await page.wait_for_load_state("networkidle")
    messages = page.locator("#channel-message-list")
    await _type(page, "imagine", "two yellow stars on a blue background --seed 3 --steps 8")
    await _pictures_shown(page, 1)
    await messages.get_by_role("button", name="Vary (subtle)").first.click()
    await messages.get_by_text("Variation (subtle) of").wait_for()
    await _pictures_shown(page, 2)
    await messages.get_by_role("button", name="Remix").first.click()
    form = page.get_by_role("dialog")
    await form.locator("textarea").first.fill("two green hearts")
    await page.wait_for_timeout(300)
    await page.screenshot(path=pictures / "remix.png")
    await form.get_by_role("button", name="Submit").click()
    await messages.get_by_text("Remix of").wait_for()
    await _pictures_shown(page, 3)
    await _show_newest(page)
    await page.screenshot(path=pictures / "variation.png")
    await messages.get_by_role("button", name="ℹ️").nth(1).click()
    await messages.get_by_text(EXPLAINED).wait_for()
    await messages.get_by_text("To make the picture that it began with").wait_for()
    await _show_newest(page)
    await page.screenshot(path=pictures / "details.png")
    await _type(page, "history")
    await messages.get_by_text("Your pictures").wait_for()
    await _pictures_shown(page, 6)
    await _show_newest(page)
    await page.screenshot(path=pictures / "history.png")
    await messages.get_by_role("button", name="Open 1").click()
    await messages.get_by_text("Remix of").nth(1).wait_for()
    # The private copy's 🗑️ deletes the message that everybody sees.
    await messages.get_by_role("button", name="🗑️").last.click()
    await messages.get_by_text("Remix of").first.wait_for(state="detached")


def scribble(path: Path) -> Path:
    """A file with a crude drawing of a house on a meadow, below a sun."""
    picture = Image.new("RGB", (256, 256), (120, 190, 240))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 170, 256, 256), fill=(90, 170, 70))
    pen.rectangle((70, 110, 180, 210), fill=(200, 60, 50))
    pen.polygon(((55, 110), (195, 110), (125, 50)), fill=(90, 60, 40))
    pen.ellipse((200, 20, 240, 60), fill=(250, 220, 60))
    picture.save(path)
    return path


async def test_a_member_starts_from_a_scribble_and_marks_a_part(address: str, page: "Page", tmp_path: Path) -> None:
    pictures = ROOT / "docs" / "images" if os.environ.get("SAVE_SCREENSHOTS") else tmp_path
    await page.goto(address)
    await page.get_by_text("Ask Easel for a picture").first.wait_for()
    await page.wait_for_load_state("networkidle")
    messages = page.locator("#channel-message-list")
    await page.locator("#channel-composer-input").click()
    await page.keyboard.type("/imagine")
    await page.get_by_role("option").filter(has_text="/imagine").first.wait_for()
    await page.keyboard.press("Enter")
    await page.keyboard.type("a house in a meadow --strength 0.6 --steps 12 --seed 6")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_role("option").filter(has_text=re.compile(r"^image(?!s|2)")).click()
    await page.locator("input.command-file-input").set_input_files(scribble(tmp_path / "scribble.png"))
    await page.locator("#send-message").click()
    await messages.get_by_text(re.compile(r"from a picture")).first.wait_for()
    await _pictures_shown(page, 1)
    await messages.get_by_role("button", name="ℹ️").first.click()
    await messages.get_by_text("Drawing started from this picture, strength 0.6").wait_for()
    await _show_newest(page)
    await page.screenshot(path=pictures / "from-a-picture.png")
    await messages.get_by_role("button", name="Region").first.click()
    form = page.get_by_role("dialog")
    await form.get_by_text("top right").first.click()
    await form.locator("textarea").first.fill("a moon")
    await form.get_by_role("button", name="Submit").click()
    await messages.get_by_role("button", name="Draw it").wait_for()
    await _show_newest(page)
    await page.screenshot(path=pictures / "region.png")
    await messages.get_by_role("button", name="Draw it").click()
    await _pictures_shown(page, 2)


async def test_what_the_model_cannot_do_is_not_offered(page: "Page", tmp_path: Path) -> None:
    """The shipped model without pictures in: no buttons, no use, and a sentence for an attached picture."""
    shipped = (ROOT / "config" / "models.toml").read_text().replace("../models/", f"{ROOT}/models/")
    catalogue = tmp_path / "models.toml"
    catalogue.write_text(shipped.replace('key = "pocket"', 'key = "pocket"\nlacks = ["init-image", "mask"]', 1))
    share_worker_state(tmp_path / "playground")
    variables = {"EASEL_PIPELINE__STARTER": warm_starter(), "EASEL_PIPELINE__CATALOGUE": str(catalogue)}
    async with _playground(tmp_path, **variables) as address:
        await page.goto(address)
        await page.get_by_text("Ask Easel for a picture").first.wait_for()
        await page.wait_for_load_state("networkidle")
        messages = page.locator("#channel-message-list")
        await _type(page, "imagine", "a red apple")
        await _pictures_shown(page, 1)
        await messages.get_by_role("button", name="Vary (subtle)").wait_for()
        for name in ("Region", "Zoom out", "Pan"):
            assert await messages.get_by_role("button", name=name).count() == 0, name
        await page.locator("#channel-composer-input").click()
        await page.keyboard.type("/imagine")
        await page.get_by_role("option").filter(has_text="/imagine").first.wait_for()
        await page.keyboard.press("Enter")
        await page.keyboard.type("a house in a meadow")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_role("option").filter(has_text=re.compile(r"^image(?!s|2)")).click()
        await page.locator("input.command-file-input").set_input_files(scribble(tmp_path / "scribble.png"))
        await page.locator("#send-message").click()
        await messages.get_by_text("No model here can start from a picture.").wait_for()
        await _show_newest(page)
        await page.screenshot(path=tmp_path / "not-offered.png")


@pytest.mark.skipif(not os.environ.get("SAVE_SCREENSHOTS"), reason="only takes pictures")
async def test_a_member_zooms_out_pans_and_upscales(address: str, page: "Page", tmp_path: Path) -> None:
    pictures = ROOT / "docs" / "images"
    await page.goto(address)
    await page.get_by_text("Ask Easel for a picture").first.wait_for()
    await page.wait_for_load_state("networkidle")
    messages = page.locator("#channel-message-list")
    await _type(page, "imagine", "a house in a meadow --seed 6 --steps 30")
    await _pictures_shown(page, 1)
    await messages.get_by_role("button", name="Zoom out").first.click()
    form = page.get_by_role("dialog")
    await form.locator("textarea").first.fill("a meadow --seed 31")
    await form.get_by_role("button", name="Submit").click()
    await _pictures_shown(page, 2)
    await messages.get_by_role("button", name="Pan").nth(1).click()
    await messages.get_by_text("On which side does the picture go on?").wait_for()
    await _show_newest(page)
    await page.screenshot(path=pictures / "zoom-out.png")
    await messages.get_by_role("button", name="➡️").click()
    await messages.get_by_text("Pan of").wait_for()
    await messages.get_by_text(re.compile(r"seed \d+")).nth(2).wait_for()
    await _show_newest(page)
    await page.screenshot(path=pictures / "pan.png")
    first = min(tmp_path.rglob("images/**/*.png"), key=lambda path: path.stat().st_mtime_ns)
    await page.locator("#channel-composer-input").click()
    await page.keyboard.type("/upscale")
    await page.get_by_role("option").filter(has_text="/upscale").first.wait_for()
    await page.keyboard.press("Enter")
    await page.locator("input.command-file-input").set_input_files(first)
    await page.locator("#send-message").click()
    await messages.get_by_text(re.compile("256×256 → ")).wait_for()
    await _show_newest(page)
    await page.screenshot(path=pictures / "upscale.png")
