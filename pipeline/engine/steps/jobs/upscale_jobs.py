"""Jobs that enlarge a picture and repair its faces: no denoising, one tile or one face a turn."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from pipeline.engine.failures import InvalidRequest
from pipeline.engine.models.upscalers import LoadedFaces, LoadedUpscaler
from pipeline.engine.pixels.enlarging import Enlarging
from pipeline.engine.pixels.faces import LARGEST, Repairing
from pipeline.engine.steps.jobs.cutout_jobs import CutoutJob
from pipeline.engine.steps.jobs.given_pictures import only_picture
from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.engine.steps.jobs.pipeline_jobs import DrawingJob
from pipeline.engine.steps.jobs.validation import check_bounds
from pipeline.protocol import limits
from pipeline.protocol.requests import UpscaleRequest, narrowed
from pipeline.protocol.wire.messages import Submit
from pipeline.protocol.wire.outputs import Notice
from pipeline.protocol.wire.settings import Checking

STEPS: Final = 100
"""Steps of every job, each of one percent: the number of tiles may change while it runs."""

_TILES_PART: Final = 0.8
"""Part of the steps that are tiles when faces follow."""


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class UpscaleJob:
    """One attempt that enlarges a picture; `DenoisingJob` explains the attributes that both have."""

    name: AttemptId
    request: UpscaleRequest
    checking: Checking
    model: LoadedUpscaler
    enlarging: Enlarging
    faces: LoadedFaces | None = None
    repairing: Repairing | None = None
    started_at: float
    enlarging_started_at: float

    @property
    def total_steps(self) -> int:
        """Number of steps, as members count them."""
        return STEPS

    @property
    def steps_done(self) -> int:
        """Number of finished steps."""
        if self.repairing is None:
            return int(STEPS * self.enlarging.done)
        return int(STEPS * (_TILES_PART * self.enlarging.done + (1 - _TILES_PART) * self.repairing.done))

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Facts for the requester."""
        if self.faces is None or self.repairing is None:
            return ()
        repaired, sharp = self.repairing.repaired, self.repairing.sharp
        told = Notice(key="notice-faces", values={"count": repaired, "model": self.faces.spec.title})
        if not sharp:
            return (told,)
        stayed = Notice(key="notice-faces-sharp", values={"count": sharp, "limit": LARGEST})
        return (told, stayed) if repaired else (stayed,)

    def with_networks(self, networks: Mapping[str, object]) -> "UpscaleJob":
        """The same job, which repairs faces when its picture is enlarged, if a network for that is among these."""
        faces = networks.get(self.request.faces)
        if not isinstance(faces, LoadedFaces):
            return self
        repairing = Repairing(faces.network, self.enlarging.picture, self.request.scale)
        return replace(self, faces=faces, repairing=repairing)

    def advance(self) -> bool:
        """Enlarge one tile or repair one face; True when there is more to do.

        Raises:
            BrokenImage: the result holds NaN or infinity.
            torch.OutOfMemoryError: not even the smallest tile fits the memory.
        """
        if self.enlarging.done < 1:
            return self.enlarging.advance() or self.repairing is not None
        return self.repairing is not None and self.repairing.advance(self.enlarging.larger)

    def close(self) -> None:
        """Nothing is held but memory."""

    def elapsed_s(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self.started_at


EngineJob: TypeAlias = DrawingJob | UpscaleJob | CutoutJob
"""Every job that the engine runs."""


def begin_upscale_job(submit: Submit, model: LoadedUpscaler, started_at: float) -> UpscaleJob:
    """Read the picture and prepare the tiles; nothing is enlarged yet.

    Raises:
        InvalidRequest: the request is outside its bounds, or its picture is missing, unreadable or of another size.
    """
    request = narrowed(submit.request, UpscaleRequest)
    check_bounds(request)
    if request.scale not in limits.UPSCALES or request.delivered_pixels > limits.MAX_UPSCALED_PIXELS:
        raise InvalidRequest(f"{request.width} x {request.height} pixels are not enlarged {request.scale} times.")
    picture = only_picture(submit, request.width, request.height)
    return UpscaleJob(
        name=(submit.job_id, submit.attempt),
        request=request,
        checking=submit.checking,
        model=model,
        enlarging=model.begin(picture, request.scale),
        started_at=started_at,
        enlarging_started_at=time.monotonic(),
    )
