"""The Hugging Face hub: what a repository holds, and the download of its files into the library's own cache."""

import contextlib
import glob
import os
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
from huggingface_hub import HfApi, hf_hub_download, hf_hub_url, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import build_hf_headers, disable_progress_bars, logging

from bot.cli.models.downloading import Note, RemoteFile, bytes_here, check_space, download, git_hash_of
from bot.cli.models.failing import ModelsFailed

_KEPT: Final = "run the same again, and it goes on where it was"
_REFUSED: Final = (401, 403)
_NOT_FOUND: Final = 404


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A revision of a repository.

    Attributes:
        repo_id: its name.
        revision: the revision as it was asked for.
        commit: the commit that it is.
        license: what its page says about its licence; empty if nothing.
        sizes: bytes of each file by its name.
        hashes: SHA-256 of the large files, and git's hash of the others, by name.
    """

    repo_id: str
    revision: str
    commit: str
    license: str
    sizes: Mapping[str, int]
    hashes: Mapping[str, str]


class Hub:
    """The hub that HF_ENDPOINT names, or the public one.

    Args:
        token: the owner's token; None lets the library look for its own.
        cache: folder of the downloads.
    """

    def __init__(self, token: str | None, cache: Path) -> None:
        # The library would write addresses to the log, and its bars would disturb ours.
        logging.set_verbosity_error()
        disable_progress_bars()
        self._token = token
        self._cache = cache
        self._api = HfApi(token=token)

    def look_up(self, repo_id: str, revision: str) -> Repository:
        """What a repository holds.

        Raises:
            ModelsFailed: the hub does not show it, or cannot be reached.
        """
        with _telling(repo_id, revision):
            info = self._api.model_info(repo_id, revision=revision)
            commit = str(info.sha)
            tree = list(self._api.list_repo_tree(repo_id, recursive=True, revision=commit))
        files = [each for each in tree if isinstance(each, RepoFile)]
        return Repository(
            repo_id=repo_id,
            revision=revision,
            commit=commit,
            license=_license(info.card_data),
            sizes={each.path: each.size if each.lfs is None else each.lfs.size for each in files},
            hashes={each.path: each.blob_id if each.lfs is None else each.lfs.sha256 for each in files},
        )

    def read_json(self, repository: Repository, name: str) -> dict[str, Any]:
        """A small JSON file of a repository, which is downloaded.

        Raises:
            ModelsFailed: it cannot be downloaded, or is no JSON object.
        """
        with _telling(repository.repo_id, repository.revision):
            path = hf_hub_download(
                repository.repo_id, name, revision=repository.commit, cache_dir=self._cache, token=self._token
            )
        try:
            return msgspec.json.decode(Path(path).read_bytes(), type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise ModelsFailed(f"The file {name} of {repository.repo_id} is no JSON; it cannot be used.") from error

    def bytes_missing(self, repository: Repository, names: Iterable[str]) -> int:
        """Bytes of these files that are not here yet."""
        return sum(repository.sizes[name] - bytes_here(self._blob(repository, name)) for name in names)

    def fetch(self, repository: Repository, names: list[str], note: Note) -> Path:
        """Download files; returns the folder with them.

        Args:
            repository: the repository.
            names: names of its files.
            note: is told how many more bytes are here.

        Raises:
            ModelsFailed: there is no room, the connection broke, or a hash is wrong.
        """
        self._cache.mkdir(parents=True, exist_ok=True)
        check_space(self._cache, self.bytes_missing(repository, names), repository.repo_id)
        headers = build_hf_headers(token=self._token)
        with _telling(repository.repo_id, repository.revision):
            for name in names:
                if _is_large(repository, name):
                    url = hf_hub_url(repository.repo_id, name, revision=repository.commit)
                    size, sha256 = repository.sizes[name], repository.hashes[name]
                    remote = RemoteFile(name=name, url=url, size=size, sha256=sha256)
                    download(remote, self._blob(repository, name), headers, note)
            # The library gets the small files, and gives all of them their names in its cache.
            folder = snapshot_download(
                repository.repo_id,
                revision=repository.revision,
                cache_dir=self._cache,
                token=self._token,
                allow_patterns=[glob.escape(name) for name in names],
                max_workers=1,
            )
        if Path(folder).name != repository.commit:
            raise ModelsFailed(f"{repository.repo_id} was changed on the hub meanwhile; run the same again.")
        for name in names:
            _check_small(repository, name, Path(folder) / name)
            note(0 if _is_large(repository, name) else repository.sizes[name])
        return Path(folder)

    def _blob(self, repository: Repository, name: str) -> Path:
        """Where the library keeps a file: by its hash."""
        folder = repo_folder_name(repo_id=repository.repo_id, repo_type="model")
        return self._cache / folder / "blobs" / repository.hashes[name]


def _is_large(repository: Repository, name: str) -> bool:
    return len(repository.hashes[name]) == 64  # noqa: PLR2004 - digits of SHA-256; git's own has 40


def _check_small(repository: Repository, name: str, path: Path) -> None:
    if _is_large(repository, name) or git_hash_of(path) == repository.hashes[name]:
        return
    path.resolve().unlink()
    path.unlink(missing_ok=True)
    raise ModelsFailed(
        f"The file {name} arrived with another hash than it should have, and was removed; run the same again."
    )


def _license(card: Any) -> str:
    """One line from the head of a repository's page."""
    if card is None:
        return ""
    said = {name: card.get(name) for name in ("license", "license_name", "license_link")}
    name = said["license_name"] if said["license"] == "other" and said["license_name"] else said["license"]
    words = [str(each) for each in (name, said["license_link"]) if isinstance(each, str)]
    return ", ".join(words)


@contextlib.contextmanager
def _telling(repo_id: str, revision: str) -> Generator[None]:
    """Turn the library's exceptions into sentences. Their own texts hold addresses and are not shown.

    Raises:
        ModelsFailed: see the sentences.
    """
    try:
        yield
    except GatedRepoError as error:
        raise ModelsFailed(_gated(repo_id)) from error
    except RevisionNotFoundError as error:
        raise ModelsFailed(
            f"{repo_id} has no revision '{revision}'; name a branch, a tag or a commit that its page lists."
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelsFailed(_unknown(repo_id)) from error
    except HFValidationError as error:
        raise ModelsFailed(f"'{repo_id}' is no name of a repository; it looks like owner/name.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in _REFUSED:
            raise ModelsFailed(_gated(repo_id)) from error
        if status == _NOT_FOUND:
            raise ModelsFailed(_unknown(repo_id)) from error
        raise ModelsFailed(f"The hub answered {status} for {repo_id}; {_KEPT}.") from error
    except (httpx2.HTTPError, LocalEntryNotFoundError) as error:
        raise ModelsFailed(f"The connection to the hub failed ({_root(error)}); {_KEPT}.") from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "the file was cut off"
        raise ModelsFailed(f"{repo_id} was not downloaded: {reason}; {_KEPT}.") from error


def _unknown(repo_id: str) -> str:
    return (
        f"The hub shows no repository {repo_id}; look at the name. If it is private, name a file with your token "
        "in downloads.hub_token_file."
    )


def _gated(repo_id: str) -> str:
    return (
        f"The hub refuses {repo_id}: accept its terms on its page, and name a file with your token in "
        "downloads.hub_token_file."
    )


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__
