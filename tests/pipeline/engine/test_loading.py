"""Models that are missing, broken, or no safetensors: one sentence each, before anything is loaded."""

import shutil
from pathlib import Path

import msgspec
import pytest

from config.catalogue import Catalogue
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.sources import check_source
from pipeline.protocol.models import FileSource, FolderSource, ModelSpec

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(catalogue: Catalogue, tmp_path: Path) -> Path:
    """A copy of the shipped model, to be broken."""
    source = catalogue.default.source
    assert isinstance(source, FolderSource)
    return Path(shutil.copytree(source.path, tmp_path / "model"))


def _spec(catalogue: Catalogue, folder: Path) -> ModelSpec:
    return msgspec.structs.replace(catalogue.default, source=FolderSource(path=str(folder)))


def _sentence(spec: ModelSpec) -> str:
    with pytest.raises(ModelUnavailable) as error:
        check_source(spec)
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_the_shipped_model_is_whole(catalogue: Catalogue, folder: Path) -> None:
    check_source(catalogue.default)
    check_source(_spec(catalogue, folder))


def test_a_missing_folder_is_named(catalogue: Catalogue, tmp_path: Path) -> None:
    assert "nowhere" in _sentence(_spec(catalogue, tmp_path / "nowhere"))


def test_missing_weights_are_named(catalogue: Catalogue, folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    assert "unet" in _sentence(_spec(catalogue, folder))


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x10\x00\x00\x00\x00\x00\x00\x00{not json at al", b"short"])
def test_broken_weights_are_named(catalogue: Catalogue, folder: Path, content: bytes) -> None:
    (folder / WEIGHTS).write_bytes(content)
    assert "safetensors" in _sentence(_spec(catalogue, folder))


def test_weights_cut_off_by_a_broken_download_are_named(catalogue: Catalogue, folder: Path) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    assert "safetensors" in _sentence(_spec(catalogue, folder))


def test_pickles_are_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    checkpoint = tmp_path / "model.ckpt"
    checkpoint.write_bytes(b"\x80\x04pickle")
    spec = msgspec.structs.replace(catalogue.default, source=FileSource(path=str(checkpoint)))
    assert "safetensors" in _sentence(spec)
