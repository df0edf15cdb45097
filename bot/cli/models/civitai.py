"""Civitai: what a model's version is, and the download of its file by the documented interface.

See https://developer.civitai.com, "Public REST API", and its page on AIR for names such as
`urn:air:sdxl:checkpoint:civitai:101055@128078`.
"""

import contextlib
import re
from collections.abc import Generator
from pathlib import Path, PurePosixPath
from typing import Any, Final

import httpx2
import msgspec
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import disable_progress_bars, logging

from bot.cli.models.downloading import Note, RemoteFile, bytes_here, check_space, download
from bot.cli.models.failing import ModelsFailed

_AIR: Final = re.compile(r"urn:air:[\w.-]+:(?P<type>[a-z]+):civitai:(?P<model>\d+)(?:@(?P<version>\d+))?")
_TIMEOUT_S: Final = 30.0
_REFUSED: Final = (401, 403)
_NOT_FOUND: Final = 404
_OF_OTHERS: Final = {"lora": "pipeline.lora_directory", "embedding": "pipeline.lora_directory"}
_TERMS: Final = {
    "allowNoCredit": "without credit",
    "allowDerivatives": "merges",
    "allowDifferentLicense": "other terms for merges",
}
SUMS: Final = ".sha256"
"""Ending of the file with a hash beside the file that it is of, as sha256sum writes it."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a model.

    Attributes:
        number: its number on Civitai.
        title: names of the model and the version.
        license: one line about its terms.
        file: its .safetensors file.
    """

    number: int
    title: str
    license: str
    file: RemoteFile


class Civitai:
    """Civitai, as the owner's settings name it.

    Args:
        url: its address.
        token: the owner's API key; None for none.
    """

    def __init__(self, url: str, token: str | None) -> None:
        # The library that downloads would write addresses to the log.
        logging.set_verbosity_error()
        disable_progress_bars()
        self._url = url
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def look_up(self, air: str) -> Version:
        """The version that an AIR names; without a version, the newest one.

        Raises:
            ModelsFailed: it names none, it is no checkpoint, or Civitai does not show it.
        """
        named = _AIR.fullmatch(air)
        if named is None:
            raise ModelsFailed(f"'{air}' is no AIR; one looks like urn:air:sdxl:checkpoint:civitai:101055@128078.")
        if named["type"] != "checkpoint":
            place = _OF_OTHERS.get(named["type"])
            hint = f"; put its file into {place}" if place else ""
            raise ModelsFailed(f"'{air}' is a {named['type']}, and only checkpoints become entries{hint}.")
        with _telling(air):
            model = self._read(f"models/{named['model']}")
            number = int(named["version"] or model["modelVersions"][0]["id"])
            return _version(model, self._read(f"model-versions/{number}"))

    def fetch(self, version: Version, target: Path, note: Note) -> None:
        """Download the file of a version, and write its hash beside it.

        Raises:
            ModelsFailed: there is no room, the connection broke, or the hash is wrong.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        check_space(target.parent, version.file.size - bytes_here(target), version.title)
        # The key is for Civitai alone, wherever the file lies.
        headers = self._headers if version.file.url.startswith(f"{self._url}/") else {}
        with _telling(version.title):
            download(version.file, target, headers, note)
        target.with_name(target.name + SUMS).write_text(f"{version.file.sha256}  {target.name}\n", encoding="utf-8")

    def _read(self, path: str) -> dict[str, Any]:
        answer = httpx2.get(
            f"{self._url}/api/v1/{path}", headers=self._headers, timeout=_TIMEOUT_S, follow_redirects=True
        )
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=dict[str, Any])


def _version(model: dict[str, Any], version: dict[str, Any]) -> Version:
    title = f"{model['name']} {version['name']}".strip()
    files = [each for each in version["files"] if str(each["name"]).endswith(".safetensors")]
    files = [each for each in files if each.get("type") == "Model"]
    if not files:
        raise ModelsFailed(f"{title} has no .safetensors file, and Easel reads no pickled ones.")
    best = next((each for each in files if each.get("primary")), files[0])
    file = RemoteFile(
        name=PurePosixPath(best["name"]).name,
        url=str(best["downloadUrl"]),
        size=round(float(best["sizeKB"]) * 1024),
        sha256=str(best["hashes"]["SHA256"]).casefold(),
    )
    return Version(number=int(version["id"]), title=title, license=_license(model, version), file=file)


def _license(model: dict[str, Any], version: dict[str, Any]) -> str:
    """One line from the base model and the flags of a model's page."""
    commercial = model.get("allowCommercialUse") or "None"
    uses = commercial if isinstance(commercial, str) else ", ".join(map(str, commercial))
    allowed = [words for flag, words in _TERMS.items() if model.get(flag)]
    denied = [words for flag, words in _TERMS.items() if model.get(flag) is False]
    said = [
        f"terms of {version.get('baseModel', 'its base model')}",
        f"commercial use: {uses}",
        *([f"allowed: {', '.join(allowed)}"] if allowed else []),
        *([f"not allowed: {', '.join(denied)}"] if denied else []),
    ]
    return "Civitai; " + "; ".join(said)


@contextlib.contextmanager
def _telling(what: str) -> Generator[None]:
    """Turn exceptions into sentences. Their own texts hold addresses and are not shown.

    Raises:
        ModelsFailed: see the sentences.
    """
    kept = "run the same again, and it goes on where it was"
    try:
        yield
    except (httpx2.HTTPStatusError, HfHubHTTPError) as error:
        status = error.response.status_code
        if status in _REFUSED:
            raise ModelsFailed(
                f"Civitai gives {what} only to members; name a file with your API key in downloads.civitai_token_file."
            ) from error
        if status == _NOT_FOUND:
            raise ModelsFailed(f"Civitai has no {what}; look at its page for the right name.") from error
        raise ModelsFailed(f"Civitai answered {status} for {what}; {kept}.") from error
    except httpx2.HTTPError as error:
        raise ModelsFailed(f"The connection to Civitai failed ({type(error).__name__}); {kept}.") from error
    except (KeyError, IndexError, TypeError, ValueError, msgspec.DecodeError) as error:
        raise ModelsFailed(f"Civitai's answer about {what} lacks what Easel needs ({error}).") from error
    except OSError as error:
        raise ModelsFailed(f"{what} was not downloaded: {error.strerror or 'it was cut off'}; {kept}.") from error
