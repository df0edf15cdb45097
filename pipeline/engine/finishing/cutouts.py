"""Finishes jobs that made a background transparent."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.engine.finishing.recipes import Recipes
from pipeline.engine.pixels.blocked import is_blocked
from pipeline.engine.pixels.image_check import ImageCheck, hidden
from pipeline.engine.steps.jobs.cutout_jobs import CutoutJob
from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.images.encode import encode_cutout
from pipeline.protocol.program import easel_version
from pipeline.protocol.provenance.source_types import source_type_of
from pipeline.protocol.wire.messages import Finished
from pipeline.protocol.wire.outputs import CutoutFile, Rated, Rating
from pipeline.protocol.wire.settings import ImageOutput

_VERSION: Final = f"Easel {easel_version()}"


class CutoutFinisher:
    """Checks and encodes a cutout. `Finisher` explains the arguments."""

    def __init__(self, job: CutoutJob, output: ImageOutput, recipes: Recipes, check: ImageCheck) -> None:
        self._job = job
        self._output = output
        self._recipes = recipes
        self._check = check
        self._rated = Rated()

    @property
    def name(self) -> AttemptId:
        """Identifier of the job's attempt."""
        return self._job.name

    def decode(self) -> None:
        """Ask the image check, which sees the whole picture. What is cut out of it may be blocked too."""
        (self._rated,) = self._check.ratings([Image.fromarray(self._job.picture)], self._job.checking)
        if is_blocked(Image.fromarray(self._cut()), self._job.checking.blocked):
            self._rated = Rated(rating=Rating.BLOCKED)

    def encode(self) -> Finished:
        """Encode the picture, unless it is hidden, and return the attempt's final event."""
        job = self._job
        outputs: tuple[CutoutFile, ...] = ()
        is_shown = not hidden({0: self._rated}, job.checking)
        if is_shown:
            title = job.model.spec.title.replace(",", " ")
            parameters = f"Background removal: {title}, Version: {_VERSION}"
            picture = Image.fromarray(np.dstack([self._cut(), self._opacity]))
            source_type = source_type_of(job.request)
            outputs = (
                encode_cutout(picture, parameters, self._output, source_type=source_type, rating=self._rated.rating),
            )
        return Finished(
            job_id=self.name[0],
            attempt=self.name[1],
            outputs=outputs,
            hidden=() if is_shown else (self._rated.rating,),
            scores=() if is_shown else (self._rated.score,),
            notices=job.notices,
            denoise_s=job.elapsed_s(),
            total_s=job.elapsed_s(),
            recipe=self._recipes.of_cutout(job),
        )

    def _cut(self) -> NDArray[np.uint8]:
        """The colors [h, w, 3]. A background that nobody sees must not be in the file, so it is black."""
        return np.where(self._opacity[..., None] > 0, self._job.picture, np.uint8(0))

    @property
    def _opacity(self) -> NDArray[np.uint8]:
        """The opacity [h, w]."""
        if self._job.opacity is None:
            raise AssertionError("The job is not done.")
        return self._job.opacity
