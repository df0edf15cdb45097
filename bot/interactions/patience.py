"""Work before the first answer to an interaction. Discord waits three seconds for that answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from bot.calls.answers import Interaction
from bot.interactions.services import Services

_QUICK_S: Final = 1.0
"""Seconds within which most pictures are read."""

T = TypeVar("T")


async def in_time(services: Services, interaction: Interaction, work: Coroutine[Any, Any, T]) -> T:
    """Do some work. The interaction is acknowledged only if that takes long, since everybody would see it."""
    doing = asyncio.create_task(work)
    try:
        await asyncio.wait({doing}, timeout=_QUICK_S)
        if not doing.done():
            await services.calls.defer(interaction, is_answered_later=True)
        return await doing
    finally:
        doing.cancel()
