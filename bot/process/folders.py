"""The folders that settings name: whether they are there, and ours to write where Easel writes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from config.settings import Settings


def folder_mistakes(settings: Settings) -> Iterator[str]:
    """One sentence for each folder that cannot serve; the worker looks at those of models and LoRAs."""
    yield from _unwritable("storage.directory", settings.storage.directory)
    if settings.pipeline.cache_directory is not None:
        yield from _unwritable("pipeline.cache_directory", settings.pipeline.cache_directory)
    wildcards = settings.prompts.wildcards
    if wildcards is not None and not wildcards.is_dir():
        what = "is a file; name a folder" if wildcards.exists() else "does not exist, so that no list is offered"
        yield f"{wildcards} (prompts.wildcards) {what}"


def _unwritable(setting: str, folder: Path) -> Iterator[str]:
    """What keeps us from writing; a folder that is not there yet will be made in the nearest one that is."""
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
