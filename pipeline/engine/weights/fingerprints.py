"""Fingerprints of weights: hashes of their files, shortened as in A1111."""

import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import Final, Protocol

from pipeline.engine.device.state_file import StateFile
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.file_identity import Identity, identity_in, identity_of
from pipeline.engine.weights.headers import opened
from pipeline.protocol.catalogue.networks import (
    CutoutSpec,
    FaceSpec,
    FileSource,
    FolderSource,
    HubSource,
    Source,
    UpscalerSpec,
)

log = logging.getLogger(__name__)

_SHOWN: Final = 10
"""Number of digits that A1111 and sites with lists of models show."""


Weights = tuple[tuple[Path, Identity], ...]
"""A model's weight files in the order of their names, with their identities at the time of reading."""


class Sourced(Protocol):
    """An entry whose weights lie in a file, in a folder or on a hub."""

    @property
    def key(self) -> str:
        """Its key in the catalogue."""
        ...

    @property
    def source(self) -> Source:
        """Place of its weights."""
        ...


def weights_of(spec: Sourced) -> Weights:
    """Present weight files of a model or network; empty for a model on a hub, which its revision identifies.

    Raises:
        ModelUnavailable: a file cannot be read; the message is one sentence.
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
    """Shorten a hash as A1111 does."""
    return digest[:_SHOWN]


class Fingerprints:
    """Hashes of weights, kept on disk by file identity, so that each file is read only once.

    Args:
        directory: folder of `hashes.json`; None keeps nothing on disk.
    """

    def __init__(self, directory: str | None) -> None:
        self._known = StateFile(directory, "hashes.json", str)
        self._lock = threading.Lock()

    def of(self, spec: Sourced | UpscalerSpec | FaceSpec | CutoutSpec, weights: Weights) -> str:
        """Ten digits of a hash, or the revision of a model on a hub; blocks while unknown files are hashed.

        A single file has the same digits as in A1111. A folder has the hash of its files' hashes. The result is empty
        when the files cannot be read any more or have changed, because they may not be the ones that drew the picture.

        Args:
            spec: the catalogue's entry.
            weights: the files with their identities when the model was loaded.
        """
        source = FileSource(path=spec.path) if isinstance(spec, UpscalerSpec | FaceSpec | CutoutSpec) else spec.source
        if isinstance(source, HubSource):
            return shortened(source.revision)
        try:
            hashes = [self._hash(*file) for file in weights]
        except ModelUnavailable as error:
            log.warning("The weights of %s cannot be hashed: %s", spec.key, error)
            return ""
        if isinstance(source, FileSource):
            return shortened("".join(hashes))
        return shortened(hashlib.sha256("".join(hashes).encode()).hexdigest())

    def _hash(self, file: Path, identity: Identity) -> str:
        """SHA-256 of a file, as hexadecimal digits.

        Raises:
            ModelUnavailable: the file cannot be read or has changed; the message is one sentence.
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
