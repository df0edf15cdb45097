"""The owner's folder of LoRAs and embeddings: it sorts files by their headers and finds them by name."""

import copy
import difflib
import logging
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.contents import anything, read_contents
from pipeline.engine.loras.embeddings import Layout, bundled, layout_of
from pipeline.engine.loras.kinds import FAMILY_TITLES, OtherKind, check_is_lora, family_of
from pipeline.engine.loras.labels import read_label
from pipeline.engine.weights.headers import read_header
from pipeline.protocol.loras import EmbeddingEntry, LoraEntry

MOST_FILES: Final = 2_000
"""Greatest number of offered files; a longer list is useless to members and slow to read at the start."""
_SUFFIX: Final = ".safetensors"
_PICKLES: Final = (".pt", ".bin", ".pth", ".ckpt")
_UNDONE: Final = (".part", ".crdownload", ".download", ".aria2", ".tmp")
_UNTYPABLE: Final = ":<>"
_LONGEST_NAME: Final = 100
"""Greatest length of an autocomplete value in Discord, in characters."""
_MOST_LIKE: Final = 3

_Entry = TypeVar("_Entry", LoraEntry, EmbeddingEntry)
_File = TypeVar("_File")

log = logging.getLogger(__name__)


class LoraFile(msgspec.Struct, frozen=True):
    """A LoRA and its path."""

    path: Path
    entry: LoraEntry


class EmbeddingFile(msgspec.Struct, frozen=True):
    """An embedding and its path."""

    path: Path
    entry: EmbeddingEntry


