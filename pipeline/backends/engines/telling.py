"""What is told of an attempt while an engine of others draws it.

A worker of ours looks at each preview before anybody sees it.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from pipeline.backends.base import Backend, WorkerUnavailable
from pipeline.backends.engines.cleaning import Clean, NoPicture
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.finishing import FinishPictures
from pipeline.protocol.wire.hosts import Key
from pipeline.protocol.wire.messages import Progress

_log = structlog.get_logger(__name__)


class Previews:
    """Previews of one attempt: one at a time is made, and what comes meanwhile is passed over.

    Args:
        worker: makes them.
        clean: makes PNGs of what servers send.
        interval_s: seconds between two of them; 0 makes none.
        asked: the question about the finished pictures, with none of them.
    """

    def __init__(self, worker: Backend, clean: Clean, interval_s: float, asked: FinishPictures) -> None:
        self._worker = worker
        self._clean = clean
        self._interval_s = interval_s
        self._asked = asked
        self._due_at = 0.0
        self._making: asyncio.Task[None] | None = None

    def offer(self, picture: bytes, show: Callable[[bytes], None]) -> None:
        """Make a preview of an unfinished picture as the server sent it, if one is due.

        Args:
            picture: the picture; no bytes for none.
            show: called with the preview, a small WebP picture.
        """
        is_busy = self._making is not None and not self._making.done()
        if not picture or not self._interval_s or is_busy or time.monotonic() < self._due_at:
            return
        self._due_at = time.monotonic() + self._interval_s
        self._making = asyncio.create_task(self._make(picture, show), name="preview")

    async def _make(self, picture: bytes, show: Callable[[bytes], None]) -> None:
        try:
            cleaned = await self._clean(picture)
            finished = await self._worker.finish_pictures(self._asked.previewing(cleaned))
        except (NoPicture, WorkerUnavailable) as error:
            _log.debug("no preview", action="no_preview", detail=str(error))
            return
        if finished.preview:
            show(finished.preview)

    async def close(self) -> None:
        """Make no more of them."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait({self._making})


class Teller:
    """Tells the progress of an attempt, whose images are drawn one after the other.

    Args:
        key: job id and attempt.
        request: what is asked for.
        say: hears of the progress.
        previews: makes previews.
    """

    def __init__(
        self, key: Key, request: GenerationRequest, say: Callable[[Progress], None], previews: Previews
    ) -> None:
        self._key = key
        self._steps = request.num_inference_steps
        self._total = request.num_inference_steps * request.num_images
        self._say = say
        self._previews = previews
        self._began = time.monotonic()
        self._first = self._done = 0
        self._tell()

    def begin(self, index: int) -> None:
        """Tell of this image from now on."""
        self._first = index * self._steps

    def hear(self, step: int, of: int, preview: bytes) -> None:
        """Tell that the server has done so many of its own steps of the image."""
        self._done = min(self._first + (step * self._steps // of if of else 0), self._total)
        self._tell()
        self._previews.offer(preview, self._tell)

    def _tell(self, preview: bytes = b"") -> None:
        self._say(
            Progress(
                job_id=self._key[0],
                attempt=self._key[1],
                phase="running",
                step=self._done,
                total_steps=self._total,
                elapsed_s=time.monotonic() - self._began,
                preview=preview,
            )
        )
