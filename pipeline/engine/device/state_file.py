"""State files: small JSON files in which the worker keeps measurements by key."""

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import torch

from pipeline.engine.device.placement import Placement

_T = TypeVar("_T")

log = logging.getLogger(__name__)


class StateFile(Generic[_T]):
    """A file that may be lost without harm: its values are then measured again.

    Args:
        directory: folder of the file; None keeps nothing on disk.
        name: name of the file.
        kind: type of the values, for msgspec.
    """

    def __init__(self, directory: str | None, name: str, kind: type[_T]) -> None:
        self._path = None if directory is None else Path(directory) / name
        self._known: dict[str, _T] = {}
        if self._path is not None and self._path.exists():
            try:
                self._known = msgspec.json.decode(self._path.read_bytes(), type=dict[str, kind])
            except (OSError, msgspec.MsgspecError) as error:
                log.warning("The file %s cannot be read and is written anew: %s", self._path, error)

    def get(self, key: str) -> _T | None:
        """Value of a key; None when it is unknown."""
        return self._known.get(key)

    def put(self, key: str, value: _T) -> None:
        """Store a value in memory and in the file."""
        self._known[key] = value
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = self._path.with_suffix(".new")
            new.write_bytes(msgspec.json.encode(self._known))
            os.replace(new, self._path)  # noqa: PTH105 - the name says that the old file is replaced whole
        except OSError as error:
            log.warning("The file %s cannot be written: %s", self._path, error)


def key_of(placement: Placement, **facts: object) -> str:
    """Key of a measurement that is valid only for this device, precision, thread count and version of torch."""
    here = {
        "device": placement.name,
        "dtype": placement.dtype_name,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(here | facts, sort_keys=True).encode()).hexdigest()
