"""The work of one attempt: a server draws each image, then a worker of ours makes files of them."""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Final

import msgspec

from pipeline.backends.base import Backend, WorkerState, WorkerUnavailable
from pipeline.backends.engines.cleaning import Clean
from pipeline.backends.engines.server import DrawingFailed, Facts, Server, ServerAway
from pipeline.backends.engines.telling import Previews, Teller
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.hosts import Key
from pipeline.protocol.wire.messages import Finished, Progress
from pipeline.protocol.wire.outputs import Recipe
from pipeline.protocol.wire.settings import Checking

_WAIT_S: Final = 0.5
"""Seconds between two looks whether a worker is there."""
_FINISH_TRIES: Final = 2
"""Times that a worker may be lost with the same pictures. A third time would be their fault."""


class Drawing:
    """Draws and finishes attempts.

    Args:
        name: the owner's name for the engine.
        specs: its models.
        worker: finishes the pictures.
        clean: makes PNGs of what servers send.
        preview_interval_s: seconds between two previews of an attempt; 0 shows none.
    """

    def __init__(
        self, name: str, specs: Collection[ModelSpec], worker: Backend, clean: Clean, preview_interval_s: float
    ) -> None:
        self._name = name
        self._titles = {spec.key: spec.title for spec in specs}
        self._priced = {spec.key for spec in specs if spec.drawn_by is not None and spec.drawn_by.price}
        self._worker = worker
        self._clean = clean
        self._preview_interval_s = preview_interval_s

    async def finished(
        self,
        server: Server,
        facts: Facts | None,
        key: Key,
        request: GenerationRequest,
        checking: Checking,
        say: Callable[[Progress], None],
    ) -> Finished:
        """The final event of an attempt that succeeds.

        Args:
            server: draws it.
            facts: what the server said last.
            key: job id and attempt.
            request: what is asked for.
            checking: what the image check does.
            say: hears of the progress.

        Raises:
            DrawingFailed: the server or a worker refuses it.
            ServerAway: the server went away.
            NoPicture: what it sent is no picture.
        """
        began = time.monotonic()
        asked = FinishPictures(request=request, title=self._titles[request.model_key], pictures=(), checking=checking)
        previews = Previews(self._worker, self._clean, self._preview_interval_s, asked)
        try:
            pictures = await self._pictures(server, request, Teller(key, request, say, previews))
        finally:
            await previews.close()
        drawn_s = time.monotonic() - began
        finished = await self._with_files(msgspec.structs.replace(asked, pictures=pictures))
        return Finished(
            job_id=key[0],
            attempt=key[1],
            outputs=finished.outputs,
            hidden=finished.hidden,
            scores=finished.scores,
            notices=finished.notices,
            denoise_s=drawn_s,
            total_s=time.monotonic() - began,
            recipe=_recipe(self._name, facts),
        )

    async def _pictures(self, server: Server, request: GenerationRequest, teller: Teller) -> tuple[bytes, ...]:
        """A PNG of each image, which the server draws one after the other."""
        pictures: list[bytes] = []
        for index in range(request.num_images):
            teller.begin(index)
            try:
                drawn = await server.draw(request.single(index), teller.hear)
            except ServerAway as error:
                if pictures and request.model_key in self._priced:
                    # A new attempt would pay for the first images once more.
                    raise DrawingFailed(FailureReason.MAYBE_BILLED, str(error)) from error
                raise
            pictures.append(await self._clean(drawn))
        return tuple(pictures)

    async def _with_files(self, asked: FinishPictures) -> FinishedPictures:
        """Have a worker finish the pictures. They are drawn, so they wait for one that is lost or starts.

        Raises:
            DrawingFailed: it cannot, or was lost twice over them.
        """
        losses = 0
        while True:
            if self._worker.status.state is not WorkerState.READY:
                await asyncio.sleep(_WAIT_S)
                continue
            try:
                finished = await self._worker.finish_pictures(asked)
            except WorkerUnavailable as error:
                losses += 1
                if losses == _FINISH_TRIES:
                    raise DrawingFailed(FailureReason.INTERNAL, f"The pictures were not finished: {error}") from error
                continue
            if finished.detail:
                raise DrawingFailed(FailureReason.ENGINE_FAILED, finished.detail)
            return finished


def _recipe(name: str, facts: Facts | None) -> Recipe:
    versions = {name: facts.version} if facts is not None else {}
    device = "" if facts is None else facts.device
    return Recipe(model_hash="", scheduler="", rows=(), device=device, dtype="", versions=versions)
