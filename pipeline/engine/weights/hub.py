"""Files of a model hub that lie on this computer. The worker downloads nothing: `easel models fetch` does that."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from diffusers.loaders.single_file_utils import fetch_diffusers_config

from pipeline.engine.failures import ModelUnavailable
from pipeline.protocol.catalogue.networks import FolderSource, HubSource
from pipeline.protocol.downloads import downloaded

_LATEST: Final = "main"


def folder_of(source: FolderSource | HubSource, cache_directory: str | None, what: str, key: str) -> Path:
    """Folder of a source on this computer; of a repository, that of its download.

    Args:
        source: the folder or repository.
        cache_directory: folder for downloads from a model hub; None is the library's default.
        what: the thing that needs it, as the start of a sentence.
        key: key of its entry in the catalogue.

    Raises:
        ModelUnavailable: nothing of a repository is here; the sentence names the command that downloads it.
    """
    folder = Path(source.path) if isinstance(source, FolderSource) else downloaded(source, cache_directory)
    if folder is None:
        raise ModelUnavailable(f"{what} is not on this computer yet; `easel models fetch {key}` downloads it.")
    return folder


def configurations_for(header: Mapping[str, Any]) -> HubSource:
    """Repository with the configurations that a checkpoint's tensors need, as diffusers infers it.

    Raises:
        Exception: diffusers does not know such tensors.
    """
    repository: str = fetch_diffusers_config(header)["pretrained_model_name_or_path"]
    return HubSource(repo_id=repository, revision=_LATEST)
