"""Jobs that enlarge a picture: no denoising, one tile a turn."""

import time
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from pipeline.engine.failures import InvalidRequest
from pipeline.engine.models.upscalers import LoadedUpscaler
from pipeline.engine.pixels.enlarging import Enlarging
from pipeline.engine.steps.jobs import AttemptId
from pipeline.engine.steps.pipeline_jobs import DrawingJob
from pipeline.engine.steps.validation import check_bounds
from pipeline.images.decode import UnreadablePicture, read_png
from pipeline.protocol import limits
from pipeline.protocol.messages import Submit
from pipeline.protocol.requests import UpscaleRequest, narrowed

STEPS: Final = 100
"""Steps of every job, each of one percent: the number of tiles may change while it runs."""


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class UpscaleJob:
    """One attempt that enlarges a picture; `DenoisingJob` explains the attributes that both have."""

    name: AttemptId
    request: UpscaleRequest
    is_checked: bool
    model: LoadedUpscaler
    enlarging: Enlarging
    started_at: float
    enlarging_started_at: float

    @property
    def total_steps(self) -> int:
        """Number of steps, as members count them."""
        return STEPS

    @property
    def steps_done(self) -> int:
        """Number of finished steps."""
        return int(STEPS * self.enlarging.done)

    def advance(self) -> bool:
        """Enlarge one tile; True when there is more to do.

        Raises:
            BrokenImage: the result holds NaN or infinity.
            torch.OutOfMemoryError: not even the smallest tile fits the memory.
        """
        return self.enlarging.advance()

    def close(self) -> None:
        """Nothing is held but memory."""

    def elapsed_s(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self.started_at


EngineJob: TypeAlias = DrawingJob | UpscaleJob
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
    (source,) = request.inputs
    if source.sha256 not in submit.pictures:
        raise InvalidRequest("The picture to enlarge did not come with the request.")
    try:
        picture = read_png(submit.pictures[source.sha256])
    except UnreadablePicture as error:
        raise InvalidRequest(str(error)) from error
    if picture.size != (request.width, request.height):
        raise InvalidRequest(f"The picture to enlarge has {picture.width} x {picture.height} pixels.")
    return UpscaleJob(
        name=(submit.job_id, submit.attempt),
        request=request,
        is_checked=submit.is_checked,
        model=model,
        enlarging=model.begin(np.asarray(picture), request.scale),
        started_at=started_at,
        enlarging_started_at=time.monotonic(),
    )
