"""Where downloads of a model hub lie on this computer, for both processes. Only `easel models` downloads any."""

from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, IncompleteSnapshotError, LocalEntryNotFoundError

from pipeline.protocol.catalogue.networks import HubSource


def downloaded(source: HubSource, cache_directory: str | None) -> Path | None:
    """Folder of a repository on this computer; None when nothing of it is here.

    Args:
        source: the repository.
        cache_directory: folder for downloads from a model hub; None is the library's default.
    """
    try:
        found = snapshot_download(
            source.repo_id, revision=source.revision, cache_dir=cache_directory, local_files_only=True
        )
    except IncompleteSnapshotError as error:
        # Some files of the repository are never wanted. The model's own check says which ones it lacks.
        return Path(error.snapshot_path)
    except (LocalEntryNotFoundError, HfHubHTTPError, ValueError):
        return None
    return Path(found)
