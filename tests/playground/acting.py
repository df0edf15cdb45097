"""What tests of the page do: open it, type a command, and speak for the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from playwright.async_api import Page

    from playground import LocalDiscord


async def open_on(page: Page, local: LocalDiscord) -> None:
    await page.goto(await local.open_page())
    await page.get_by_text("Ask Easel for a picture").first.wait_for()


async def type_command(page: Page, name: str, prompt: str) -> None:
    await page.locator("#channel-composer-input").click()
    await page.keyboard.type(f"/{name}")
    await page.get_by_role("option").filter(has_text=f"/{name}").first.wait_for()
    await page.keyboard.press("Enter")
    await page.keyboard.type(prompt)


async def as_bot(local: LocalDiscord, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One request with the bot's token."""
    headers = {"Authorization": f"Bot {local.token}"}
    url = f"{local.api_base_url}{path}"
    async with aiohttp.ClientSession(headers=headers) as session, session.request(method, url, json=body) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer
