"""`easel models add`: a model of a hub, of Civitai or in a file becomes an entry of the owner's catalogue."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console

from bot.cli.models.civitai import Civitai
from bot.cli.models.downloading import FILES, GIB, bytes_here
from bot.cli.models.entries import catalogue_text, check_text, with_model, write_catalogue
from bot.cli.models.examining import examine_files, survey
from bot.cli.models.failing import ModelsFailed
from bot.cli.models.fetching import (
    Agree,
    Wanted,
    agree_to,
    configuration_of,
    configurations_in,
    download_all,
    hub_of,
    index_in,
    progress,
    whole_model,
)
from bot.cli.models.hub import Hub
from bot.cli.models.listing import entries_of
from config.catalogue import Catalogue, load_catalogue
from config.reading import NotReadable
from config.settings import Settings
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.examining import Examined, Surveyed
from pipeline.protocol.limits import MAX_STEPS, MIN_SIDE

_SAMPLERS: Final[Mapping[str, str]] = {
    "diffusion": "DPM++ 2M Karras",
    "flow": "Flow Euler",
    "own": "Model's own",
}
"""Usual sampler by the kind of a family's samplers."""
_PICKLES: Final = (".bin", ".ckpt", ".pt", ".pth")
_LATEST: Final = "main"
_LEAST_BOUND: Final = 50
"""Least bound of the steps."""
_AIR: Final = "urn:air:"
_SAFE: Final = ".safetensors"
_GGUF: Final = ".gguf"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner says of a new model; empty fields are derived.

    Attributes:
        key: key of the entry.
        title: what members read.
        license: its licence.
        rest: diffusers folder with the rest of a model whose file holds the transformer alone; None for others.
    """

    key: str = ""
    title: str = ""
    license: str = ""
    rest: Path | None = None


class Adding:
    """Adds one model.

    Args:
        settings: the owner's settings.
        config: the settings file; None is the usual one.
        catalogue: the owner's catalogue.
        named: what the owner says of the model.
        agree: asks the owner.
        console: shows progress.
    """

    def __init__(
        self,
        settings: Settings,
        config: Path | None,
        catalogue: Catalogue,
        named: Named,
        agree: Agree,
        console: Console,
    ) -> None:
        self._settings = settings
        self._config = config
        self._catalogue = catalogue
        self._named = named
        self._agree = agree
        self._console = console

    def add(self, what: str) -> tuple[str, list[Path]]:
        """Add what is named: REPO[@REV], a file or folder on this computer, or an AIR of Civitai.

        Returns:
            The key of the new entry, and the files that were written.

        Raises:
            ModelsFailed: it is no model that Easel draws with, the owner does not agree, or something failed on the
                way; the catalogue is as it was.
        """
        if what.startswith(_AIR):
            return self._add_version(what)
        path = Path(what).expanduser()
        if path.exists() or path.suffix in (_SAFE, _GGUF, *_PICKLES):
            return self._add_path(path)
        self._check_rest(is_needed=False)
        repo_id, _, revision = what.partition("@")
        return self._add_repository(repo_id, revision or _LATEST)

    def _add_repository(self, repo_id: str, revision: str) -> tuple[str, list[Path]]:
        hub = hub_of(self._settings)
        repository = hub.look_up(repo_id, revision)
        if index_in(repository) is None:
            whole_model(hub, repository, "")  # says why
        named = self._filled(repo_id.rpartition("/")[2], repository.license)
        found = self._survey(hub.fetch(repository, configurations_in(repository), lambda _: None))
        # A commit keeps pictures repeatable.
        source = {"kind": "hub", "repo_id": repo_id, "revision": repository.commit}
        pinned = msgspec.structs.replace(repository, revision=repository.commit)
        entry = entry_of(named, found, source)
        text = self._checked(entry, f"{repo_id} at {revision}")
        self._download(hub, entry, whole_model(hub, pinned, found.family))
        return self._written(entry, text)

    def _download(self, hub: Hub, entry: Mapping[str, Any], wanted: Wanted) -> None:
        terms = f"License of {entry['title']}: {entry['license']}"
        agree_to(terms, hub, [wanted], self._agree, self._console)
        download_all(entry["key"], hub, [wanted], self._settings, self._console)

    def _add_version(self, air: str) -> tuple[str, list[Path]]:
        try:
            civitai = Civitai(self._settings.downloads.civitai_url, self._settings.downloads.read_civitai_token())
        except NotReadable as error:
            raise ModelsFailed(f"Civitai's key {error}.") from error
        version = civitai.look_up(air)
        named = self._filled(version.title, version.license)
        folder = self._settings.model_cache.resolve() / FILES / f"civitai-{version.number}"
        target = folder / f"{key_of(version.file.name.removesuffix(_SAFE))}{_SAFE}"
        self._console.print(f"License of {version.title}: {version.license}", highlight=False, markup=False)
        missing = max(0, version.file.size - bytes_here(target)) / GIB
        if not self._agree(f"Do you agree to these terms, and download {missing:.2f} GiB?"):
            raise ModelsFailed("Nothing was downloaded.")
        with progress(named.key, version.file.size, bytes_here(target), self._settings, self._console) as note:
            civitai.fetch(version, target, note)
        return self._write_path(target, named)

    def _add_path(self, path: Path) -> tuple[str, list[Path]]:
        if not path.exists():
            raise ModelsFailed(f"There is no file {path}.")
        if path.suffix in _PICKLES:
            raise ModelsFailed(
                f"{path} is pickled, so reading it may run foreign code; `easel convert {path}` writes its weights as "
                ".safetensors. Add that."
            )
        self._check_rest(is_needed=path.suffix == _GGUF, is_possible=path.is_file())
        named = self._filled(path.stem, "")
        self._console.print(f"License of {path.name}: {self._named.license}", highlight=False, markup=False)
        if not self._agree("Do you agree to these terms?"):
            raise ModelsFailed("Nothing was added.")
        return self._write_path(path, named)

    def _write_path(self, path: Path, named: Named) -> tuple[str, list[Path]]:
        found = self._survey(named.rest or path)
        source = {"kind": "folder" if path.is_dir() else "file", "path": str(path.resolve())}
        if named.rest is not None:
            source["config"] = str(named.rest.resolve())
        entry = entry_of(named, found, source)
        text = self._checked(entry, path.name)
        return self._written(entry, text)

    def _survey(self, path: Path) -> Surveyed:
        with self._console.status("Looking at the model …"):
            return survey(path)

    def _filled(self, name: str, terms: str) -> Named:
        """What the owner said of the model, filled up with what its page says.

        Raises:
            ModelsFailed: the key is taken, or nothing says the licence.
        """
        named = Named(
            key=self._named.key or key_of(name),
            title=self._named.title or title_of(name),
            license=self._named.license or terms,
            rest=self._named.rest,
        )
        if named.key in entries_of(self._catalogue):
            raise ModelsFailed(f"The catalogue has an entry '{named.key}' already; choose another key with --key.")
        if not named.license:
            raise ModelsFailed(f"Nothing says the licence of {name}; read its terms, and say them with --license.")
        return named

    def _checked(self, entry: Mapping[str, Any], origin: str) -> tuple[Path, str]:
        """Path and text of the catalogue with the entry, which was read as Easel reads it."""
        path, text = catalogue_text(self._settings, self._config)
        changed = with_model(text, entry, f"added by `easel models add` from {origin}; try what suits the model")
        check_text(changed, path, self._settings.pipeline.default_model)
        return path, changed

    def _check_rest(self, *, is_needed: bool, is_possible: bool = False) -> None:
        rest = self._named.rest
        if rest is None and is_needed:
            raise ModelsFailed(
                "A GGUF holds a transformer alone; name the diffusers folder with the rest of the model: --rest FOLDER."
            )
        if rest is not None and not is_possible:
            raise ModelsFailed("--rest is for a model in a file; leave it out.")
        if rest is not None and not rest.is_dir():
            raise ModelsFailed(f"There is no folder {rest}, which --rest names.")

    def _written(self, entry: Mapping[str, Any], checked: tuple[Path, str]) -> tuple[str, list[Path]]:
        """Write the catalogue, and say what its files show of the new model."""
        path, text = checked
        written = write_catalogue(path, text, self._settings, self._config)
        key = str(entry["key"])
        fault = self._fault(path, key)
        if fault:
            raise ModelsFailed(f"The entry '{key}' stands in {path}, but cannot be offered yet. {fault}")
        return key, written

    def _fault(self, path: Path, key: str) -> str:
        """Why a new entry cannot be offered; empty if it can. The configuration of a checkpoint is downloaded first."""
        catalogue = load_catalogue(path, self._settings.pipeline.default_model)
        found = self._examined(catalogue)
        source = found.configurations.get(key)
        if key in found.missing and source is not None:
            try:
                hub = hub_of(self._settings)
                download_all(key, hub, [configuration_of(hub, source)], self._settings, self._console)
            except ModelsFailed as error:
                return f"{found.missing[key]} {error}"
            found = self._examined(catalogue)
        return found.missing.get(key, "")

    def _examined(self, catalogue: Catalogue) -> Examined:
        with self._console.status("Looking through the files …"):
            return examine_files(self._settings, catalogue)


def entry_of(named: Named, found: Surveyed, source: Mapping[str, str]) -> dict[str, Any]:
    """The entry of a model, as TOML has it. What it leaves out has a default."""
    facts = FAMILY_FACTS[found.family]
    step, side = facts.size_multiple, found.side
    entry: dict[str, Any] = {
        "key": named.key,
        "title": named.title,
        "family": found.family,
        "license": named.license,
        "source": source,
        **({"edits": True} if found.edits else {}),
        # Members are then told so before a worker has looked at the files.
        **({"lacks": [str(each) for each in found.lacks]} if found.lacks else {}),
    }
    entry["defaults"] = {
        "steps": found.steps,
        "cfg": found.cfg,
        "width": side,
        "height": side,
        "sampler": _SAMPLERS[facts.kind],
    }
    entry["bounds"] = {
        "max_steps": min(MAX_STEPS, max(_LEAST_BOUND, 2 * found.steps)),
        "min_side": max(MIN_SIDE, side // 2 // step * step),
        "max_side": side * 3 // 2 // step * step,
        "max_pixels": side * side * 3 // 2,
    }
    return entry


def key_of(name: str) -> str:
    """A key from a name: small letters, digits, and hyphens."""
    return re.sub(r"[^a-z0-9._]+", "-", name.casefold()).strip("-._")[:64] or "model"


def title_of(name: str) -> str:
    """A title from a name."""
    return re.sub(r"[-_]+", " ", name).strip() or name
