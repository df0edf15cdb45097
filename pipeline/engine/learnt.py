"""What was learnt about the device, kept on disk so that no new process learns it again."""

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import torch

from pipeline.engine.devices import Placement

log = logging.getLogger(__name__)

_T = TypeVar("_T")


class LearntFile(Generic[_T]):
    """Facts by key, in one file. One that cannot be read is learnt anew; a full disk costs only that, too.

    Args:
        directory: where the file is; None keeps nothing beyond this process.
        name: of the file.
        kind: of a fact.
    """

    def __init__(self, directory: str | None, name: str, kind: type[_T]) -> None:
        self._path = None if directory is None else Path(directory) / name
        self._known: dict[str, _T] = self._read(kind)

    def get(self, key: str) -> _T | None:
        """What is known under a key."""
        return self._known.get(key)

    def put(self, key: str, fact: _T) -> None:
        """Keep a fact."""
        self._known[key] = fact
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = self._path.with_suffix(".new")
            new.write_bytes(msgspec.json.encode(self._known))
            os.replace(new, self._path)  # noqa: PTH105 - the name says that the old file is replaced whole
        except OSError as error:
            log.warning("The file %s cannot be written: %s", self._path, error)

    def _read(self, kind: type[_T]) -> dict[str, _T]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, kind])
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("The file %s cannot be read and is written anew: %s", self._path, error)
            return {}


def key_of(placement: Placement, **facts: object) -> str:
    """A key for what holds on this device, in this precision and with this version of torch alone."""
    here = {
        "device": placement.name,
        "dtype": placement.dtype_name,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(here | facts, sort_keys=True).encode()).hexdigest()
