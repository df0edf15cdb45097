"""The painter with a child of its own, in and out of its process group."""

# ruff: noqa: T201 - the tests read what it prints

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]

for is_apart in (False, True):
    child = subprocess.Popen(SLEEPER, start_new_session=is_apart)
    print(f"child {child.pid}", flush=True)
runpy.run_path(str(Path(__file__).with_name("painter.py")), run_name="__main__")
