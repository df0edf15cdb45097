"""`easel models list` and `check`: what the catalogue's entries are, and whether their files are whole."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from bot.cli.models.civitai import SUMS
from bot.cli.models.downloading import GIB, git_hash_of, sha256_of
from bot.cli.models.examining import examine_files
from bot.store.fetches import Fetches
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.catalogue.networks import NO_SOURCE, FileSource, FolderSource, HubSource, Source
from pipeline.protocol.downloads import downloaded

_SHA256_DIGITS: Final = 64
_GIT_DIGITS: Final = 40


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue, as the owner sees it.

    Attributes:
        key: its key.
        family: its family, or what it is.
        size: bytes of its files.
        license: its terms.
        fault: why it cannot be offered; empty if it can.
    """

    key: str
    family: str
    size: int
    license: str
    fault: str

    def __str__(self) -> str:
        mark = "BAD " if self.fault else "ok  "
        return f"{mark} {self.key:<20} {self.family:<10} {self.size / GIB:7.2f} GiB  {self.license}"


def list_models(settings: Settings, catalogue: Catalogue, say: Callable[[str], None], console: Console) -> bool:
    """Print a line for each entry, and one for each fault; True if every entry can be offered.

    Raises:
        ModelsFailed: the files could not be looked through.
    """
    lines = _lines(settings, catalogue, console)
    for line in lines:
        say(str(line))
        if line.fault:
            say(f"     {line.fault}")
    return not any(line.fault for line in lines)


def check_models(settings: Settings, catalogue: Catalogue, say: Callable[[str], None], console: Console) -> bool:
    """Print the same, and compare every file of a hub with its hash; True if all is well.

    Raises:
        ModelsFailed: the files could not be looked through.
    """
    is_fine = list_models(settings, catalogue, say, console)
    wrong: list[str] = []
    for key, path in _hashed_files(settings, catalogue):
        with console.status(f"Reading {path.name} …"):
            if not has_its_hash(path):
                wrong.append(key)
                say(f"BAD  {path} has another hash than where it came from; {_remedy(key, path)}")
    if not wrong:
        say("Every downloaded file has its hash.")
    return is_fine and not wrong


def has_its_hash(path: Path) -> bool:
    """Whether a file has its hash: the one beside it, or the one that the hub's library names it by; else True."""
    sums = path.with_name(path.name + SUMS)
    if sums.is_file():
        return sums.read_text(encoding="utf-8").startswith(sha256_of(path))
    name = path.resolve().name
    if len(name) == _SHA256_DIGITS:
        return sha256_of(path) == name
    return len(name) != _GIT_DIGITS or git_hash_of(path) == name


def _remedy(key: str, path: Path) -> str:
    if path.with_name(path.name + SUMS).is_file():
        return f"remove the entry with `easel models remove {key}`, and add it again."
    return f"`easel models fetch {key}` gets it again."


def sources_of(entry: object) -> Iterator[Source]:
    """All places of weights that an entry names."""
    names = ("source", "vae", "preview_decoder", "preprocessor_model", "encoder")
    found = (getattr(entry, name, None) for name in names)
    places = (each for each in found if isinstance(each, FolderSource | FileSource | HubSource))
    yield from (each for each in places if each != NO_SOURCE)
    paths = (getattr(entry, "path", None), getattr(getattr(entry, "lora", None), "path", None))
    yield from (FileSource(path=path) for path in paths if isinstance(path, str))


def files_of(source: Source, cache: Path) -> list[Path]:
    """The files of a place that are on this computer."""
    if isinstance(source, FileSource):
        path = Path(source.path)
        return [path] if path.is_file() else []
    folder = Path(source.path) if isinstance(source, FolderSource) else downloaded(source, str(cache))
    return [] if folder is None else sorted(path for path in folder.rglob("*") if path.is_file())


def entries_of(catalogue: Catalogue) -> Mapping[str, object]:
    """Every entry of the catalogue by its key."""
    return {**catalogue.entries, **catalogue.networks}


def _lines(settings: Settings, catalogue: Catalogue, console: Console) -> list[Line]:
    with console.status("Looking through the files …"):
        missing = examine_files(settings, catalogue).missing
    fetches = Fetches(settings.model_cache)
    lines: list[Line] = []
    for key, entry in entries_of(catalogue).items():
        percent = fetches.percent(key)
        fault = missing.get(key, "") if percent is None else f"It is being downloaded; {percent} % are here."
        files = {file.resolve() for source in sources_of(entry) for file in files_of(source, settings.model_cache)}
        lines.append(
            Line(
                key=key,
                family=str(getattr(entry, "family", type(entry).__name__.removesuffix("Spec").lower())),
                size=sum(file.stat().st_size for file in files),
                license=str(getattr(entry, "license", "")),
                fault=fault,
            )
        )
    return lines


def _hashed_files(settings: Settings, catalogue: Catalogue) -> Iterator[tuple[str, Path]]:
    """Every file with a known hash that an entry reads, once, with the entry's key."""
    seen: set[Path] = set()
    for key, entry in entries_of(catalogue).items():
        for source in sources_of(entry):
            for path in files_of(source, settings.model_cache):
                has_hash = isinstance(source, HubSource) or path.with_name(path.name + SUMS).is_file()
                if has_hash and path.resolve() not in seen:
                    seen.add(path.resolve())
                    yield key, path
