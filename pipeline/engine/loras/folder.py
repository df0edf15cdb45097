"""The owner's folder of LoRAs: what is there, found by name."""

import difflib
import logging
from pathlib import Path
from typing import Any, Final

import msgspec

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.headers import read_header
from pipeline.engine.loras.labels import read_label
from pipeline.protocol.loras import LoraEntry

MOST_LORAS: Final = 2_000
"""Files that are offered; a list that is longer helps nobody and takes long to read at the start."""
_UNTYPABLE: Final = ":<>"
_LONGEST_NAME: Final = 100
"""What Discord takes as the value of a suggestion."""
_MOST_LIKE: Final = 3

log = logging.getLogger(__name__)


class LoraFile(msgspec.Struct, frozen=True):
    """A LoRA and where it lies."""

    path: Path
    entry: LoraEntry


class LoraFolder:
    """What one look into a folder found; new files are seen at the next start.

    Args:
        directory: with `.safetensors` files, also in folders below it; None has none.

    Attributes:
        entries: what can be offered, by title.
        broken: file name to one sentence about what is wrong with it.
    """

    def __init__(self, directory: Path | None) -> None:
        self.broken: dict[str, str] = {}
        self._files: dict[str, LoraFile] = {}
        if directory is not None:
            self._look_into(directory)
        self.entries = tuple(
            sorted((file.entry for file in self._files.values()), key=lambda entry: entry.title.casefold())
        )

    def find(self, name: str) -> LoraFile | None:
        """By its name, in whatever case."""
        return self._files.get(name.casefold())

    def like(self, name: str) -> tuple[str, ...]:
        """Names that somebody may have meant, the likeliest first."""
        near = difflib.get_close_matches(name.casefold(), list(self._files), n=_MOST_LIKE, cutoff=0.5)
        return tuple(self._files[key].entry.name for key in near)

    def _look_into(self, directory: Path) -> None:
        if not directory.is_dir():
            self.broken[directory.name] = f"There is no folder {directory}."
            return
        paths = sorted(directory.rglob("*.safetensors"))
        if len(paths) > MOST_LORAS:
            self.broken[directory.name] = f"There are {len(paths)} LoRAs; only the first {MOST_LORAS} are offered."
        for path in paths[:MOST_LORAS]:
            try:
                self._take_up(path)
            except ModelUnavailable as error:
                self.broken[path.name] = str(error)
                log.warning("A LoRA cannot be offered: %s", error)

    def _take_up(self, path: Path) -> None:
        if any(character in path.stem for character in _UNTYPABLE):
            raise ModelUnavailable(f"The name {path.name} cannot be typed in a prompt; rename it without : < >.")
        if len(path.stem) > _LONGEST_NAME:
            raise ModelUnavailable(f"The name {path.name} is too long; rename it to at most {_LONGEST_NAME} letters.")
        if path.stem.casefold() in self._files:
            raise ModelUnavailable(f"There are two files called {path.name}; rename one of them.")
        metadata: Any = read_header(path).get("__metadata__")
        label = read_label(path, metadata if isinstance(metadata, dict) else {})
        self._files[path.stem.casefold()] = LoraFile(path, label)
