"""What else than its request decided about the bits of a picture."""

import importlib.metadata
from typing import Final

from pipeline.engine.device.placement import Placement, accelerator_version
from pipeline.engine.steps.pipeline_jobs import AnyJob
from pipeline.engine.weights.fingerprints import Fingerprints, shortened
from pipeline.protocol.messages import Recipe

_LIBRARIES: Final = ("torch", "diffusers", "transformers", "pillow")


class Recipes:
    """Recipes of finished jobs.

    Args:
        placement: device and precision.
        state_directory: where hashes of weights are kept; None keeps none.
    """

    def __init__(self, placement: Placement, state_directory: str | None) -> None:
        self._placement = placement
        self._fingerprints = Fingerprints(state_directory)

    def of(self, job: AnyJob) -> Recipe:
        """The recipe of a job that is denoised. Reads the weights' files once, so call it beside the step loop."""
        return Recipe(
            model_hash=self._fingerprints.of(job.model.spec, job.model.weights),
            loras={name: shortened(digest) for name, digest in job.lora_digests.items()},
            embeddings={name: shortened(digest) for name, digest in job.embedding_digests.items()},
            scheduler=job.scheduler_class,
            rows=job.row_counts,
            device=self._placement.name,
            dtype=self._placement.dtype_name,
            versions=library_versions() | accelerator_version(self._placement),
        )


def library_versions() -> dict[str, str]:
    """Of the libraries that decide about pixels."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}
