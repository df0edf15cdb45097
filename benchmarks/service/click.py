"""Seconds from a press to its acknowledgement and to its visible result, and the edits of a job's message."""

import asyncio
import re
import statistics
import time
from typing import Any, Final

from benchmarks.report import Report
from benchmarks.running_bot import running_bot
from playground import LocalDiscord

GOAL_S: Final = 0.050
"""Goal for the median press, one at a time and many at once, on an idle machine."""
PRESSES: Final = 20
AT_ONCE: Final = 20

Message = dict[str, Any]


def run() -> Report:
    """Press Reroll, then Cancel on the new job: one at a time, then many at once."""
    return asyncio.run(_run())


async def _run() -> Report:
    async with running_bot(threads=1) as running:
        local = running.local
        await local.member.slash(local.channel, "imagine", prompt="a red apple", steps=50, images=4)
        done = await local.wait_for_message(lambda message: "seed " in str(message["components"]), 60)
        alone = [await _press(local, done) for _ in range(PRESSES)]
        together = await asyncio.gather(*(_press(local, done) for _ in range(AT_ONCE)))
        watched = await _watch(local)
    acknowledged = [seconds for seconds, _ in alone]
    median = statistics.median(acknowledged)
    together_s = statistics.median(seconds for seconds, _ in together)
    return Report(
        name="click",
        goal=f"a press is acknowledged in {GOAL_S * 1_000:.0f} ms, in the median: alone, and of {AT_ONCE} at once",
        value=median,
        holds=median <= GOAL_S and together_s <= GOAL_S,
        median=median,
        minimum=min(acknowledged),
        pairs=PRESSES,
        detail={
            "acknowledged_ms": median * 1_000,
            "seen_ms": statistics.median(seconds for _, seconds in alone) * 1_000,
            f"acknowledged_of_{AT_ONCE}_ms": together_s * 1_000,
            f"seen_of_{AT_ONCE}_ms": statistics.median(seconds for _, seconds in together) * 1_000,
            **watched,
        },
    )


async def _press(local: LocalDiscord, done: Message) -> tuple[float, float]:
    """Seconds from Reroll to its acknowledgement, and from Cancel to the visible cancellation."""
    result = await local.friend.click(done, label="Reroll")
    acknowledged_s = local.acknowledged_in_s(result)
    if acknowledged_s is None or result.response is None:
        raise RuntimeError("A press was not acknowledged within three seconds.")
    message_id = str(result.response.id)

    def is_it(message: Message) -> bool:
        return message["id"] == message_id

    new = await local.wait_for_message(is_it, 10)
    pressed_at = time.monotonic()
    await local.friend.click(new, label="Cancel")
    await local.wait_for_message(lambda message: is_it(message) and "Cancelled" in str(message["components"]), 10)
    return acknowledged_s, time.monotonic() - pressed_at


async def _watch(local: LocalDiscord) -> dict[str, float]:
    """Draw one long job. Return the seconds to its first preview, the preview's bytes, and the number of edits."""
    before = len(local.requests)
    await local.member.slash(local.channel, "imagine", prompt="a long one", steps=50, images=4)
    await local.wait_for_message(lambda message: "a long one" in str(message) and "Drawing" in str(message), 60)
    started_at = time.monotonic()
    shown = await local.wait_for_message(lambda message: "Preview, not finished" in str(message["components"]), 60)
    first_s = time.monotonic() - started_at
    size = len(await local.fetch_cdn(shown["attachments"][0]["url"]))
    await local.wait_for_message(lambda message: "a long one" in str(message) and "seed " in str(message), 120)
    edits = [record for record in local.requests[before:] if record.method == "PATCH"]
    of_job = [record for record in edits if re.search(r"/messages/", record.path)]
    return {"first_preview_s": first_s, "preview_bytes": size, "edits_of_a_job": len(of_job)}
