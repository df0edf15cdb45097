"""Hosts that sleep: real agents in one process, each over a backend that draws nothing and takes its time.

`python -m benchmarks.fleet.sleepers LINES CAPACITY DRAWN` runs an agent for each line of the file LINES until it is
killed. The file DRAWN gets a line for each attempt that one takes: the time by the computer's clock since its start, in
seconds, the host's name, the job and the attempt.
"""

import asyncio
import os
import sys
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bot.process.logs import set_up_logging
from config.settings import LoggingSettings
from pipeline.agent.agent import Agent
from pipeline.backends.attempts import Attempts
from pipeline.backends.base import NO_PICTURES, Backend, BackendStatus, WorkerState
from pipeline.link.line import read_line
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, Request
from pipeline.protocol.wire.messages import (
    PROTOCOL_VERSION,
    Checked,
    Failed,
    Finished,
    FoundPart,
    JobEvent,
    Ready,
)
from pipeline.protocol.wire.outputs import ImageFile
from pipeline.protocol.wire.settings import NO_CHECKING, Checking

SECONDS_A_STEP: Final = 0.2
_SIDE: Final = 365
"""Pixels; a picture of noise with this side takes 0.4 MB."""


def sleep_s(request: Request) -> float:
    """How long a request takes on a host that has room."""
    return SECONDS_A_STEP * request.num_inference_steps if isinstance(request, GenerationRequest) else 0.0


class Sleeper(Backend):
    """A worker that sleeps. See `pipeline.backends.base.Backend`.

    Args:
        name: its host's name.
        capacity: how many attempts it has at once.
        drew: called with each attempt that it takes.
    """

    def __init__(self, name: str, capacity: int, drew: Callable[[str, int, int], None]) -> None:
        self._name = name
        self._drew = drew
        self._attempts = Attempts()
        self._sleeping: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._ready = Ready(
            protocol_version=PROTOCOL_VERSION,
            device="cpu",
            device_name="a bed",
            dtype="float32",
            vram_bytes=0,
            models=("pocket",),
            missing={},
            capacity=capacity,
            versions={},
        )

    async def start(self) -> None:
        """Nothing to do."""

    async def wait_ready(self, timeout_s: float) -> Ready:  # noqa: ARG002 - it is ready at once
        """It is ready at once."""
        return self._ready

    async def submit(
        self,
        job_id: int,
        attempt: int,
        request: Request,
        *,
        pictures: Mapping[str, bytes] = NO_PICTURES,  # noqa: ARG002 - it draws nothing
        checking: Checking = NO_CHECKING,  # noqa: ARG002 - as above
        is_alone: bool = False,
    ) -> None:
        """Sleep as long as the request takes."""
        key = (job_id, attempt)
        async with self._attempts.joining(key, is_alone=is_alone):
            self._drew(self._name, job_id, attempt)
            task = asyncio.create_task(self._sleep(key, sleep_s(request)))
            self._sleeping[key] = task
            task.add_done_callback(lambda _: self._sleeping.pop(key, None))

    async def _sleep(self, key: tuple[int, int], seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._attempts.hand_on(
            Finished(
                job_id=key[0],
                attempt=key[1],
                outputs=(ImageFile(index=0, data=noise(), media_type="image/png", width=_SIDE, height=_SIDE, seed=7),),
                notices=(),
                denoise_s=seconds,
                total_s=seconds,
            )
        )

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Stop sleeping."""
        if (task := self._sleeping.get((job_id, attempt))) is not None:
            task.cancel()
            self._attempts.hand_on(Failed(job_id=job_id, attempt=attempt, reason=FailureReason.CANCELLED))

    async def find_part(self, picture: bytes, words: str) -> FoundPart:  # noqa: ARG002 - nobody asks
        """Nothing is seen."""
        return FoundPart(question=0, mask=b"", is_seen=False)

    async def check(self, pictures: Sequence[bytes], checking: Checking) -> Checked:  # noqa: ARG002 - nobody asks
        """Nothing is checked."""
        return Checked(question=0)

    async def events(self) -> AsyncIterator[JobEvent]:
        """Events of its attempts."""
        async for event in self._attempts.events():
            yield event

    def on_ready(self, callback: Callable[[], None]) -> None:
        """It is ready from the start."""

    @property
    def status(self) -> BackendStatus:
        """It is ready."""
        return BackendStatus(
            state=WorkerState.READY, ready=self._ready, rss_bytes=0, phase="idle", restarts=0, detail=""
        )

    @property
    def free_slots(self) -> int:
        """Number of further attempts."""
        return 0 if self._attempts.is_reserved else self._ready.capacity - len(self._attempts)

    async def close(self) -> None:
        """Wake up."""
        for task in [*self._sleeping.values()]:
            task.cancel()
        self._attempts.forget()
        self._attempts.end()


def noise() -> bytes:
    """A PNG that nobody has seen before."""
    rows = b"".join(b"\0" + os.urandom(3 * _SIDE) for _ in range(_SIDE))
    size = _SIDE.to_bytes(4, "big")
    chunks = (b"IHDR" + size + size + bytes((8, 2, 0, 0, 0)), b"IDAT" + zlib.compress(rows, 0), b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") for chunk in chunks
    )


async def _main(lines: Sequence[str], capacity: int, drawn: Path) -> None:
    with drawn.open("a", buffering=1) as log:

        def drew(name: str, job_id: int, attempt: int) -> None:
            log.write(f"{time.monotonic()} {name} {job_id} {attempt}\n")

        async with asyncio.TaskGroup() as group:
            for word in lines:
                line = read_line(word)
                sleeper = Sleeper(line.name, capacity, drew)
                agent = Agent(line, make_backend=lambda _, sleeper=sleeper: sleeper, easel="benchmark")
                group.create_task(agent.run(asyncio.Event(), 0))


if __name__ == "__main__":
    set_up_logging(LoggingSettings(level="WARNING"))
    asyncio.run(_main(Path(sys.argv[1]).read_text().split(), int(sys.argv[2]), Path(sys.argv[3])))
