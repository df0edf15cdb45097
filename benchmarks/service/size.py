"""Megabytes of the packages that a bot without a worker installs: `uv sync` without extras into a new folder."""

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from benchmarks.report import Report

GOAL_MB: Final = 210.0
SHOWN: Final = 12
_ROOT: Final = Path(__file__).parents[2]
_MB: Final = 1e6


def run() -> Report:
    """Install, and add up the sizes of the files."""
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("This needs uv on the path.")
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"UV_PROJECT_ENVIRONMENT": folder}
        environment.pop("VIRTUAL_ENV", None)
        command = [uv, "sync", "--quiet", "--no-default-groups", "--no-install-project", "--no-compile-bytecode"]
        subprocess.run(command, cwd=_ROOT, env=environment, check=True)  # noqa: S603 - our own command
        sizes = _sizes(next(Path(folder).glob("lib/python*/site-packages")))
    whole = sum(sizes.values()) / _MB
    return Report(
        name="size",
        goal=f"a bot without a worker installs packages of at most {GOAL_MB:.0f} MB",
        value=whole,
        holds=whole <= GOAL_MB,
        median=whole,
        minimum=whole,
        pairs=1,
        detail={f"{name}_mb": size / _MB for name, size in sizes.most_common(SHOWN)},
    )


def _sizes(packages: Path) -> Counter[str]:
    """Bytes of the files in each folder of the packages."""
    sizes: Counter[str] = Counter()
    for path in packages.rglob("*"):
        if path.is_file() and not path.is_symlink():
            sizes[path.relative_to(packages).parts[0]] += path.stat().st_size
    return sizes
