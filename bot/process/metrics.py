"""Serves the instruments, present figures and health over HTTP: `/metrics`, `/healthz` and `/readyz`."""

import asyncio
import contextlib
import shutil
import sqlite3
import time
from collections.abc import Iterable
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from bot.client import EaselClient
from bot.instruments import REGISTRY
from bot.interactions.services import Services
from bot.process.pulse import Pulse
from bot.store.queue import Line
from pipeline.backends.base import BackendStatus, WorkerState

_TYPE: Final = {"Content-Type": CONTENT_TYPE_LATEST}

_log = structlog.get_logger(__name__)


class _Present(Collector):
    """Figures of one moment, read before they are collected."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = [*families]

    @override
    def collect(self) -> Iterable[Metric]:
        return self._families


class Metrics:
    """The pages of one bot.

    Args:
        client: the Discord client.
        services: the services.
        pulse: the bot's health.
    """

    def __init__(self, client: EaselClient, services: Services, pulse: Pulse) -> None:
        self._client = client
        self._services = services
        self._pulse = pulse

    async def run(self) -> None:
        """Serve until cancelled, if the owner set an address. A wrong one is only logged, since members come first."""
        listen = self._services.settings.metrics
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=1)
        try:
            if listen.address is not None:
                await runner.setup()
                await web.TCPSite(runner, *listen.address).start()
        except (OSError, OverflowError) as error:
            _log.error("metrics are not served", action="metrics_failed", address=listen.listen, error=str(error))
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    def application(self) -> web.Application:
        """The pages as a web application."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._healthy),
                web.get("/readyz", self._ready),
            ]
        )
        return application

    async def _metrics(self, _: web.Request) -> web.Response:
        try:
            line = await self._services.queue.line()
        except sqlite3.Error as error:
            _log.warning("the queue cannot be read", action="metrics_failed", error=repr(error))
            line = None
        present = CollectorRegistry()
        present.register(_Present(self._families(line)))
        return web.Response(body=generate_latest(REGISTRY) + generate_latest(present), headers=_TYPE)

    async def _healthy(self, _: web.Request) -> web.Response:
        return _said(self._pulse.health.complaints_of_bot)

    async def _ready(self, _: web.Request) -> web.Response:
        health = self._pulse.health
        starting = ["The worker starts."] if health.worker is WorkerState.STARTING else []
        return _said([*health.complaints, *starting])

    def _families(self, line: Line | None) -> Iterable[Metric]:
        health, latency_s = self._pulse.health, self._client.latency
        yield InfoMetricFamily("easel_build", "Version of Easel.", {"version": health.version})
        if line is not None:
            yield _gauge("easel_queue_jobs", "Jobs that wait.", line.queued)
            yield _gauge("easel_running_jobs", "Jobs that are drawn or delivered.", line.running)
            oldest_s = max(0.0, time.time() - line.oldest_at.timestamp()) if line.oldest_at is not None else 0.0
            yield _gauge("easel_queue_oldest_seconds", "Age of the oldest waiting job.", oldest_s)
            yield _gauge("easel_queue_expected_seconds", "Expected work of all waiting jobs.", line.expected_s)
        yield _gauge("easel_gateway_connected", "1 while Discord's gateway is connected.", health.away_since is None)
        if 0 < latency_s < float("inf"):
            yield _gauge("easel_gateway_latency_seconds", "Answer time of Discord's gateway.", latency_s)
        yield _gauge("easel_servers", "Servers that Easel belongs to.", len(self._client.guilds))
        yield _gauge("easel_healthy", "1 while `easel health` has no complaint.", not health.complaints)
        yield from _worker(self._services.backend.status)
        yield from self._disk()

    def _disk(self) -> Iterable[Metric]:
        storage = self._services.settings.storage
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(storage.directory).free
            yield _gauge("easel_disk_free_bytes", "Free bytes of the disk with the database and the pictures.", free)
        with contextlib.suppress(OSError):
            yield _gauge("easel_database_bytes", "Size of the database.", storage.database.stat().st_size)


def _worker(status: BackendStatus) -> Iterable[Metric]:
    states = GaugeMetricFamily("easel_worker_state", "1 for the worker's present state.", labels=["state"])
    for state in WorkerState:
        states.add_metric([state], status.state is state)
    yield states
    yield _gauge("easel_worker_restarts", "Restarts of the worker since the bot's start.", status.restarts)
    yield _gauge("easel_worker_rss_bytes", "Resident memory of the worker.", status.rss_bytes)
    if status.ready is not None and status.ready.vram_bytes:
        yield _gauge("easel_device_memory_bytes", "Memory of the device.", status.ready.vram_bytes)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, float(value))


def _said(complaints: list[str]) -> web.Response:
    """`ok`, or the complaints with the status for a service that cannot serve now."""
    return web.Response(text="\n".join([*complaints, ""]) or "ok\n", status=503 if complaints else 200)
