"""Read the settings; turn an error into one sentence that names the wrong field."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict, SettingsError

from config.areas.area import Area
from config.reading import NotReadable
from config.settings import Settings

EXIT_CONFIG: Final = 78
"""Exit code EX_CONFIG of sysexits.h. Service managers do not restart a program with it, since a person must act."""

DEFAULT_FILE: Final = Path("easel.toml")

_SECRET_FIELDS: Final = frozenset({"token", "hub_token", "civitai_token", "key"})


class ConfigError(Exception):
    """A setting or the catalogue is wrong. The message is one sentence for the owner."""


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings file and the environment.

    Args:
        path: the settings file; None stands for `easel.toml` in the working folder, if it exists.

    Raises:
        ConfigError: the file cannot be read, or a field is wrong.
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
    """Refuse environment variables that look like settings of Easel but are none.

    A variable may also begin with EASEL by chance. So it is refused only if it contains `__` or resembles a setting.
    """
    known = {_variable(*name.split(".")): name for name in _known_fields()}
    areas = tuple(f"EASEL_{area}__".upper() for area in Settings.model_fields)
    for variable in variables:
        asked = variable.upper()
        # pydantic checks variables inside an area, since an area may have a table with free names.
        if not asked.startswith("EASEL_") or asked.startswith(areas) or asked in known:
            continue
        # Their common beginning would make any two short names alike.
        names = {name.removeprefix("EASEL_"): name for name in known}
        near = difflib.get_close_matches(
            asked.removeprefix("EASEL_"), names, n=1, cutoff=0.6 if "__" in asked else 0.75
        )
        if near:
            name = names[near[0]]
            raise ConfigError(f"There is no setting {variable}; did you mean {name} ({known[name]})?")
        if "__" in asked:
            raise ConfigError(f"There is no setting {variable}; easel.example.toml lists them all.")


def _known_fields() -> list[str]:
    """The names of all areas and settings."""
    return [
        name
        for area, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Area)
        for name in (area, *(f"{area}.{name}" for name in field.annotation.model_fields))
    ]


def _variable(*names: str) -> str:
    return "EASEL_" + "__".join(names).upper()


def _sentence(error: ValidationError, file: Path | None) -> str:
    """A sentence about the first error, with the field's name in the file and in the environment."""
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
