"""Recipes: all facts beyond the request that determine the bits of a picture."""

import importlib.metadata
from collections.abc import Sequence
from typing import Final

from pipeline.engine.device.placement import Placement, accelerator_version
from pipeline.engine.steps.jobs.cutout_jobs import CutoutJob
from pipeline.engine.steps.jobs.pipeline_jobs import DrawingJob
from pipeline.engine.steps.jobs.upscale_jobs import UpscaleJob
from pipeline.engine.weights.fingerprints import Fingerprints, shortened
from pipeline.engine.weights.storage import precision_of
from pipeline.protocol.wire.outputs import Recipe

_LIBRARIES: Final = ("torch", "diffusers", "transformers", "pillow")
_UPSCALERS: Final = ("torch", "spandrel", "pillow")
_CUTOUTS: Final = ("openvino", "pillow")


class Recipes:
    """Makes the recipes of finished jobs.

    Args:
        placement: device and precision.
        state_directory: folder for hashes of weights; None keeps none on disk.
    """

    def __init__(self, placement: Placement, state_directory: str | None) -> None:
        self._placement = placement
        self._fingerprints = Fingerprints(state_directory)

    def of(self, job: DrawingJob) -> Recipe:
        """Make the recipe of a denoised job.

        The first call for a model reads its weight files, so call this in a background thread.
        """
        return Recipe(
            model_hash=self._fingerprints.of(job.model.spec, job.model.weights),
            loras={name: shortened(digest) for name, digest in job.lora_digests.items()},
            embeddings={name: shortened(digest) for name, digest in job.embedding_digests.items()},
            networks={name: self._fingerprints.of(*found) for name, found in job.network_weights.items()},
            scheduler=job.scheduler_class,
            rows=job.row_counts,
            device=self._placement.name,
            dtype=precision_of(self._placement.dtype_name, job.model.spec),
            versions=library_versions() | accelerator_version(self._placement),
        )

    def of_upscale(self, job: UpscaleJob) -> Recipe:
        """Make the recipe of an enlarged picture; it has no scheduler and no rows, and may name two networks."""
        networks = [job.model, *([] if job.faces is None else [job.faces])]
        digest = " + ".join(self._fingerprints.of(each.spec, each.weights) for each in networks)
        return self._undrawn(digest, _UPSCALERS, self._placement.name, self._placement.dtype_name)

    def of_cutout(self, job: CutoutJob) -> Recipe:
        """Make the recipe of a cutout; OpenVINO computes it on the processor in float32, wherever torch draws."""
        return self._undrawn(self._fingerprints.of(job.model.spec, job.model.weights), _CUTOUTS, "CPU", "float32")

    @staticmethod
    def _undrawn(digest: str, libraries: Sequence[str], device: str, dtype: str) -> Recipe:
        return Recipe(
            model_hash=digest,
            scheduler="",
            rows=(),
            device=device,
            dtype=dtype,
            versions={name: importlib.metadata.version(name) for name in libraries},
        )


def library_versions() -> dict[str, str]:
    """Versions of the libraries that affect pixels, by name."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}
