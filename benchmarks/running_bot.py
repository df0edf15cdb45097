"""The real bot and worker on the local Discord, for benchmarks."""

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import psutil

from playground import LocalDiscord


class RunningBot:
    """A running bot process with a ready worker."""

    def __init__(self, local: LocalDiscord, pid: int, database: Path) -> None:
        self.local = local
        self.database = database
        self.bot = psutil.Process(pid)

    @property
    def worker(self) -> psutil.Process:
        """The worker process: the only child of the starter, which is the bot's only one."""
        return self.bot.children()[0].children()[0]


@contextlib.asynccontextmanager
async def running_bot(threads: int, *, running_per_user: int = 0) -> AsyncGenerator[RunningBot]:
    """Start the local Discord, the bot and its worker, without limits of quota and queue.

    Args:
        threads: CPU threads of the worker.
        running_per_user: most running jobs of one member; 0 means no limit.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        async with LocalDiscord() as local:
            environment = os.environ | {
                "EASEL_DISCORD__TOKEN": local.token,
                "EASEL_DISCORD__API_BASE_URL": local.api_base_url,
                "EASEL_DISCORD__GATEWAY_URL": local.gateway_url,
                "EASEL_STORAGE__DIRECTORY": f"{folder}/data",
                "EASEL_PIPELINE__THREADS": str(threads),
                "EASEL_QUOTAS__AMOUNT": "0",
                "EASEL_QUOTAS__QUEUED_PER_USER": "0",
                "EASEL_QUOTAS__RUNNING_PER_USER": str(running_per_user),
            }
            with log.open("w") as file:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "bot", "run"), env=environment, stdout=file, stderr=file
                )
            try:
                await local.wait_for_bot(60)
                while "worker ready" not in log.read_text():
                    await asyncio.sleep(0.1)
                yield RunningBot(local, process.pid, Path(folder) / "data" / "easel.db")
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def percentile(samples: Sequence[float], percent: int) -> float:
    """The percentile of the samples, by linear interpolation."""
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]
