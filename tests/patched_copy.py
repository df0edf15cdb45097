"""A copy of Easel with a few lines more, and what a program makes of it in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
Lines = Iterable[tuple[str, str, str]]
"""A file, words that it has exactly once, and those that are added behind them."""


def patched_copy(
    directory: Path, lines: Lines, *, files: Mapping[str, str] | None = None, tests: Iterable[str] = ()
) -> Path:
    """Copy Easel and add to it.

    Args:
        directory: an empty folder for the copy.
        lines: additions to files.
        files: whole files that are new, by name.
        tests: files of `tests` that the program needs.
    """
    for folder in ("bot", "config", "pipeline", "provenance"):
        shutil.copytree(ROOT / folder, directory / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "models").symlink_to(ROOT / "models")
    for name in tests:
        (directory / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / name, directory / "tests" / name)
    for name, behind, added in lines:
        file = directory / name
        source = file.read_text(encoding="utf-8")
        assert source.count(behind) == 1, f"{name} has no longer exactly one {behind!r}"
        file.write_text(source.replace(behind, behind + added), encoding="utf-8")
    for name, source in (files or {}).items():
        assert not (directory / name).exists(), name
        (directory / name).write_text(source, encoding="utf-8")
    return directory


def told_by(copy: Path, *command: str) -> Any:
    """The JSON that a program of a copy prints.

    Args:
        copy: where the copy is.
        command: what follows `python -m`.
    """
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
