"""Which weights drew a picture, as A1111 names them."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from config.catalogue import Catalogue
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights import fingerprints
from pipeline.engine.weights.fingerprints import Fingerprints, weights_of
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, HubSource


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "weights" / "model.safetensors"
    file.parent.mkdir()
    file.write_bytes(b"numbers")
    return file


def of_file(catalogue: Catalogue, file: Path) -> ModelSpec:
    return msgspec.structs.replace(catalogue.default, source=FileSource(path=str(file)))


def digits(spec: ModelSpec, directory: Path | None = None) -> str:
    return Fingerprints(None if directory is None else str(directory)).of(spec, weights_of(spec))


def test_a_file_has_the_digits_that_a1111_gives_it(catalogue: Catalogue, weights: Path) -> None:
    assert digits(of_file(catalogue, weights)) == hashlib.sha256(b"numbers").hexdigest()[:10]


def test_a_folder_changes_with_any_of_its_weights(catalogue: Catalogue, weights: Path) -> None:
    spec = msgspec.structs.replace(catalogue.default, source=FolderSource(path=str(weights.parent)))
    before = digits(spec)
    (weights.parent / "vae").mkdir()
    (weights.parent / "vae" / "more.safetensors").write_bytes(b"more")
    assert len(before) == 10
    assert digits(spec) != before


def test_each_file_is_read_once_until_it_changes(
    catalogue: Catalogue, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, times = of_file(catalogue, weights), weights.stat()
    first = digits(spec, tmp_path)
    with monkeypatch.context() as blind:
        blind.setattr(fingerprints, "opened", None)
        assert digits(spec, tmp_path) == first, "the file is not read again"
    weights.write_bytes(b"NUMBERS")
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    second = digits(spec, tmp_path)
    assert second == hashlib.sha256(b"NUMBERS").hexdigest()[:10], "a copy with its old time is seen as well"
    (tmp_path / "hashes.json").write_text("no JSON")
    assert digits(spec, tmp_path) == second


def test_a_picture_is_not_ascribed_to_a_file_that_came_after_it(
    catalogue: Catalogue, weights: Path, tmp_path: Path
) -> None:
    spec = of_file(catalogue, weights)
    loaded = weights_of(spec)
    weights.write_bytes(b"NUMBERS")
    assert Fingerprints(str(tmp_path)).of(spec, loaded) == ""
    again = weights_of(spec)
    known = Fingerprints(str(tmp_path))
    assert known.of(spec, again) == hashlib.sha256(b"NUMBERS").hexdigest()[:10]
    weights.unlink()
    assert known.of(spec, again) == hashlib.sha256(b"NUMBERS").hexdigest()[:10], "it was read in time"


def test_what_cannot_be_read_is_told_and_a_hub_has_its_revision(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"gone\.safetensors cannot be read"):
        weights_of(of_file(catalogue, tmp_path / "gone.safetensors"))
    hub = msgspec.structs.replace(catalogue.default, source=HubSource(repo_id="a/b", revision="0123456789abcdef"))
    assert digits(hub) == "0123456789"
