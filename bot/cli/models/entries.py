"""Changes to the owner's catalogue and settings file that keep everything else in them, comments included."""

import contextlib
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from bot.cli.models.failing import ModelsFailed
from config.catalogue import SHIPPED, load_catalogue
from config.loading import DEFAULT_FILE, ConfigError
from config.reading import NotReadable, read_text
from config.settings import Settings

_OWN: Final = "models.toml"
_SHIPPED_PATHS: Final = '"../models/'


def catalogue_text(settings: Settings, config: Path | None) -> tuple[Path, str]:
    """Path and text of the owner's catalogue. An owner without one gets a copy of the shipped one, once it is written.

    Args:
        settings: name the catalogue.
        config: the settings file; None is the usual one. A copy lies beside it.

    Raises:
        ModelsFailed: the catalogue cannot be read, or a file is where the copy would be.
    """
    path = settings.pipeline.catalogue
    try:
        if path.resolve() != SHIPPED.resolve():
            return path, read_text(path)
        own = (config or DEFAULT_FILE).with_name(_OWN)
        if own.exists():
            raise ModelsFailed(f"{own} exists, but pipeline.catalogue does not name it; set it, or move the file away.")
        # Paths are relative to the file, and the copy lies elsewhere.
        models = SHIPPED.resolve().parents[1] / "models"
        lines = read_text(path).splitlines(keepends=True)
        return own, "".join(
            line if line.startswith("#") else line.replace(_SHIPPED_PATHS, f'"{models}/') for line in lines
        )
    except NotReadable as error:
        raise ModelsFailed(f"The model catalogue {path} {error}.") from error


def with_model(text: str, entry: Mapping[str, Any], remark: str) -> str:
    """The text of a catalogue with one more model, and a comment above it.

    Raises:
        ModelsFailed: the text is no TOML, or keeps its models in another form than `[[model]]`.
    """
    with _telling():
        document = tomlkit.parse(text)
        table = tomlkit.table()
        table.comment(remark)
        for name, value in entry.items():
            table.add(name, _item(name, value))
        models = document.get("model")
        if not isinstance(models, AoT):
            raise ModelsFailed("The catalogue has no [[model]]; write its models in that form first.")
        models.append(table)
        return tomlkit.dumps(document)


def without_entry(text: str, key: str) -> str:
    """The text of a catalogue without the entry of a key, of whatever kind.

    Raises:
        ModelsFailed: the text is no TOML, or has no such entry in a list of tables.
    """
    with _telling():
        document = tomlkit.parse(text)
        for entries in document.values():
            if isinstance(entries, AoT):
                for number, entry in enumerate(entries):
                    if entry.get("key") == key:
                        del entries[number]
                        return tomlkit.dumps(document)
    raise ModelsFailed(f"The catalogue has no entry '{key}' of its own.")


def check_text(text: str, path: Path, default_key: str) -> None:
    """Check that a text is a catalogue, as Easel reads it.

    Raises:
        ModelsFailed: it is not; the sentence says why.
    """
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".toml", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            try:
                load_catalogue(Path(file.name), default_key)
            except ConfigError as error:
                raise ModelsFailed(f"{str(error).replace(file.name, str(path))} Nothing was changed.") from error
    except OSError as error:
        raise ModelsFailed(f"{path.parent} cannot be written: {error.strerror}. Nothing was changed.") from error


def write_catalogue(path: Path, text: str, settings: Settings, config: Path | None) -> list[Path]:
    """Write a catalogue in the place of the old one; if it is new, let the settings file name it.

    Returns:
        The files that were written.

    Raises:
        ModelsFailed: a file cannot be read or written.
    """
    is_new = path.resolve() != settings.pipeline.catalogue.resolve()
    file = config or DEFAULT_FILE
    with _telling():
        try:
            changed = tomlkit.parse(read_text(file)) if is_new and file.exists() else tomlkit.document()
        except NotReadable as error:
            raise ModelsFailed(f"The settings file {file} {error}.") from error
        _replace(path, text)
        if not is_new:
            return [path]
        changed.setdefault("pipeline", tomlkit.table())["catalogue"] = str(path)
        _replace(file, tomlkit.dumps(changed))
        return [path, file]


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    if path.exists():
        partial.chmod(path.stat().st_mode & 0o777)
    partial.replace(path)


def _item(name: str, value: Any) -> Any:
    """A value in TOML: the source of weights in one line, other tables as such."""
    if not isinstance(value, Mapping):
        return value
    table = tomlkit.inline_table() if name == "source" else tomlkit.table()
    table.update(value)
    return table


@contextlib.contextmanager
def _telling() -> Generator[None]:
    try:
        yield
    except TOMLKitError as error:
        raise ModelsFailed(f"The file is not valid TOML: {error}. Nothing was changed.") from error
    except OSError as error:
        raise ModelsFailed(f"{error.filename} cannot be written: {error.strerror}. Nothing was changed.") from error
