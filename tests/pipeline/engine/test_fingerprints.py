"""Which weights drew a picture, as A1111 names them."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from config.catalogue import Catalogue
from pipeline.engine.fingerprints import Fingerprints
from pipeline.protocol.models import FileSource, FolderSource, HubSource, ModelSpec


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "weights" / "model.safetensors"
    file.parent.mkdir()
    file.write_bytes(b"numbers")
    return file


def of_file(catalogue: Catalogue, file: Path) -> ModelSpec:
    return msgspec.structs.replace(catalogue.default, source=FileSource(path=str(file)))


def test_a_file_has_the_digits_that_a1111_gives_it(catalogue: Catalogue, weights: Path) -> None:
    expected = hashlib.sha256(b"numbers").hexdigest()[:10]
    assert Fingerprints(None).of(of_file(catalogue, weights)) == expected


def test_a_folder_changes_with_any_of_its_weights(catalogue: Catalogue, weights: Path) -> None:
    spec = msgspec.structs.replace(catalogue.default, source=FolderSource(path=str(weights.parent)))
    before = Fingerprints(None).of(spec)
    (weights.parent / "vae").mkdir()
    (weights.parent / "vae" / "more.safetensors").write_bytes(b"more")
    assert len(before) == 10
    assert Fingerprints(None).of(spec) != before


def test_each_file_is_read_once_until_it_changes(catalogue: Catalogue, weights: Path, tmp_path: Path) -> None:
    spec, times = of_file(catalogue, weights), weights.stat()
    first = Fingerprints(str(tmp_path)).of(spec)
    weights.write_bytes(b"NUMBERS")
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert Fingerprints(str(tmp_path)).of(spec) == first, "size and time say that it is the same"
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    assert Fingerprints(str(tmp_path)).of(spec) != first
    (tmp_path / "hashes.json").write_text("no JSON")
    assert Fingerprints(str(tmp_path)).of(spec) != first


def test_what_cannot_be_read_has_none_and_a_hub_has_its_revision(catalogue: Catalogue, tmp_path: Path) -> None:
    assert Fingerprints(None).of(of_file(catalogue, tmp_path / "gone.safetensors")) == ""
    hub = msgspec.structs.replace(catalogue.default, source=HubSource(repo_id="a/b", revision="0123456789abcdef"))
    assert Fingerprints(None).of(hub) == "0123456789"
