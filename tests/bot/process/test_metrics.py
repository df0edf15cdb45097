"""What monitoring reads: figures of a working bot, health, and the files for Prometheus and Grafana."""

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from bot.client import EaselClient
from bot.jobs import dispatcher
from bot.process.metrics import Metrics
from bot.process.pulse import Pulse
from bot.store.rows.jobs import JobStatus
from config.areas.metrics import MetricsSettings
from pipeline.backends.base import WorkerState
from tests.bot.jobs.conftest import House
from tests.bot.jobs.conftest import open_house as open_house  # noqa: PLC0414 - fixtures, seen by these tests
from tests.bot.jobs.conftest import world as world  # noqa: PLC0414
from tests.bot.store.conftest import new_job as new_job  # noqa: PLC0414

pytestmark = [pytest.mark.timeout(60), pytest.mark.system]
OBSERVE = Path(__file__).parents[3] / "docs" / "observe"
NAME = re.compile(r"\beasel_[a-z_]+")

Get = Callable[[str], Awaitable[tuple[int, str]]]
Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def figures_of(page: str) -> Figures:
    """Each sample of a page by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def metrics_of(house: House) -> Metrics:
    client = EaselClient()
    client.away_since = None
    return Metrics(client, house.services, Pulse(client, house.services))


async def pages_of(house: House, *paths: str) -> list[tuple[int, str]]:
    """Status and text of each page, over HTTP."""
    async with TestClient(TestServer(metrics_of(house).application())) as client:
        answers = [await client.get(path) for path in paths]
        return [(answer.status, await answer.text()) for answer in answers]


async def until_ended(house: House, job_id: int) -> None:
    async with asyncio.timeout(30):
        while True:
            job = await house.services.jobs.get(job_id)
            if job is not None and job.status not in (JobStatus.QUEUED, JobStatus.RUNNING):
                return
            await asyncio.sleep(0.01)


async def test_a_job_is_counted_from_its_wait_to_its_units(
    open_house: Callable[..., Awaitable[House]], tmp_path: Path
) -> None:
    house = await open_house(storage={"directory": tmp_path})
    ((_, before),) = await pages_of(house, "/metrics")
    was = figures_of(before)
    job = await house.ask()
    waiting = figures_of((await pages_of(house, "/metrics"))[0][1])
    assert waiting["easel_queue_jobs", ()] == 1
    assert waiting["easel_queue_oldest_seconds", ()] >= 0
    house.work()
    await until_ended(house, job.job_id)
    ((status, page),) = await pages_of(house, "/metrics")
    assert status == 200
    now = figures_of(page)

    def grown(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return now[key] - was.get(key, 0)

    assert now["easel_queue_jobs", ()] == 0
    assert grown("easel_jobs_total", kind="image", status="succeeded", reason="") == 1
    assert grown("easel_units_total", kind="image") == job.price
    assert grown("easel_wait_seconds_count") == 1
    assert grown("easel_draw_seconds_count", kind="image") == 1
    assert grown("easel_deliver_seconds_count") == 1
    assert grown("easel_commit_seconds_count") >= 3
    assert sum(value for (name, _), value in now.items() if name == "easel_discord_requests_total") > 0
    assert now["easel_worker_state", (("state", "ready"),)] == 1
    assert now["easel_disk_free_bytes", ()] > 0
    assert now["easel_database_bytes", ()] > 0


async def test_a_failed_job_is_counted_with_its_reason_and_costs_nothing(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()
    was = figures_of((await pages_of(house, "/metrics"))[0][1])
    job = await house.ask()
    assert await house.services.dispatcher.cancel(job, job.requester_id)
    await until_ended(house, job.job_id)
    now = figures_of((await pages_of(house, "/metrics"))[0][1])
    key = ("easel_jobs_total", (("kind", "image"), ("reason", ""), ("status", "cancelled")))
    assert now[key] == was.get(key, 0) + 1
    units = ("easel_units_total", (("kind", "image"),))
    assert now[units] == was.get(units, 0)


async def test_health_is_of_the_bot_and_readiness_of_the_worker_too(
    open_house: Callable[..., Awaitable[House]], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house()
    assert await pages_of(house, "/healthz", "/readyz") == [(200, "ok\n"), (200, "ok\n")]
    status = house.backend.status
    with monkeypatch.context() as patched:
        fallen = msgspec.structs.replace(status, state=WorkerState.UNUSABLE, detail="No GPU.")
        patched.setattr(type(house.backend), "status", property(lambda _: fallen))
        healthy, ready = await pages_of(house, "/healthz", "/readyz")
    assert healthy == (200, "ok\n")
    assert ready == (503, "No worker draws (unusable): No GPU.\n")
    house.work()
    await asyncio.sleep(0)
    monkeypatch.setattr(dispatcher, "_STUCK_S", -1.0)
    healthy, ready = await pages_of(house, "/healthz", "/readyz")
    assert healthy == (503, "No job is handed out or ended any more; restart Easel.\n")
    assert ready[0] == 503


async def test_pages_are_served_at_the_address_and_a_taken_one_stops_nothing(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    house = await open_house(metrics={"listen": f"127.0.0.1:{port}"})
    first, second = (asyncio.create_task(metrics_of(house).run()) for _ in range(2))
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
                    assert answer.status == 200
                    break
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.01)
    assert not first.done()
    assert not second.done()
    for task in (first, second):
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)


@pytest.mark.parametrize("file", ["alerts.yml", "grafana.json"])
async def test_each_name_in_the_files_for_monitoring_is_served(
    open_house: Callable[..., Awaitable[House]], tmp_path: Path, file: str
) -> None:
    house = await open_house(storage={"directory": tmp_path})
    ((_, page),) = await pages_of(house, "/metrics")
    # A figure with labels has no sample before its first event, but it is announced.
    announced = set(NAME.findall(page)) | {f"{name}_bucket" for name in NAME.findall(page)}
    written = set(NAME.findall((OBSERVE / file).read_text()))
    assert len(written) > 5
    # The worker of this test has no memory of its own device.
    assert written - announced <= {"easel_device_memory_bytes", "easel_gateway_latency_seconds"}


def test_the_dashboard_is_whole() -> None:
    dashboard: dict[str, Any] = json.loads((OBSERVE / "grafana.json").read_text())
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places) > 10
    assert all(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("", None),
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("[::1]:9464", ("::1", 9464)),
        ("localhost:80", ("localhost", 80)),
    ],
)
def test_an_address_is_read(listen: str, address: tuple[str, int] | None) -> None:
    assert MetricsSettings(listen=listen).address == address


@pytest.mark.parametrize("listen", ["9464", "http://localhost:9464", "localhost", ":9464", "a b:1"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(ValidationError):
        MetricsSettings(listen=listen)
