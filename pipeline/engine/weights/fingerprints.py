"""Which weights drew a picture: the hash of their files, as A1111 shortens it."""

import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import Final

from pipeline.engine.device.state_file import StateFile
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.file_identity import Identity, identity_in, identity_of
from pipeline.engine.weights.headers import opened
from pipeline.protocol.models import FileSource, FolderSource, HubSource, ModelSpec

log = logging.getLogger(__name__)

_SHOWN: Final = 10
"""Digits, as A1111 and the sites that list models show them."""


Weights = tuple[tuple[Path, Identity], ...]
"""A model's files of weights in the order of their names, as they were when they were read."""


def weights_of(spec: ModelSpec) -> Weights:
    """Those that lie there now; none of a model on a hub, whose revision names them.

    Raises:
        ModelUnavailable: one cannot be looked at; one sentence.
    """
    match spec.source:
        case FileSource(path=path):
            files = [Path(path)]
        case FolderSource(path=path):
            files = sorted(Path(path).rglob("*.safetensors"))
        case _:
            files = []
    return tuple((file, identity_of(file)) for file in files)


def shortened(digest: str) -> str:
    """As A1111 shows a hash."""
    return digest[:_SHOWN]


class Fingerprints:
    """Hashes of weights, kept on disk with what each file was, so that each is read once.

    Args:
        directory: where `hashes.json` is kept; None keeps nothing.
    """

    def __init__(self, directory: str | None) -> None:
        self._known = StateFile(directory, "hashes.json", str)
        self._lock = threading.Lock()

    def of(self, spec: ModelSpec, weights: Weights) -> str:
        """Ten digits; of a model on a hub its revision. Blocks while files are new.

        A single file has the digits that A1111 gives it. A folder has those of the hashes of all its weights. Empty
        where they cannot be read any more, or others lie there now: a picture is not ascribed to what did not draw it.

        Args:
            spec: of the model.
            weights: as they were when the model was loaded.
        """
        if isinstance(spec.source, HubSource):
            return shortened(spec.source.revision)
        try:
            hashes = [self._hash(*file) for file in weights]
        except ModelUnavailable as error:
            log.warning("The weights of %s cannot be hashed: %s", spec.key, error)
            return ""
        if isinstance(spec.source, FileSource):
            return shortened("".join(hashes))
        return shortened(hashlib.sha256("".join(hashes).encode()).hexdigest())

    def _hash(self, file: Path, identity: Identity) -> str:
        """SHA-256 of a file, as hexadecimal digits.

        Raises:
            ModelUnavailable: it cannot be read, or is another one now; one sentence.
        """
        key = f"{file.resolve()} {' '.join(map(str, identity))}"
        with self._lock:
            known = self._known.get(key)
            if known is None:
                with opened(file) as content:
                    known = hashlib.file_digest(content, "sha256").hexdigest()
                    if identity_in(os.fstat(content.fileno())) != identity:
                        raise ModelUnavailable(f"The file {file.name} was replaced since it was loaded.")
                self._known.put(key, known)
            return known
