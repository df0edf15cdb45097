"""A bot with the real ledger, dispatcher and fleet, and without Discord: whatever it says there is accepted at once.

`python -m benchmarks.fleet.bot FOLDER SERVER HOSTS JOBS STEPS` accepts JOBS jobs, waits until HOSTS hosts are ready,
and works until it is killed. The next one with no jobs goes on with what it left. `delivered` in FOLDER gets a line
with its number for each delivery of a job.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

from discord import ui
from typing_extensions import override

from bot.app import open_services
from bot.calls.messages import Calls, End
from bot.calls.repeating import Files
from bot.client import EaselClient
from bot.interactions.services import Services
from bot.process.logs import set_up_logging
from bot.store.rows.jobs import Job, NewJob
from bot.store.rows.origin import Asker, Origin, StartedBy
from config.areas.hosts import HostSettings
from config.areas.quotas import QuotaSettings
from config.areas.storage import StorageSettings
from config.catalogue import load_catalogue
from config.settings import LoggingSettings, ProvenanceSettings, SafetySettings, Settings
from pipeline.protocol.requests import GenerationRequest

LEASE_S: Final = 5.0
_MEMBERS: Final = 50
_MESSAGE: Final = 1_000_000


class SilentCalls(Calls):
    """Calls that reach nobody. What was delivered is in a file, as it would be in Discord's messages."""

    delivered: ClassVar[Path]

    @override
    async def edit_message(self, job: Job, view: ui.LayoutView, files: Files | None, *, is_last_word: bool) -> None:
        if is_last_word and files:
            with self.delivered.open("a") as file:
                file.write(f"{job.job_id}\n")

    @override
    async def notify(self, job: Job, sentence: str) -> None:
        pass

    @override
    async def find_end(self, job: Job) -> End | None:
        shown = self.delivered.read_text().split() if self.delivered.exists() else []
        return End(message_id=_MESSAGE + job.job_id, outputs=1) if str(job.job_id) in shown else None

    @override
    async def message_exists(self, job: Job) -> bool:
        return True

    @override
    async def find_answer(self, job: Job) -> int | None:
        return _MESSAGE + job.job_id


def settings_of(folder: Path, server: str) -> Settings:
    """Settings without limits, quotas or signatures, for hosts alone."""
    return Settings(
        storage=StorageSettings(directory=folder),
        hosts=HostSettings(server=server, draws_here=False, lease_s=LEASE_S),
        safety=SafetySettings(image_check="off"),
        provenance=ProvenanceSettings(sign="off"),
        quotas=QuotaSettings(amount=0, queued_per_user=0, running_per_user=0),
    )


async def _main(folder: Path, server: str, hosts: int, jobs: int, steps: int) -> None:
    settings = settings_of(folder, server)
    catalogue = load_catalogue(settings.pipeline.catalogue, settings.pipeline.default_model)
    SilentCalls.delivered = folder / "delivered"
    async with open_services(settings, catalogue, EaselClient()) as services:
        services.calls.__class__ = SilentCalls
        await asyncio.gather(*(_accept(services, number, steps) for number in range(jobs)))
        await services.backend.start()
        await services.dispatcher.recover()
        while jobs and sum(view.state == "ready" for view in services.backend.views) < hosts:
            await asyncio.sleep(0.05)
        await services.dispatcher.run()


async def _accept(services: Services, number: int, steps: int) -> None:
    now = datetime.now(UTC)
    new = NewJob(
        origin=Origin(
            interaction_id=number + 1,
            interaction_token="token",  # noqa: S106 - no real token
            token_expires_at=now + timedelta(minutes=15),
            started_by=StartedBy.IMAGINE,
            lineage=None,
            asker=Asker(guild_id=1, channel_id=1, user_id=1 + number % _MEMBERS),
            requester_name="member",
            locale="en-US",
            filesize_limit=10_000_000,
            is_age_restricted=False,
            shown_guild_id=1,
        ),
        request=request_of(steps),
        notices=(),
        price=1,
        expected_ms=1_000,
    )
    job, _ = await services.jobs.accept(new, settings=services.settings.quotas, now=now)
    await services.jobs.record_message(job.job_id, _MESSAGE + job.job_id)


def request_of(steps: int) -> GenerationRequest:
    """A request for which a sleeper sleeps `steps` times."""
    return GenerationRequest(
        prompt="a star",
        negative_prompt="",
        num_inference_steps=steps,
        guidance_scale=5.0,
        width=64,
        height=64,
        scheduler_name="Euler",
        seed=7,
        num_images=1,
        model_key="pocket",
    )


if __name__ == "__main__":
    set_up_logging(LoggingSettings(level="ERROR"))
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])))
