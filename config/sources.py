"""Places of weights in a catalogue, whose paths are relative to its file."""

from pathlib import Path
from typing import TypeVar

from pipeline.protocol.catalogue.networks import FileSource, FolderSource, Source

S = TypeVar("S", bound=Source)


def absolute(source: S, base: Path) -> S:
    """The place with absolute paths."""
    if isinstance(source, FolderSource):
        return type(source)(path=str((base / source.path).resolve()))
    if isinstance(source, FileSource):
        config = None if source.config is None else str((base / source.config).resolve())
        return type(source)(path=str((base / source.path).resolve()), config=config)
    return source
