"""The rooms of the bot on a real database, a real worker process, and as much of Discord as they speak to."""

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import discord
import msgspec
import pytest
from aiohttp import web
from discord import http
from typing_extensions import override

from bot.client import EaselClient
from bot.composing.services import compose
from bot.interactions.services import Services
from bot.store.images import ImageStore
from bot.store.rows.jobs import Job, JobStatus, NewJob
from bot.store.sqlite.checking import check
from bot.store.sqlite.database import Database
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import NO_PICTURES, Backend
from pipeline.backends.process import ProcessBackend
from pipeline.backends.watchdog import Timeouts
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.settings import NO_CHECKING, Checking, CheckMode
from provenance.keys import SigningKey
from provenance.process import COMMAND
from tests.bot.store.conftest import inputs_of
from tests.bot.store.conftest import new_job as new_job  # noqa: PLC0414 - a fixture, seen by these tests
from tests.kill_points.tiny_discord import BOT_USER, TinyDiscord, World
from tests.pipeline.backends.conftest import CHILDREN, CONFIGURE

PATIENCE_S = 30.0
GOOD = ("good",)


class Gate(ProcessBackend):
    """The real backend, whose door to the worker can be held shut, and which remembers who went through."""

    def __init__(self, child: str, *arguments: str, heartbeat_s: float) -> None:
        super().__init__(
            configure=CONFIGURE,
            command=(sys.executable, str(CHILDREN / f"{child}.py"), *arguments),
            timeouts=Timeouts(
                ready_s=30, heartbeat_s=heartbeat_s, stop_s=1, backoff_min_s=0.01, backoff_max_s=0.05, step_s=30
            ),
        )
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.submitted: list[tuple[int, int]] = []
        self.pictures: list[dict[str, bytes]] = []
        self.checked: list[tuple[int, CheckMode]] = []
        self.blocked: list[tuple[bytes, ...]] = []
        self.before_submit: Callable[[int], Awaitable[None]] | None = None

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
        self.pictures.append(dict(pictures))
        self.blocked.append(checking.blocked)
        if checking.mode != "none":
            self.checked.append((job_id, checking.mode))
        if self.before_submit is not None:
            await self.before_submit(job_id)
        await self.is_open.wait()
        await super().submit(job_id, attempt, request, pictures=pictures, checking=checking, is_alone=is_alone)
        self.submitted.append((job_id, attempt))


