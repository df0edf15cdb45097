"""Says what a worker's fork would still have to make: modules of schedulers, and the patterns of transformers."""

import sys

import diffusers
from transformers import conversion_mapping

from pipeline.protocol.samplers.table import SAMPLERS

if __name__ == "__main__":
    known = set(sys.modules)
    for sampler in SAMPLERS.values():
        if sampler.scheduler_class:
            getattr(diffusers, sampler.scheduler_class)
    has_patterns = vars(conversion_mapping)["_checkpoint_conversion_mapping_cache"] is not None
    print(sorted(set(sys.modules) - known), has_patterns, flush=True)  # noqa: T201 - the test reads it
