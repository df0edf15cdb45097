"""Which weights drew a picture: the hash of their files, as A1111 shortens it."""

import hashlib
import logging
import threading
from pathlib import Path
from typing import Final

from pipeline.engine.notebook import Notebook
from pipeline.protocol.models import FileSource, FolderSource, ModelSpec

log = logging.getLogger(__name__)

_SHOWN: Final = 10
"""Digits, as A1111 and the sites that list models show them."""


class Fingerprints:
    """Hashes of weights, kept on disk with size and time of each file, so that each is read once.

    Args:
        directory: where `hashes.json` is kept; None keeps nothing.
    """

    def __init__(self, directory: str | None) -> None:
        self._known = Notebook(directory, "hashes.json", str)
        self._lock = threading.Lock()

    def of(self, spec: ModelSpec) -> str:
        """Ten digits; of a model on a hub its revision, and empty where files cannot be read. Blocks.

        A single file has the digits that A1111 gives it. A folder has those of the hashes of all its weights.
        """
        source = spec.source
        try:
            if isinstance(source, FileSource):
                return self.of_file(Path(source.path))
            if isinstance(source, FolderSource):
                weights = sorted(Path(source.path).rglob("*.safetensors"))
                return hashlib.sha256("".join(map(self._hash, weights)).encode()).hexdigest()[:_SHOWN]
        except OSError as error:
            log.warning("The weights of %s cannot be hashed: %s", spec.key, error)
            return ""
        return source.revision[:_SHOWN]

    def of_file(self, file: Path) -> str:
        """Ten digits of one file, as A1111 shows them; empty where it cannot be read. Blocks while it is new."""
        try:
            return self._hash(file)[:_SHOWN]
        except OSError as error:
            log.warning("The file %s cannot be hashed: %s", file, error)
            return ""

    def _hash(self, file: Path) -> str:
        """SHA-256 of a file, as hexadecimal digits."""
        facts = file.stat()
        key = f"{file.resolve()} {facts.st_size} {facts.st_mtime_ns}"
        with self._lock:
            known = self._known.get(key)
            if known is None:
                with file.open("rb") as opened:
                    known = hashlib.file_digest(opened, "sha256").hexdigest()
                self._known.put(key, known)
            return known
