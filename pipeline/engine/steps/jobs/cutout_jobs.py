"""Jobs that make the background of a picture transparent: one turn, without denoising."""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.engine.models.cutouts import LoadedCutout
from pipeline.engine.pixels.enlarging import Pixels
from pipeline.engine.steps.jobs.given_pictures import only_picture
from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.engine.steps.jobs.validation import check_bounds
from pipeline.protocol.requests import CutoutRequest, narrowed
from pipeline.protocol.wire.messages import Submit
from pipeline.protocol.wire.outputs import Notice
from pipeline.protocol.wire.settings import Checking

STEPS: Final = 1


@dataclass(slots=True, kw_only=True, eq=False)
class CutoutJob:
    """One attempt that cuts out a foreground; `DenoisingJob` explains the attributes that both have.

    Attributes:
        picture: the given picture, [h, w, 3].
        opacity: how much of each pixel stays, [h, w]; None until it is known.
    """

    name: AttemptId
    request: CutoutRequest
    checking: Checking
    model: LoadedCutout
    picture: Pixels
    started_at: float
    opacity: NDArray[np.uint8] | None = None

    @property
    def total_steps(self) -> int:
        """Number of steps, as members count them."""
        return STEPS

    @property
    def steps_done(self) -> int:
        """Number of finished steps."""
        return 0 if self.opacity is None else STEPS

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Facts for the requester."""
        return ()

    def advance(self) -> bool:
        """Find the foreground; False, since nothing follows.

        Raises:
            BrokenImage: the result holds NaN or infinity.
        """
        self.opacity = self.model.network.opacity(self.picture)
        return False

    def close(self) -> None:
        """Nothing is held but memory."""

    def elapsed_s(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self.started_at


def begin_cutout_job(submit: Submit, model: LoadedCutout, started_at: float) -> CutoutJob:
    """Read the picture; nothing is computed yet.

    Raises:
        InvalidRequest: the request is outside its bounds, or its picture is missing, unreadable or of another size.
    """
    request = narrowed(submit.request, CutoutRequest)
    check_bounds(request)
    return CutoutJob(
        name=(submit.job_id, submit.attempt),
        request=request,
        checking=submit.checking,
        model=model,
        picture=only_picture(submit, request.width, request.height),
        started_at=started_at,
    )
