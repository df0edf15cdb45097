"""A browser for tests that look at a page."""

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page

CHROMIUM = Path("/usr/bin/chromium")


@contextlib.asynccontextmanager
async def open_browser() -> AsyncGenerator["Page"]:
    """One empty page."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - skipped where there is no browser

    async with async_playwright() as engine:
        browser = await engine.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        yield page
        await browser.close()
