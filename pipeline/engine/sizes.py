"""How much memory a model will take, told from its files before anything is loaded."""

import re
from collections import Counter
from pathlib import Path
from typing import Final

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from pipeline.engine.devices import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.registry import FAMILIES, FamilyParts
from pipeline.engine.headers import count_numbers
from pipeline.engine.sources import components_with_weights
from pipeline.protocol.models import FileSource, FolderSource, HubSource, ModelSpec

_SHARD: Final = re.compile(r"-\d+-of-\d+")


def expected_bytes(spec: ModelSpec, placement: Placement, cache_directory: str | None) -> int | None:
    """Bytes of a model's weights in the placement's precision; None where its files are not here or not whole.

    What comes with it for previews is small and not counted; it is once it is loaded.
    """
    try:
        numbers = _numbers(spec.source, FAMILIES[spec.family], cache_directory)
        enlarger = 0 if spec.enlarger is None else count_numbers(Path(spec.enlarger.path))
    except ModelUnavailable:
        return None
    return None if numbers is None else numbers * placement.dtype.itemsize + enlarger * torch.float32.itemsize


def _numbers(
    source: FolderSource | FileSource | HubSource, parts: FamilyParts, cache_directory: str | None
) -> int | None:
    if isinstance(source, FileSource):
        return count_numbers(Path(source.path))
    folder = source.path if isinstance(source, FolderSource) else _downloaded(source, cache_directory)
    if folder is None:
        return None
    return sum(_in_folder(Path(folder) / name) for name in components_with_weights(Path(folder), parts))


def _in_folder(folder: Path) -> int:
    """Numbers of one component; of several variants of it (`model.fp16.safetensors`), one is loaded."""
    variants: Counter[str] = Counter()
    for file in folder.glob("*.safetensors"):
        variants[_SHARD.sub("", file.stem)] += count_numbers(file)
    return max(variants.values(), default=0)


def _downloaded(source: HubSource, cache_directory: str | None) -> str | None:
    """Where a model from a hub lies, if it was fetched before."""
    try:
        return str(
            snapshot_download(
                source.repo_id, revision=source.revision, cache_dir=cache_directory, local_files_only=True
            )
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, ValueError):
        return None
