"""Asks the processes that look at models' files."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from bot.cli.models.failing import ModelsFailed
from bot.configure import check_worker_packages, make_configure
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.launching import environment_without_ours
from pipeline.protocol.examining import Examined, NotSurveyed, Surveyed, SurveyingAnswer

_EXAMINING: Final = "pipeline.examining"
_SURVEYING: Final = "pipeline.surveying"
_TIMEOUT_S: Final = 600.0


def examine_files(settings: Settings, catalogue: Catalogue) -> Examined:
    """What the files of the catalogue's entries show. It takes some seconds, since the process loads torch.

    Raises:
        ModelsFailed: the process gave no answer.
    """
    configure = msgspec.json.encode(make_configure(settings, catalogue))
    return msgspec.json.decode(_ask(_EXAMINING, given=configure), type=Examined)


def survey(path: Path) -> Surveyed:
    """What the files of a model without an entry say about the one that it needs.

    Raises:
        ModelsFailed: it is no model that Easel draws with.
    """
    found = msgspec.json.decode(_ask(_SURVEYING, str(path)), type=SurveyingAnswer)
    if isinstance(found, NotSurveyed):
        raise ModelsFailed(found.sentence)
    return found


def _ask(module: str, *arguments: str, given: bytes = b"") -> bytes:
    """The answer of a process of the engine's side, which is JSON.

    Raises:
        ModelsFailed: it gave none.
        ConfigError: the worker's packages are not installed.
    """
    check_worker_packages()
    try:
        done = subprocess.run(  # noqa: S603 - the module is ours, and the argument is a path
            [sys.executable, "-m", module, *arguments],
            input=given,
            capture_output=True,
            env=environment_without_ours(),
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelsFailed(f"The files were not looked through within {_TIMEOUT_S:g} s; look at the disk.") from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
        raise ModelsFailed(f"The process that looks through the files ended without an answer ({last}).")
    return done.stdout
