"""What the warm starter imports before its first fork: the workers' modules, and what libraries make in each worker.

Without the latter, a start of a worker takes half as long again.
"""

import importlib

import diffusers
from transformers.conversion_mapping import get_checkpoint_conversion_mapping

from pipeline.protocol.samplers.table import SAMPLERS

# The program of each fork, architectures of upscalers, and what the loading of a pipeline imports.
for _module in ("pipeline.worker", "spandrel", "diffusers.guiders"):
    importlib.import_module(_module)
for _scheduler in {sampler.scheduler_class for sampler in SAMPLERS.values()} - {""}:
    getattr(diffusers, _scheduler)  # imports its module
get_checkpoint_conversion_mapping("")  # compiles some hundred patterns, which transformers keeps