class House:
    """A bot without a gateway: jobs are accepted here as a command would."""

    def __init__(self, services: Services, database: Database, backend: Gate, world: World, make: Any) -> None:
        self.services = services
        self.database = database
        self.backend = backend
        self.world = world
        self._make: Callable[..., NewJob] = make
        # A later house goes on: Discord gives no interaction's number twice.
        self._numbers = itertools.count(len(world.originals) + 1)
        self.working: asyncio.Task[None] | None = None
        self._is_closed = False

    async def close(self) -> None:
        """Stop at once; what was under way is for the next start."""
        if self._is_closed:
            return
        self._is_closed = True
        if self.working is not None:
            # What still ends would ask a database that is closed.
            left = [self.working, *self.services.dispatcher._endings.tasks]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        for running in self.services.dispatcher._running.values():
            await running.message.close()
        await self.services.signing.close()
        await self.backend.close()
        await self.database.close()

    async def ask(
        self,
        prompt: str = "a cat",
        *,
        age: timedelta = timedelta(0),
        crashes: int = 0,
        inputs: tuple[str, ...] = (),
        **values: Any,
    ) -> Job:
        """An accepted job whose message can be seen; with crashes, it was there when workers died."""
        number = next(self._numbers)
        now = datetime.now(UTC)
        new = self._make(
            number, interaction_token=f"token-{number}", token_expires_at=now + timedelta(minutes=15), **values
        )
        request = msgspec.structs.replace(new.request, prompt=prompt, inputs=inputs_of(*inputs))
        new = msgspec.structs.replace(new, request=request)
        quotas = self.services.settings.quotas
        job, _ = await self.services.jobs.accept(new, settings=quotas, now=now - age)
        await self.database.change("UPDATE jobs SET crashes = ? WHERE job_id = ?", (crashes, job.job_id))
        message = self.world.create("6", {}, {})
        self.world.originals[f"token-{number}"] = int(message["id"])
        await self.services.jobs.record_message(job.job_id, int(message["id"]))
        self.services.dispatcher.wake()
        return msgspec.structs.replace(job, message_id=int(message["id"]))

    def work(self) -> None:
        """Start to claim and run."""
        self.working = asyncio.create_task(self.services.dispatcher.run())

    async def job(self, job: Job) -> Job:
        """It as it is now."""
        found = await self.services.jobs.get(job.job_id)
        assert found is not None
        return found

    async def until(self, job: Job, *statuses: JobStatus) -> Job:
        """It once it is in one of these states."""
        async with asyncio.timeout(PATIENCE_S):
            while (found := await self.job(job)).status not in statuses:
                await asyncio.sleep(0.01)
        return found

    async def until_said(self, job: Job, words: str) -> None:
        """Wait until its message says so."""
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.said(job):
                await asyncio.sleep(0.01)

    def said(self, job: Job) -> str:
        """What its message says."""
        return json.dumps(self.world.messages[job.message_id or 0].get("components", []), ensure_ascii=False)

    async def spent(self) -> int:
        """Units charged or reserved of everybody's periods."""
        row = await self.database.fetch_one("SELECT ifnull(sum(held + spent), 0) FROM pots WHERE kind = 'period'")
        assert row is not None
        return int(row[0])

    async def broken(self) -> list[str]:
        """Promises that the database breaks."""
        return [finding.promise for finding in await check(self.database) if finding.broken]


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[World]:
    """Where discord.py believes Discord to be."""
    (tmp_path / "world").mkdir()
    discord = TinyDiscord(tmp_path)
    runner = web.AppRunner(discord.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setattr(http.Route, "BASE", f"http://127.0.0.1:{runner.addresses[0][1]}/world")
    yield discord.world("world")
    await runner.cleanup()


@pytest.fixture
async def open_house(
    world: World, settings: Settings, catalogue: Catalogue, new_job: Any, tmp_path: Path
) -> AsyncGenerator[Callable[..., Awaitable[House]]]:
    """Open the bot's rooms; what a later call opens is the next start of the same bot."""
    async with contextlib.AsyncExitStack() as stack:
        houses: list[House] = []

        async def close() -> None:
            for house in houses:
                await house.close()
            houses.clear()

        async def open_(
            *,
            worker: tuple[str, ...] = GOOD,
            heartbeat_s: float = 15.0,
            is_awaited: bool = True,
            key: SigningKey | None = None,
            fleet: Backend | None = None,
            signing_command: tuple[str, ...] = COMMAND,
            **changes: dict[str, Any],
        ) -> House:
            await close()
            changed = settings.model_copy(
                update={area: getattr(settings, area).model_copy(update=values) for area, values in changes.items()}
            )
            client = EaselClient()
            await client.http.static_login("a-token")
            stack.push_async_callback(client.close)
            client._connection.application_id = 900
            # Who is not known to be itself finds no message of its own.
            client._connection.user = discord.ClientUser(state=client._connection, data=cast("Any", BOT_USER))
            backend = Gate(*worker, heartbeat_s=heartbeat_s) if fleet is None else cast("Gate", fleet)
            database = await Database.open(tmp_path / "easel.db")
            images = ImageStore(tmp_path / "images")
            services = compose(
                changed,
                catalogue,
                client,
                database=database,
                images=images,
                input_files=ImageStore(tmp_path / "inputs"),
                backend=backend,
                key=key,
            )
            services.signing._command = signing_command
            await services.signing.begin()
            houses.append(House(services, database, backend, world, new_job))
            await backend.start()
            if is_awaited:
                await backend.wait_ready(PATIENCE_S)
            return houses[-1]

        stack.push_async_callback(close)
        yield open_