class LoraFolder:
    """Result of one scan of the folder; new files are found at the next start.

    Args:
        directory: folder with `.safetensors` files, also in subfolders; None offers nothing.
        families: families of the catalogue's models; None accepts all families.

    Attributes:
        entries: offered LoRAs, sorted by title.
        embeddings: offered embeddings, sorted by title.
        broken: the reason why a file is not offered, by its path in the folder.
        names: names for embeddings in prompts, each with the name for `find_embedding`.
        built_in: file and weight of the LoRA that a model always has; None for none.
    """

    built_in: tuple[Path, float] | None = None

    def __init__(self, directory: Path | None, families: Collection[str] | None = None) -> None:
        self.broken: dict[str, str] = {}
        self._families = families
        self._loras: dict[str, LoraFile] = {}
        self._embeddings: dict[str, EmbeddingFile] = {}
        self._unusable: dict[str, str] = {}
        if directory is not None:
            self._look_into(directory)
        self.entries = _by_title(file.entry for file in self._loras.values())
        self.embeddings = _by_title(file.entry for file in self._embeddings.values())
        tokens = {file.entry.token: key for key, file in self._embeddings.items() if file.entry.token}
        self.names: Mapping[str, str] = tokens | {file.entry.name: key for key, file in self._embeddings.items()}

    def beside(self, path: Path, scale: float) -> "LoraFolder":
        """The same folder for a model that always has a LoRA, which no member can name."""
        found = copy.copy(self)
        found.built_in = path, scale
        return found

    def find(self, name: str) -> LoraFile | None:
        """Find a LoRA by name; case does not matter."""
        return self._loras.get(name.casefold())

    def find_embedding(self, name: str) -> EmbeddingFile | None:
        """Find an embedding by name; case does not matter."""
        return self._embeddings.get(name.casefold())

    def kind_of(self, name: str) -> str | None:
        """Kind of an unusable file with this name; None when there is no such file."""
        return self._unusable.get(name.casefold())

    def like(self, name: str) -> tuple[str, ...]:
        """Names of similar LoRAs, most similar first."""
        return tuple(file.entry.name for file in _like(name, self._loras))

    def embeddings_like(self, name: str) -> tuple[str, ...]:
        """Names of similar embeddings, most similar first."""
        return tuple(file.entry.name for file in _like(name, self._embeddings))

    def _look_into(self, directory: Path) -> None:
        if not directory.is_dir():
            self.broken[directory.name] = f"There is no folder {directory}."
            return
        # Names that begin with a dot belong to the system, such as macOS's resource forks.
        paths = [path for path in sorted(directory.rglob("*")) if not path.name.startswith(".")]
        for path in paths:
            if (sentence := _unread(path)) is not None:
                self._tell(directory, path, sentence)
        paths = [path for path in paths if path.suffix.casefold() == _SUFFIX]
        if len(paths) > MOST_FILES:
            self.broken[directory.name] = f"There are {len(paths)} files; only the first {MOST_FILES} are offered."
        for path in paths[:MOST_FILES]:
            try:
                self._take_up(path)
            except ModelUnavailable as error:
                self._tell(directory, path, str(error))
                if isinstance(error, OtherKind):
                    self._unusable[path.stem.casefold()] = error.kind

    def _tell(self, directory: Path, path: Path, sentence: str) -> None:
        self.broken[_writable(path.relative_to(directory).as_posix())] = _writable(sentence)
        log.warning("A style cannot be offered: %s", _writable(sentence))

    def _take_up(self, path: Path) -> None:
        if not path.stem.strip():
            raise ModelUnavailable(f"The name {path.name!r} is blank; rename it.")
        if any(character in path.stem for character in _UNTYPABLE):
            raise ModelUnavailable(f"The name {path.name} cannot be typed in a prompt; rename it without : < >.")
        if path.stem != _writable(path.stem):
            raise ModelUnavailable(f"The name {path.name} is not written in UTF-8; rename it.")
        if len(path.stem) > _LONGEST_NAME:
            raise ModelUnavailable(f"The name {path.name} is too long; rename it to at most {_LONGEST_NAME} letters.")
        key = path.stem.casefold()
        if key in self._loras or key in self._embeddings:
            raise ModelUnavailable(f"There are two files called {path.name}; rename one of them.")
        header = read_header(path)
        layout = layout_of(header, path.name)
        if layout is None:
            self._loras[key] = LoraFile(path, self._lora(path, header))
        else:
            self._embeddings[key] = EmbeddingFile(path, self._embedding(path, header, layout))

    def _lora(self, path: Path, header: Mapping[str, Any]) -> LoraEntry:
        check_is_lora(header, path.name)
        label = read_label(path, _metadata(header))
        family = family_of(header) or label.family
        self._check_family(path, "a LoRA", family)
        return LoraEntry(
            name=path.stem,
            title=label.title,
            trigger_words=label.trigger_words,
            scale=label.scale,
            family=family,
            embeddings=tuple(bundled(header, path.name)),
        )

    def _embedding(self, path: Path, header: Mapping[str, Any], layout: Layout) -> EmbeddingEntry:
        # An embedding is small, so it is read whole. Then NaN and infinity are reported before a member uses it.
        read_contents(path, anything)
        label = read_label(path, _metadata(header))
        self._check_family(path, "an embedding", layout.family)
        return EmbeddingEntry(
            name=path.stem,
            title=label.title,
            trigger_words=label.trigger_words,
            is_negative=label.is_negative,
            family=layout.family,
            token=layout.token,
        )

    def _check_family(self, path: Path, what: str, family: str) -> None:
        if family and self._families is not None and family not in self._families:
            title = FAMILY_TITLES.get(family, family)
            raise ModelUnavailable(
                f"The file {path.name} is {what} for {title}, and no model of the catalogue is of that kind; "
                "add one, or take the file away."
            )


def _writable(words: str) -> str:
    """Replace bytes that are not UTF-8 by "?", so that a name can be encoded."""
    return words.encode(errors="replace").decode()


def _unread(path: Path) -> str | None:
    """Reason why a file of weights is not read at all; None for readable files and for files without weights."""
    if path.suffix.casefold() in _PICKLES:
        return (
            f"The file {path.name} is a pickle, which may run foreign code, so Easel does not read it; "
            "get it as .safetensors, or convert it as docs/models.md says."
        )
    if path.suffix.casefold() in _UNDONE and _SUFFIX in path.name.casefold():
        return f"The file {path.name} is a download that was not finished; download it again."
    return None


def _metadata(header: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = header.get("__metadata__")
    return found if isinstance(found, dict) else {}


def _by_title(entries: Iterable[_Entry]) -> tuple[_Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.title.casefold()))


def _like(name: str, files: Mapping[str, _File]) -> list[_File]:
    near = difflib.get_close_matches(name.casefold(), list(files), n=_MOST_LIKE, cutoff=0.5)
    return [files[key] for key in near]
