"""An engine that draws at once; real worker processes have tests of their own."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from PIL import Image

from pipeline.backends.base import NO_PICTURES, Backend, BackendStatus, WorkerState, WorkerUnavailable
from pipeline.backends.starter import Starter
from pipeline.protocol.requests import GenerationRequest, Request, narrowed
from pipeline.protocol.wire.messages import Checked, Configure, Finished, FoundPart, JobEvent, Progress, Ready
from pipeline.protocol.wire.outputs import ImageFile
from pipeline.protocol.wire.settings import NO_CHECKING, Checking


def picture_of(prompt: str) -> bytes:
    """The picture of a prompt: every attempt draws the same bytes, and no other prompt does."""
    data = io.BytesIO()
    Image.frombytes("L", (len(prompt), 1), prompt.encode()).save(data, "PNG")
    return data.getvalue()


class DrawsAtOnce(Backend):
    """An engine without a worker process: one word of progress, then the picture."""

    def __init__(self, *, configure: Configure, starter: Starter | None = None) -> None:  # noqa: ARG002 - no process
        self._ready = Ready(
            protocol_version=configure.protocol_version,
            device="cpu",
            device_name="none",
            dtype="float32",
            vram_bytes=0,
            models=tuple(spec.key for spec in configure.models),
            missing={},
            capacity=2,
            versions={},
        )
        self._events: asyncio.Queue[JobEvent] = asyncio.Queue()
        self._callbacks: list[Callable[[], None]] = []

    async def start(self) -> None:
        for callback in self._callbacks:
            callback()

    async def wait_ready(self, timeout_s: float) -> Ready:
        del timeout_s  # it is ready from the start
        return self._ready

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
        del checking, is_alone  # what it draws is harmless
        assert not pictures  # and nothing starts from a picture
        request = narrowed(request, GenerationRequest)
        steps = request.num_inference_steps
        self._events.put_nowait(
            Progress(job_id=job_id, attempt=attempt, phase="running", step=1, total_steps=steps, elapsed_s=0.1)
        )
        drawn = ImageFile(
            index=0, data=picture_of(request.prompt), media_type="image/png", width=64, height=64, seed=request.seed
        )
        self._events.put_nowait(
            Finished(job_id=job_id, attempt=attempt, outputs=(drawn,), notices=(), denoise_s=0.1, total_s=0.2)
        )

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Everything is drawn before anybody could cancel it."""

    async def find_part(self, picture: bytes, words: str) -> FoundPart:
        """An engine without a text mask model."""
        del picture, words
        raise WorkerUnavailable("There is no text mask model.")

    async def check(self, pictures: Sequence[bytes], checking: Checking) -> Checked:
        """An engine that is given no pictures."""
        del checking
        raise WorkerUnavailable(f"{len(pictures)} pictures are not checked.")

    async def events(self) -> AsyncIterator[JobEvent]:
        while True:
            yield await self._events.get()

    def on_ready(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    @property
    def status(self) -> BackendStatus:
        return BackendStatus(
            state=WorkerState.READY, ready=self._ready, rss_bytes=0, phase="idle", restarts=0, detail=""
        )

    @property
    def free_slots(self) -> int:
        return 2

    async def close(self) -> None:
        """There is nothing to end."""
