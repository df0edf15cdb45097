"""One life of the bot: the real composition root, which is killed at one of its steps or comes to rest."""

import asyncio
import functools
from pathlib import Path
from typing import Final

import msgspec
import pytest
from pydantic import SecretStr
from typing_extensions import override

from bot import app, configure
from bot.client import EaselClient
from bot.store.sqlite import database
from config.areas.discord import DiscordSettings
from config.areas.pipeline import PipelineSettings
from config.catalogue import Catalogue, load_catalogue
from config.settings import Settings, StorageSettings
from tests.kill_points.bugs import BUGS
from tests.kill_points.engine import DrawsAtOnce
from tests.kill_points.members import ASKED, FEED, interaction
from tests.kill_points.steps import WATCHER, CountedConnection, Steps

INVOKER: Final = "CommandTree-invoker"
"""discord.py's name for the task of a command."""
OPEN_JOBS: Final = "SELECT job_id FROM jobs WHERE status IN ('queued', 'running')"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What one life is to be.

    Attributes:
        directory: where its database and its log are; its name is that of its world at Discord.
        api_base_url: of the world.
        kill_at: the step that is not reached; 0 lets it live.
        kill_after_s: from its birth on, whatever it does then; 0 lets it live.
        is_first: whether members ask for something in it. Later lives only mend.
        bug: a planted bug, or the code as it is.
        patience_s: how long nothing may move while a job is open.
    """

    directory: str
    api_base_url: str
    kill_at: int = 0
    kill_after_s: float = 0.0
    is_first: bool = False
    bug: str = ""
    patience_s: float = 20.0


class FedClient(EaselClient):
    """The real client, to which members' interactions come from here instead of from a gateway."""

    def __init__(self, order: Order, steps: Steps) -> None:
        super().__init__()
        self._order = order
        self._steps = steps

    @override
    async def connect(self, *, reconnect: bool = True) -> None:
        """Stay until the bot is at rest; the end of the connection makes it stop in order."""
        for number in FEED if self._order.is_first else ():
            self._connection.parse_interaction_create(interaction(number, ASKED[number]))
        await asyncio.create_task(self._until_rest(), name=WATCHER)

    async def _until_rest(self) -> None:
        """Wait until no job is open, or until nothing moves for too long: then the checks will say what is stuck."""
        loop = asyncio.get_running_loop()
        seen, moved_at = 0, loop.time()
        while loop.time() - moved_at < self._order.patience_s:
            if self._steps.taken != seen:
                seen, moved_at = self._steps.taken, loop.time()
            is_asking = any(task.get_name() == INVOKER for task in asyncio.all_tasks())
            if not is_asking and not await self.services.jobs._database.fetch_all(OPEN_JOBS):
                return
            await asyncio.sleep(0.002)


@functools.cache
def shipped_catalogue() -> Catalogue:
    """The catalogue, which is the same in every life."""
    shipped = PipelineSettings()
    return load_catalogue(shipped.catalogue, shipped.default_model)


def live(order: Order) -> int:
    """Live once; the number of steps that it took."""
    steps = Steps(order.kill_at)
    patch = pytest.MonkeyPatch()  # never undone: this process holds nothing but this life
    patch.setattr(app, "make_client", lambda _: FedClient(order, steps))
    patch.setattr(configure, "ProcessBackend", DrawsAtOnce)
    connect = database.connect
    patch.setattr(database, "connect", lambda address: CountedConnection(connect(address), steps.take))
    if order.bug:
        BUGS[order.bug](patch)
    settings = Settings(
        discord=DiscordSettings(token=SecretStr("a-token"), api_base_url=order.api_base_url),
        storage=StorageSettings(directory=Path(order.directory) / "data"),
    )
    catalogue = shipped_catalogue()

    def make_loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        loop.set_task_factory(steps.make_task)
        return loop

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(app.run_bot(settings, catalogue, lambda: None))
    return steps.taken
