"""Jobs of a made-up kind, from their acceptance to forgetting: `python -m tests.kind_life FOLDER` tells it as JSON.

It runs in a copy of Easel that has the kind (`tests/test_made_up_kind.py`), on a real database and a small Discord.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import discord
import msgspec
from aiohttp import web
from discord import http
from typing_extensions import override

import pipeline.protocol.requests
import pipeline.protocol.wire.outputs
from bot.client import EaselClient
from bot.composing.services import compose
from bot.configure import make_configure
from bot.errors import Refused
from bot.interactions.services import Services
from bot.interactions.start_job import ask, origin_of
from bot.presenting.custom_ids import Action, custom_id, read_press
from bot.process.logs import set_up_logging
from bot.store.images import ImageStore
from bot.store.privacy.forgetting import ForgettingRepository
from bot.store.rows.jobs import Job, JobOrder, JobStatus
from bot.store.rows.origin import StartedBy
from bot.store.rows.wishes import AskedBy, Scope, Wish
from bot.store.sqlite.checking import check
from bot.store.sqlite.database import Database
from bot.views.buttons import PRESSED
from config.areas.quotas import QuotaSettings
from config.catalogue import load_catalogue
from config.settings import LoggingSettings, Settings
from pipeline.backends.base import NO_PICTURES
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import Request, kind_name
from pipeline.protocol.usual import usual_request
from pipeline.protocol.wire.messages import Failed, Finished, Progress
from pipeline.protocol.wire.settings import NO_CHECKING, Checking, CheckMode
from tests.kill_points.engine import DrawsAtOnce
from tests.kill_points.members import interaction
from tests.kill_points.tiny_discord import BOT_USER, TinyDiscord, World

PATIENCE_S = 30.0
MEMBER = 42
# The types of the made-up kind are in the copy only.
_outputs: Any = pipeline.protocol.wire.outputs
_requests: Any = pipeline.protocol.requests


class Describes(DrawsAtOnce):
    """An engine that also describes: one answer fewer than asked for. While it is shut, it only begins."""

    def __init__(self, settings: Settings) -> None:
        catalogue = load_catalogue(settings.pipeline.catalogue, settings.pipeline.default_model)
        super().__init__(configure=make_configure(settings, catalogue))
        self.submitted: list[tuple[str, CheckMode]] = []
        self.is_shut = False

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
        self.submitted.append((kind_name(request), checking.mode))
        if kind_name(request) == "image":
            await super().submit(job_id, attempt, request, pictures=pictures, is_alone=is_alone)
            return
        self._events.put_nowait(
            Progress(job_id=job_id, attempt=attempt, phase="running", step=1, total_steps=2, elapsed_s=0.1)
        )
        if request.prompt == "nonsense":
            self._events.put_nowait(Failed(job_id=job_id, attempt=attempt, reason=FailureReason.INVALID_REQUEST))
        elif not self.is_shut:
            self._events.put_nowait(finished(job_id, attempt, request))


def finished(job_id: int, attempt: int, request: Any) -> Finished:
    """The end of a described attempt."""
    outputs = tuple(
        _outputs.TextFile(index=index, data=f"{request.tone}: {request.prompt}".encode(), media_type="text/plain")
        for index in range(max(1, request.answers - 1))
    )
    return Finished(job_id=job_id, attempt=attempt, outputs=outputs, notices=(), denoise_s=6.0, total_s=8.0)


class Life:
    """One life of the bot without a gateway."""

    def __init__(
        self, services: Services, client: EaselClient, database: Database, backend: Describes, world: World
    ) -> None:
        self.services = services
        self.client = client
        self.database = database
        self.backend = backend
        self.world = world
        self._working: asyncio.Task[None] | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def lived(cls, directory: Path, world: World) -> AsyncGenerator["Life"]:
        """Open the bot's rooms on what an earlier life left; at the end, leave what is under way to the next one."""
        settings = Settings(quotas=QuotaSettings(amount=100, cooldown_s=0))
        catalogue = load_catalogue(settings.pipeline.catalogue, settings.pipeline.default_model)
        client = EaselClient()
        await client.http.static_login("a-token")
        client._connection.application_id = 900
        client._connection.user = discord.ClientUser(state=client._connection, data=cast("Any", BOT_USER))
        backend = Describes(settings)
        database = await Database.open(directory / "easel.db")
        services = compose(
            settings,
            catalogue,
            client,
            database=database,
            images=ImageStore(directory / "images"),
            input_files=ImageStore(directory / "inputs"),
            backend=backend,
        )
        client.serve(services)
        life = cls(services, client, database, backend, world)
        try:
            await services.dispatcher.recover()
            yield life
        finally:
            await life.die()

    def work(self) -> None:
        """Start to claim and run."""
        self._working = asyncio.create_task(self.services.dispatcher.run())

    async def die(self) -> None:
        """Stop at once."""
        left = [task for task in (self._working, *self.services.dispatcher._endings.tasks) if task is not None]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self.client.close()
        await self.database.close()

    def interaction(self, **changes: Any) -> discord.Interaction[Any]:
        """An interaction of the member."""
        payload: Any = interaction(1_000 + len(self.world.originals), "-")
        payload["member"]["user"]["id"] = str(MEMBER)
        payload |= changes
        return discord.Interaction(data=payload, state=self.client._connection)

    async def ask(self, request: Request) -> Job:
        """Ask as a command would; the job, with the message that answers."""
        command = self.interaction()
        order = JobOrder(origin=origin_of(command, StartedBy.IMAGINE), request=request, notices=())
        await ask(self.services, command, order)
        (newest,) = await self.database.fetch_all("SELECT max(job_id) AS job_id FROM jobs")
        return await self.job(newest["job_id"])

    async def press(self, job: Job, action: Action) -> str:
        """Press a button of a job's message; what only the member reads then, or why it is refused."""
        pressed = custom_id(action, job.job_id)
        data = {"custom_id": pressed, "component_type": 2}
        press = self.interaction(type=3, message=self.world.messages[job.message_id or 0], data=data)
        before = {*self.world.messages}
        try:
            await PRESSED[action](self.services, press, read_press(pressed))
        except Refused as error:
            return error.key
        (answer,) = {*self.world.messages} - before
        return words_of(self.world.messages[answer])

    async def job(self, job_id: int) -> Job:
        """A job as it is now."""
        job = await self.services.jobs.get(job_id)
        assert job is not None
        return job

    async def until(self, job: Job, status: JobStatus) -> Job:
        """A job once it has this status."""
        async with asyncio.timeout(PATIENCE_S):
            while (found := await self.job(job.job_id)).status is not status:
                await asyncio.sleep(0.01)
        return found

    async def until_shown(self, job: Job, is_wanted: Callable[[str], bool]) -> str:
        """What a job's message says once it says so."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_wanted(said := self.said(job)):
                await asyncio.sleep(0.01)
        return said

    def said(self, job: Job) -> str:
        """What a job's message says."""
        return words_of(self.world.messages[job.message_id or 0])

    def files(self, job: Job) -> list[str]:
        """The names of a message's files."""
        return [file["filename"] for file in self.world.messages[job.message_id or 0]["attachments"]]


