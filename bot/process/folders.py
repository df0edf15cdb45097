"""Checks of the folders in the settings: each exists, and Easel can write where it must."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from config.settings import Settings


def folder_mistakes(settings: Settings) -> Iterator[str]:
    """One sentence for each unusable folder. The worker checks the folders of models and LoRAs."""
    yield from _unwritable("storage.directory", settings.storage.directory)
    if settings.pipeline.cache_directory is not None:
        yield from _unwritable("pipeline.cache_directory", settings.pipeline.cache_directory)
    if settings.backup.directory is not None and settings.backup.every_h:
        yield from _unwritable("backup.directory", settings.backup.directory)
    wildcards = settings.prompts.wildcards
    if wildcards is not None and not wildcards.is_dir():
        what = "is a file; name a folder" if wildcards.exists() else "does not exist, so that no list is offered"
        yield f"{wildcards} (prompts.wildcards) {what}"


def _unwritable(setting: str, folder: Path) -> Iterator[str]:
    """A sentence if the folder cannot be written. For a missing folder, its nearest existing parent is checked."""
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        yield f"{there} ({setting}) is a file; name a folder"
        return
    try:
        with tempfile.TemporaryFile(dir=there, prefix=".easel-"):
            pass
    except OSError as error:
        yield f"{there} ({setting}) cannot be written: {error.strerror}; give it to the user that runs Easel"
