"""Finishes jobs that made a background transparent."""

from importlib.metadata import version
from typing import Final

import numpy as np
from PIL import Image

from pipeline.engine.finishing.recipes import Recipes
from pipeline.engine.pixels.image_check import ImageCheck, is_hidden
from pipeline.engine.steps.jobs.cutout_jobs import CutoutJob
from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.images.encode import encode_cutout
from pipeline.protocol.provenance.source_types import source_type_of
from pipeline.protocol.wire.messages import Finished
from pipeline.protocol.wire.outputs import CutoutFile, Rating
from pipeline.protocol.wire.settings import ImageOutput

_VERSION: Final = f"Easel {version('easel')}"


class CutoutFinisher:
    """Checks and encodes a cutout. `Finisher` explains the arguments."""

    def __init__(self, job: CutoutJob, output: ImageOutput, recipes: Recipes, check: ImageCheck | None) -> None:
        self._job = job
        self._output = output
        self._recipes = recipes
        self._check = check
        self._rating = Rating.HARMLESS

    @property
    def name(self) -> AttemptId:
        """Identifier of the job's attempt."""
        return self._job.name

    def decode(self) -> None:
        """Ask the image check, which sees the whole picture."""
        if self._check is not None:
            (self._rating,) = self._check.ratings([Image.fromarray(self._job.picture)])

    def encode(self) -> Finished:
        """Encode the picture, unless it is hidden, and return the attempt's final event."""
        job = self._job
        if job.opacity is None:
            raise AssertionError("The job is not done.")
        outputs: tuple[CutoutFile, ...] = ()
        if not is_hidden(self._rating, job.checking):
            title = job.model.spec.title.replace(",", " ")
            parameters = f"Background removal: {title}, Version: {_VERSION}"
            # A background that nobody sees must not be in the file.
            colors = np.where(job.opacity[..., None] > 0, job.picture, np.uint8(0))
            picture = Image.fromarray(np.dstack([colors, job.opacity]))
            source_type = source_type_of(job.request)
            outputs = (encode_cutout(picture, parameters, self._output, source_type=source_type, rating=self._rating),)
        return Finished(
            job_id=self.name[0],
            attempt=self.name[1],
            outputs=outputs,
            notices=job.notices,
            denoise_s=job.elapsed_s(),
            total_s=job.elapsed_s(),
            recipe=self._recipes.of_cutout(job),
        )