def words_of(part: Any) -> str:
    """All texts and ids of buttons in a message."""
    if isinstance(part, list):
        return "\n".join(filter(None, map(words_of, part)))
    if not isinstance(part, dict):
        return ""
    own = str(part.get("content") or part.get("custom_id") or "")
    return "\n".join(filter(None, [own, words_of(part.get("components"))]))


async def first_life(life: Life, described: Request) -> dict[str, Any]:
    """A job from its acceptance to its price; a failed one; and one that is running when the life ends."""
    job = await life.ask(described)
    told: dict[str, Any] = {"price": job.price, "expected at first": job.expected_ms, "queued": life.said(job)}
    life.work()
    job = await life.until(job, JobStatus.SUCCEEDED)
    told |= {"done": life.said(job), "files": life.files(job), "details": await life.press(job, Action.DETAILS)}
    told["forged"] = await life.press(job, Action.UPSCALE)
    told["outputs"] = [msgspec.to_builtins(output) for output in await life.services.jobs.outputs(job.job_id)]
    told["timings"] = [dict(row) for row in await life.database.fetch_all("SELECT * FROM timings")]
    told["charged"] = [entry.captured for entry in await life.services.ledger.entries(400, MEMBER, 1)]
    bad = await life.until(await life.ask(msgspec.structs.replace(described, prompt="nonsense")), JobStatus.FAILED)
    told["over"] = await life.until_shown(bad, lambda said: "easel:retry" in said)
    drawn = await life.until(await life.ask(usual_request(life.services.catalogue.default)), JobStatus.SUCCEEDED)
    told["files of a picture"] = life.files(drawn)
    told["submitted"] = [*life.backend.submitted]
    life.backend.is_shut = True
    held = await life.ask(described)
    told["expected later"] = held.expected_ms
    told["running"] = await life.until_shown(held, lambda said: "1" in said and "2" in said and "line" not in said)
    return told | {"held": held.job_id}


