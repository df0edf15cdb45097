"""What forks of the warm starter need not make anew."""

import subprocess
import sys

from pipeline.backends.starter import PRELOADED

PROGRAM = f"""
import importlib, sys
for name in {PRELOADED!r}:
    importlib.import_module(name)
import diffusers
from transformers import conversion_mapping
from pipeline.protocol.samplers.table import SAMPLERS
known = set(sys.modules)
for sampler in SAMPLERS.values():
    if sampler.scheduler_class:
        getattr(diffusers, sampler.scheduler_class)
mapping = conversion_mapping._checkpoint_conversion_mapping_cache
print(sorted(set(sys.modules) - known), mapping is not None)
"""


def test_a_fork_has_all_schedulers_and_the_patterns_of_transformers() -> None:
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert result.stdout == "[] True\n"
