"""`easel convert`: weights of a file that Python pickled, as .safetensors beside it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from pipeline.protocol.reading import Converted, ConvertingAnswer

_COMMAND: Final = (sys.executable, "-m", "pipeline.converting")
_TIMEOUT_S: Final = 600.0
_VARIABLES: Final = ("LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH")
"""The only variables of the process. None holds a secret."""
_AREAS: Final = {"SR": "[[upscalers]]", "FaceSR": "[[faces]]"}


class CannotConvert(Exception):
    """A sentence for whoever ran the command."""


def convert(source: Path) -> tuple[Path, str]:
    """Write the weights beside the file, in a process that reads it; returns the new path and a sentence about it.

    Raises:
        CannotConvert: a file cannot be read or written, exists already, or holds no weights that are safe to read.
    """
    target = source.with_suffix(".safetensors")
    if target.exists():
        raise CannotConvert(f"The file {target} exists already; move it away first.")
    try:
        with source.open("rb") as given, tempfile.NamedTemporaryFile(dir=source.parent, delete=False) as written:
            beside = Path(written.name)
            try:
                answer = _answer_of(given.fileno(), written.fileno())
                if not isinstance(answer, Converted):
                    raise CannotConvert(f"{source} was not converted. {answer.sentence}")
                beside.chmod(0o644)
                os.link(beside, target)  # which never replaces a file
            finally:
                beside.unlink()
    except OSError as error:
        raise CannotConvert(f"{source} was not converted: {error.strerror}.") from error
    return target, _about(answer)


def _answer_of(given: int, written: int) -> ConvertingAnswer:
    environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - no part is typed
            [*_COMMAND, str(written)],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[written],
            env=environment,
            timeout=_TIMEOUT_S,
            check=False,
        )
        return msgspec.json.decode(done.stdout, type=ConvertingAnswer)
    except subprocess.TimeoutExpired:
        raise CannotConvert(f"The file was not read within {_TIMEOUT_S:g} seconds, and nothing was written.") from None
    except msgspec.DecodeError:
        raise CannotConvert(
            "The process that reads the file ended without an answer: the file is damaged, hostile, or too large for "
            "the memory that is there. Nothing was written."
        ) from None


def _about(answer: Converted) -> str:
    if not answer.network:
        return "spandrel knows no network with these weights, so it is neither an upscaler nor a face model"
    terms = f"; its terms: {answer.license}" if answer.license else ""
    area = _AREAS.get(answer.purpose)
    if area is None:
        return f"{answer.network}, which neither enlarges nor repairs faces{terms}"
    scale = f" of scale {answer.scale}" if answer.scale > 1 else ""
    return f"{answer.network}{scale}, an entry for {area} of the catalogue{terms}"