async def second_life(life: Life, held: Job) -> dict[str, Any]:
    """The running job is found and run again; another one is stored, and only its delivery is left."""
    life.work()
    told: dict[str, Any] = {"held again": (await life.until(held, JobStatus.SUCCEEDED)).attempt}
    return told | {"held files": life.files(held)}


async def third_life(life: Life, described: Request) -> dict[str, Any]:
    """A job whose outputs are stored is delivered and not run; then its member is forgotten."""
    job = await life.ask(described)
    claimed = await life.services.queue.claim_next(running_per_user=0, now=datetime.now(UTC))
    assert claimed is not None
    await life.services.storing.keep(claimed, finished(job.job_id, 1, described), lambda: None)
    await life.services.dispatcher.recover()
    await life.until(job, JobStatus.SUCCEEDED)
    told: dict[str, Any] = {"adopted": life.files(job), "run again": life.backend.submitted}
    await ForgettingRepository(life.database, "UTC").carry_out(_wish(), datetime.now(UTC))
    rows = await life.database.fetch_all("SELECT job_id, request FROM jobs ORDER BY job_id")
    told["forgotten"] = [json.loads(row["request"]) for row in rows]
    told["still read"] = [(await life.job(row["job_id"])).request.prompt for row in rows]
    told["broken"] = [finding.promise for finding in await check(life.database) if finding.broken]
    return told


def _wish() -> Wish:
    return Wish.new(MEMBER, Scope.WORDS, AskedBy.MEMBER, datetime.now(UTC))


async def main(directory: Path) -> dict[str, Any]:
    """Three lives of the bot."""
    (directory / "world").mkdir()
    small = TinyDiscord(directory)
    runner = web.AppRunner(small.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    http.Route.BASE = f"http://127.0.0.1:{runner.addresses[0][1]}/world"
    world = small.world("world")
    described = _requests.DescribeRequest(
        prompt="what is a star?", secret="whom it is for", tone="shy", answers=2, model_key="pocket"
    )
    try:
        async with Life.lived(directory, world) as life:
            told = await first_life(life, described)
        async with Life.lived(directory, world) as life:
            told |= await second_life(life, await life.job(told["held"]))
        async with Life.lived(directory, world) as life:
            told |= await third_life(life, described)
    finally:
        await runner.cleanup()
    return told


if __name__ == "__main__":
    set_up_logging(LoggingSettings())  # to standard error
    print(json.dumps(asyncio.run(main(Path(sys.argv[1])))))  # noqa: T201 - for the test that started it
