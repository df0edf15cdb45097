"""Asks the process that looks through the files of the catalogue."""

import subprocess
import sys
from typing import Final

import msgspec

from bot.cli.models.failing import ModelsFailed
from bot.configure import make_configure
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.launching import environment_without_ours
from pipeline.protocol.examining import Examined

_COMMAND: Final = (sys.executable, "-m", "pipeline.examining")
_TIMEOUT_S: Final = 600.0


def examine_files(settings: Settings, catalogue: Catalogue) -> Examined:
    """What the files of the catalogue's entries show. It takes some seconds, since the process loads torch.

    Raises:
        ModelsFailed: the process gave no answer.
    """
    configure = make_configure(settings, catalogue)
    try:
        done = subprocess.run(  # noqa: S603 - no part is typed
            _COMMAND,
            input=msgspec.json.encode(configure),
            capture_output=True,
            env=environment_without_ours(),
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelsFailed(f"The files were not looked through within {_TIMEOUT_S:g} s; look at the disk.") from None
    try:
        return msgspec.json.decode(done.stdout, type=Examined)
    except msgspec.DecodeError as error:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
        raise ModelsFailed(f"The process that looks through the files ended without an answer ({last}).") from error
