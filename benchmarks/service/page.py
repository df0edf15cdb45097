"""The playground's page with a channel full of pictures: its loading times, and the previews of a running job.

The real bot and worker draw ten jobs of four pictures. Then a headless browser measures the seconds from a reload to an
enabled send arrow and to the last decoded picture, and the same after a change of person. For one more job it measures
the share of looks with a decoded preview, and the seconds from the job's last text to its last picture.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from benchmarks.report import Report
from benchmarks.running_bot import running_bot
from playground import LocalDiscord
from tests.end_to_end.browser import open_browser

if TYPE_CHECKING:
    from playwright.async_api import Page

GOAL_S: Final = 3.0
"""Goal from a reload to an enabled send arrow, with forty pictures, on two idle cores."""
JOBS: Final = 10
RELOADS: Final = 5
LOOK_S: Final = 0.02

CAN_SEND: Final = """() => !document.querySelector("#channel-layout").hidden
  && !document.querySelector("#send-message").disabled"""
PICTURES: Final = "[...document.querySelectorAll('#channel-message-list .media-lightbox-trigger img')]"
ARE_DECODED: Final = f"(count) => {PICTURES}.filter((image) => image.naturalWidth === 256).length >= count"
LOOK: Final = f"""() => {{
  const previews = {PICTURES}.filter((image) => image.alt.startsWith("Preview"));
  return {{
    finished: (document.querySelector("#channel-message-list").innerText.match(/seed \\d+/g) || []).length,
    previews: previews.length,
    decoded: previews.filter((image) => image.naturalWidth > 0).length,
  }};
}}"""


def run() -> Report:
    """Fill the channel, reload the page, choose another person, and watch one job."""
    return asyncio.run(_run())


async def _run() -> Report:
    async with running_bot(threads=1) as running, open_browser() as page:
        local = running.local
        for number in range(JOBS):
            await _draw(local, number)
        await page.goto(await local.open_page())
        await page.wait_for_function(ARE_DECODED, arg=4 * JOBS)
        reloads = [await _until_live(page, lambda: page.reload(wait_until="commit")) for _ in range(RELOADS)]
        person = await _until_live(page, lambda: page.locator("#viewer-picker").select_option(label="Finn (friend)"))
        watched = await _watch(page, local)
    live = [seconds for seconds, _ in reloads]
    median = statistics.median(live)
    return Report(
        name="page",
        goal=f"with {4 * JOBS} pictures one can act {GOAL_S:g} s after a reload, in the median",
        value=median,
        holds=median <= GOAL_S,
        median=median,
        minimum=min(live),
        pairs=len(live),
        detail={
            "all_pictures_s": statistics.median(seconds for _, seconds in reloads),
            "another_person_s": person[0],
            "their_pictures_s": person[1],
            **watched,
        },
    )


async def _draw(local: LocalDiscord, number: int) -> None:
    prompt = f"{number + 2} red apples"
    await local.member.slash(local.channel, "imagine", prompt=prompt, images=4, seed=number)
    await local.wait_for_message(lambda message: prompt in str(message) and "seed " in str(message), 120)


async def _until_live(page: "Page", act: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Seconds from an action to an enabled send arrow, and to the last decoded picture."""
    await page.wait_for_timeout(1_000)
    began_at = time.monotonic()
    await act()
    await page.wait_for_function(CAN_SEND)
    live_s = time.monotonic() - began_at
    await page.wait_for_function(ARE_DECODED, arg=4 * JOBS)
    return live_s, time.monotonic() - began_at


async def _watch(page: "Page", local: LocalDiscord) -> dict[str, float]:
    """Watch one long job, with many looks a second."""
    finished = (await page.evaluate(LOOK))["finished"]
    await local.friend.slash(local.channel, "imagine", prompt="a yellow house in the snow", steps=50, images=4)
    looks = shown = 0
    while (look := await page.evaluate(LOOK))["finished"] == finished:
        if look["previews"]:
            looks += 1
            shown += look["decoded"] == look["previews"]
        await asyncio.sleep(LOOK_S)
    told_at = time.monotonic()
    await page.wait_for_function(ARE_DECODED, arg=4 * (JOBS + 1))
    return {
        "previews_seen_percent": 100 * shown / max(1, looks),
        "looks": looks,
        "finals_after_their_text_s": time.monotonic() - told_at,
    }
