"""Finishes jobs that enlarged a picture."""

import time
from typing import Final

from PIL import Image

from pipeline.engine.finishing.recipes import Recipes
from pipeline.engine.pixels.image_check import ImageCheck, hidden
from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.engine.steps.jobs.upscale_jobs import UpscaleJob
from pipeline.images.encode import encode_rows
from pipeline.protocol.program import easel_version
from pipeline.protocol.provenance.source_types import source_type_of
from pipeline.protocol.wire.messages import Finished
from pipeline.protocol.wire.outputs import Rated, UpscaledFile
from pipeline.protocol.wire.settings import ImageOutput

_VERSION: Final = f"Easel {easel_version()}"


class UpscaleFinisher:
    """Checks and encodes an enlarged picture. `Finisher` explains the arguments."""

    def __init__(self, job: UpscaleJob, output: ImageOutput, recipes: Recipes, check: ImageCheck) -> None:
        self._job = job
        self._output = output
        self._recipes = recipes
        self._check = check
        self._enlarging_s = time.monotonic() - job.enlarging_started_at
        self._rated = Rated()

    @property
    def name(self) -> AttemptId:
        """Identifier of the job's attempt."""
        return self._job.name

    def decode(self) -> None:
        """Ask the image check, which sees the picture at its first size, since it shrinks every picture anyway."""
        scale = self._job.request.scale
        small = Image.fromarray(self._job.enlarging.larger[::scale, ::scale])
        (self._rated,) = self._check.ratings([small], self._job.checking)

    def encode(self) -> Finished:
        """Encode the picture, unless it is hidden, and return the attempt's final event."""
        source_type = source_type_of(self._job.request)
        outputs: tuple[UpscaledFile, ...] = ()
        is_shown = not hidden({0: self._rated}, self._job.checking)
        if is_shown:
            larger = self._job.enlarging.larger
            outputs = (
                encode_rows(
                    larger, self._parameters(), self._output, source_type=source_type, rating=self._rated.rating
                ),
            )
        return Finished(
            job_id=self.name[0],
            attempt=self.name[1],
            outputs=outputs,
            hidden=() if is_shown else (self._rated.rating,),
            scores=() if is_shown else (self._rated.score,),
            notices=self._job.notices,
            denoise_s=self._enlarging_s,
            total_s=self._job.elapsed_s(),
            recipe=self._recipes.of_upscale(self._job),
        )

    def _parameters(self) -> str:
        """The picture's parameters under A1111's names; those of a picture that it was are not repeated."""
        title = self._job.model.spec.title.replace(",", " ")
        facts = {"Postprocess upscale by": self._job.request.scale, "Postprocess upscaler": title}
        if self._job.faces is not None:
            facts["Face restoration"] = self._job.faces.spec.title.replace(",", " ")
        facts["Version"] = _VERSION
        return ", ".join(f"{name}: {value}" for name, value in facts.items())
