"""Models that are missing, broken, or no safetensors: one sentence each, before anything is loaded."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from config.catalogue import Catalogue
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.sources import check_source, configuration_of
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, HubSource
from tests.pipeline.engine import tiny
from tests.pipeline.engine.single_files import checkpoint_of, written

PLACEMENT = choose_placement("cpu", "float32")
COMMIT = "c0ffee" * 6 + "c0ff"
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


def test_a_folder_of_another_family_is_told(catalogue: Catalogue, folder: Path) -> None:
    spec = msgspec.structs.replace(_spec(catalogue, folder), family="sdxl")
    assert "text_encoder_2 and tokenizer_2" in _sentence(spec)


@pytest.mark.parametrize("content", ["", "[]", '{"unet": "x"}', "[" * 100_000])
def test_a_broken_index_is_told(catalogue: Catalogue, folder: Path, content: str) -> None:
    (folder / "model_index.json").write_text(content)
    assert "model_index.json" in _sentence(_spec(catalogue, folder))


def test_every_listed_component_is_looked_at(catalogue: Catalogue, folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    index["image_encoder"] = ["transformers", "CLIPVisionModelWithProjection"]
    (folder / "model_index.json").write_text(json.dumps(index))
    assert "image_encoder/config.json" in _sentence(_spec(catalogue, folder))


def test_a_missing_shard_is_named(catalogue: Catalogue, folder: Path) -> None:
    whole = folder / WEIGHTS
    tensors = load_file(whole)
    whole.unlink()
    names = sorted(tensors)
    shards = {f"diffusion_pytorch_model-0000{k}-of-00002.safetensors": names[k - 1 :: 2] for k in (1, 2)}
    for shard, keys in shards.items():
        save_file({key: tensors[key] for key in keys}, whole.parent / shard)
    weight_map = {key: shard for shard, keys in shards.items() for key in keys}
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (whole.parent / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    check_source(_spec(catalogue, folder))
    (whole.parent / "diffusion_pytorch_model-00002-of-00002.safetensors").unlink()
    assert "00002-of-00002" in _sentence(_spec(catalogue, folder))


def test_a_single_file_initialises_nothing_that_its_weights_replace(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """diffusers constructs from a single file without memory only where accelerate is installed."""
    seen: list[bool] = []
    usual: Any = torch.nn.init.kaiming_uniform_

    def watched(tensor: torch.Tensor, *rest: Any, **options: Any) -> torch.Tensor:
        seen.append(tensor.is_meta)
        return usual(tensor, *rest, **options)

    monkeypatch.setattr(torch.nn.init, "kaiming_uniform_", watched)
    UNet2DConditionModel.from_single_file(str(folder / WEIGHTS), config=str(folder / "unet"), local_files_only=True)
    assert seen
    assert all(seen)


def in_cache(cache: Path, repository: str, folder: Path) -> Path:
    """A folder as the hub's library keeps a repository of which not every file was wanted."""
    place = cache / f"models--{repository.replace('/', '--')}"
    listing = place / "trees" / f"{COMMIT}.json"
    listing.parent.mkdir(parents=True)
    unwanted = {"README.md": {"size": 1, "blob_id": "0" * 40}}
    listing.write_text(json.dumps({"format_version": 1, "files": unwanted}))
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)
    return Path(shutil.copytree(folder, place / "snapshots" / COMMIT))


def test_a_model_of_a_hub_is_read_from_its_download_alone(catalogue: Catalogue, folder: Path, tmp_path: Path) -> None:
    spec = msgspec.structs.replace(catalogue.default, source=HubSource(repo_id="a/b", revision="main"), enlarger=None)
    cache = str(tmp_path / "cache")
    with pytest.raises(ModelUnavailable) as error:
        load_model(spec, PLACEMENT, cache, lambda: None)
    assert str(error.value) == "Pocket is not on this computer yet; `easel models fetch pocket` downloads it."
    here = in_cache(tmp_path / "cache", "a/b", folder)
    assert load_model(spec, PLACEMENT, cache, lambda: None).adapter.latent_channels == 4
    whole = (here / WEIGHTS).read_bytes()
    (here / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnavailable, match="cut off"):
        check_source(spec, cache)


def test_a_decoder_and_a_vae_of_a_hub_are_wanted_too(catalogue: Catalogue, tmp_path: Path) -> None:
    source = HubSource(repo_id="a/b", revision="main")
    for change, what in (({"preview_decoder": source}, "preview decoder"), ({"vae": source}, "VAE")):
        spec = msgspec.structs.replace(catalogue.default, **change)
        with pytest.raises(ModelUnavailable) as error:
            check_source(spec, str(tmp_path))
        assert str(error.value).startswith(f"The {what} of Pocket is not on this computer yet; `easel models fetch")


def test_a_checkpoint_without_a_configuration_is_read_with_the_one_of_a_hub(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    pipeline = tiny.stable_diffusion()
    pipeline.save_pretrained(tmp_path / "config")
    file = written(tmp_path / "tiny.safetensors", checkpoint_of(pipeline))
    spec = msgspec.structs.replace(catalogue.default, source=FileSource(path=str(file)), enlarger=None)
    cache = str(tmp_path / "cache")
    with pytest.raises(ModelUnavailable, match=r"^The configuration of Pocket is not on this computer yet; `easel mod"):
        check_source(spec, cache)
    wanted = configuration_of(spec)
    assert wanted is not None
    in_cache(tmp_path / "cache", wanted.repo_id, tmp_path / "config")
    assert load_model(spec, PLACEMENT, cache, lambda: None).adapter.latent_channels == 4
