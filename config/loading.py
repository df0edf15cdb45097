"""Settings and catalogue, or one sentence that says which field is wrong."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict, SettingsError

from config.reading import NotReadable
from config.settings import Area, Settings

EXIT_CONFIG: Final = 78
"""EX_CONFIG of sysexits.h: service managers know it as "do not restart, a person must act"."""

DEFAULT_FILE: Final = Path("easel.toml")

_SECRET_FIELDS: Final = frozenset({"token"})


class ConfigError(Exception):
    """A setting or the catalogue is wrong; the text is one sentence for the owner."""


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings file and the environment.

    Args:
        path: the file; None takes `easel.toml` of the working folder where there is one.

    Raises:
        ConfigError: a file that cannot be read, or a field that is wrong.
    """
    file = path if path is not None else DEFAULT_FILE
    if path is not None and not path.exists():
        raise ConfigError(f"The settings file {path} does not exist; create it or leave --config out.")
    if file.is_dir():
        raise ConfigError(f"The settings file {file} is a folder; name a file.")
    _refuse_unknown(os.environ)

    class _FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=file if file.exists() else None)

    try:
        return _FromFile()
    except ValidationError as error:
        raise ConfigError(_sentence(error, file if file.exists() else None)) from error
    except SettingsError as error:
        raise ConfigError(f"The settings cannot be read: {error}.") from error
    except NotReadable as error:
        raise ConfigError(f"The settings file {file} {error}.") from error


def _refuse_unknown(variables: Iterable[str]) -> None:
    """A variable that is meant for us and sets nothing is a mistake; others begin with our name by chance."""
    known = {_variable(*name.split(".")): name for name in _known_fields()}
    areas = tuple(f"EASEL_{area}__".upper() for area in Settings.model_fields)
    for variable in variables:
        asked = variable.upper()
        # What is in an area is looked at by that area, which may hold a table with names of its own.
        if not asked.startswith("EASEL_") or asked.startswith(areas) or asked in known:
            continue
        near = difflib.get_close_matches(asked, known, n=1, cutoff=0.6 if "__" in asked else 0.85)
        if near:
            raise ConfigError(f"There is no setting {variable}; did you mean {near[0]} ({known[near[0]]})?")
        if "__" in asked:
            raise ConfigError(f"There is no setting {variable}; easel.example.toml lists them all.")


def _known_fields() -> list[str]:
    """Every area, and every setting in it."""
    return [
        name
        for area, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Area)
        for name in (area, *(f"{area}.{name}" for name in field.annotation.model_fields))
    ]


def _variable(*names: str) -> str:
    return "EASEL_" + "__".join(names).upper()


def _sentence(error: ValidationError, file: Path | None) -> str:
    """The first mistake, with the field's name in the file and in the environment."""
    first = error.errors(include_url=False)[0]
    names = [str(part) for part in first["loc"]]
    field = ".".join(names)
    variable = _variable(*names)
    where = variable if variable in os.environ else f"{file or 'easel.toml'}, or {variable}"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, _known_fields(), n=1)
        hint = f"did you mean {near[0]}?" if near else "easel.example.toml lists them all."
        return f"There is no setting {field} ({where}); {hint}"
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    message = message[:1].lower() + message[1:]
    if names[-1] in _SECRET_FIELDS:
        return f"The setting {field} ({where}) is wrong: {message}."
    return f"The setting {field} ({where}) is wrong: {message}; it is {first['input']!r} now."
