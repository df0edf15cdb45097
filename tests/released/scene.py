"""A small Discord whose members ask for seven things, and an engine that leaves some of them undone."""

import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Final

from aiohttp import web
from pydantic import SecretStr
from typing_extensions import override

from config.areas.discord import DiscordSettings
from config.settings import Settings, StorageSettings
from pipeline.backends.base import NO_PICTURES
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, Request, narrowed
from pipeline.protocol.wire.messages import Failed, Progress
from pipeline.protocol.wire.settings import NO_CHECKING, Checking
from tests.kill_points.engine import DrawsAtOnce
from tests.kill_points.tiny_discord import TinyDiscord, World

DATABASES: Final = Path(__file__).with_name("databases")
"""A file for each version of the database that an Easel wrote."""
ASKED: Final[Sequence[str]] = (
    *("a red frog", "a blue owl", "a broken star", "a slow snail", "a slow tree", "a waiting cat"),
    "a {red, green} fish",
)
"""What members asked for, each in an interaction of their own from `FIRST` on. The last one awaits a press of Start."""
FIRST: Final = 2001
LEFT: Final[Mapping[str, int]] = {"succeeded": 2, "failed": 1, "running": 2, "queued": 1}
"""How many jobs of each status are in the file."""


class LeavesUndone(DrawsAtOnce):
    """An engine of two places that fails at what is broken, and never ends what is slow."""

    def __init__(self, **values: object) -> None:
        super().__init__(**values)  # pyright: ignore[reportArgumentType] # whatever the one above takes
        self._slow = 0

    @override
    async def submit(
        self,
        job_id: int,
        attempt: int,
        request: Request,
        *,
        pictures: Mapping[str, bytes] = NO_PICTURES,
        checking: Checking = NO_CHECKING,
        is_alone: bool = False,
    ) -> None:
        prompt = narrowed(request, GenerationRequest).prompt
        if "broken" in prompt:
            self._events.put_nowait(Failed(job_id=job_id, attempt=attempt, reason=FailureReason.INVALID_REQUEST))
        elif "slow" in prompt:
            self._slow += 1
            self._events.put_nowait(
                Progress(job_id=job_id, attempt=attempt, phase="running", step=1, total_steps=30, elapsed_s=0.1)
            )
        else:
            await super().submit(job_id, attempt, request, pictures=pictures, checking=checking, is_alone=is_alone)

    @property
    @override
    def free_slots(self) -> int:
        return 2 - self._slow


@contextlib.asynccontextmanager
async def small_discord(folder: Path) -> AsyncGenerator[tuple[World, Settings]]:
    """A world, and the settings of a bot that lives in it with its files in `folder`."""
    (folder / "world").mkdir()
    discord = TinyDiscord(folder)
    runner = web.AppRunner(discord.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        base = f"http://127.0.0.1:{runner.addresses[0][1]}/world"
        yield (
            discord.world("world"),
            Settings(
                discord=DiscordSettings(token=SecretStr("a-token"), api_base_url=base),
                storage=StorageSettings(directory=folder / "data"),
            ),
        )
    finally:
        await runner.cleanup()
