"""What all commands of `easel` have in common: the settings file, and the end with one sentence."""

import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from config.catalogue import Catalogue, load_catalogue
from config.loading import load_settings
from config.settings import Settings

EXIT_UNAVAILABLE: Final = 69
"""EX_UNAVAILABLE of sysexits.h: something that Easel needs is missing."""
EXIT_NO_INPUT: Final = 66
"""EX_NOINPUT of sysexits.h: a file cannot be read."""

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The settings file. Default: easel.toml, where there is one.")
]


def load(config: Path | None) -> tuple[Settings, Catalogue]:
    """The settings and the catalogue that they name.

    Raises:
        ConfigError: one of them is wrong.
    """
    settings = load_settings(config)
    return settings, load_catalogue(settings.pipeline.catalogue, settings.pipeline.default_model)


def stop(sentence: str, code: int) -> NoReturn:
    """End the command with one sentence on standard error."""
    print(f"easel: {sentence}", file=sys.stderr)  # noqa: T201 - this is the command line
    raise SystemExit(code)
