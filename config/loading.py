"""Settings and catalogue, or one sentence that says which field is wrong."""

import os
import tomllib
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict, SettingsError

from config.settings import Settings

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
    if path is not None and not path.is_file():
        raise ConfigError(f"The settings file {path} does not exist; create it or leave --config out.")

    class _FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=file if file.is_file() else None)

    try:
        return _FromFile()
    except ValidationError as error:
        raise ConfigError(_sentence(error, file if file.is_file() else None)) from error
    except SettingsError as error:
        raise ConfigError(f"The settings cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The settings file {file} is not valid TOML: {error}.") from error
    except OSError as error:
        raise ConfigError(f"The settings file {file} cannot be read: {error.strerror}.") from error


def _sentence(error: ValidationError, file: Path | None) -> str:
    """The first mistake, with the field's name in the file and in the environment."""
    first = error.errors(include_url=False)[0]
    names = [str(part) for part in first["loc"]]
    field = ".".join(names)
    variable = "EASEL_" + "__".join(names).upper()
    where = variable if variable in os.environ else f"{file or 'easel.toml'}, or {variable}"
    if first["type"] == "extra_forbidden":
        return f"There is no setting {field} ({where}); easel.example.toml lists them all."
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    message = message[:1].lower() + message[1:]
    if names[-1] in _SECRET_FIELDS:
        return f"The setting {field} ({where}) is wrong: {message}."
    return f"The setting {field} ({where}) is wrong: {message}; it is {first['input']!r} now."
