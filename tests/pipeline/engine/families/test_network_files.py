"""A whole pipeline whose denoising network is one file, as ComfyUI keeps it, beside a folder with the rest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.families import grids, packed
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.models.sources import check_source
from pipeline.engine.sampling.latents import generators_for
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FileSource, FolderSource
from pipeline.protocol.requests import GenerationRequest
from tests.pipeline.engine.tiny import catalogue_of

PLACEMENT = choose_placement("cpu", "float32")
WEIGHTS = Path("transformer") / "diffusion_pytorch_model.safetensors"
ORIGINAL = (
    ("all_final_layer.2-1.", "final_layer."),
    ("all_x_embedder.2-1.", "x_embedder."),
    (".attention.norm_k.", ".attention.k_norm."),
    (".attention.norm_q.", ".attention.q_norm."),
    (".attention.to_out.0.", ".attention.out."),
)
"""Names of Z-Image's transformer in diffusers, and in the file that its authors published."""


def _original(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights with the names of the original file, and with queries, keys and values as one matrix."""
    found: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        if ".attention.to_q." in name:
            parts = [weights[name.replace("to_q", part)] for part in ("to_q", "to_k", "to_v")]
            found[f"model.diffusion_model.{name.replace('to_q', 'qkv')}"] = torch.cat(parts)
        elif ".attention.to_k." not in name and ".attention.to_v." not in name:
            for ours, theirs in ORIGINAL:
                name = name.replace(ours, theirs)  # noqa: PLW2901 - one replacement after the other
            found[f"model.diffusion_model.{name}"] = tensor
    return found


def _same(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return weights


def _entries(folder: Path, build: Callable[[], Any], rename: Any = _same) -> tuple[ModelSpec, ModelSpec]:
    """Entries of one model: as a folder, and as a file beside a folder without these weights."""
    for name in ("whole", "rest"):
        build().save_pretrained(folder / name)
    whole = catalogue_of(folder / "whole", "pipeline", sampler="Model's own").default
    save_file(rename(load_file(folder / "rest" / WEIGHTS)), folder / "network.safetensors")
    (folder / "rest" / WEIGHTS).unlink()
    source = FileSource(path=str(folder / "network.safetensors"), config=str(folder / "rest"))
    return whole, msgspec.structs.replace(whole, source=source)


@pytest.fixture
def asked(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, prompt="a star", width=64, num_images=1, num_inference_steps=2)


@pytest.mark.parametrize(
    ("build", "rename"), [(grids.z_image, _original), (grids.z_image, _same), (packed.flux_dev, _same)]
)
def test_the_file_draws_what_the_folder_draws(
    build: Callable[[], Any], rename: Any, asked: GenerationRequest, tmp_path: Path
) -> None:
    pictures: list[torch.Tensor] = []
    entries = _entries(tmp_path, build, rename)
    for spec in entries:
        assert not check_source(spec).unread
        run = load_model(spec, PLACEMENT, None, lambda: None).any_pipeline.begin(asked, generators_for(asked))
        while run.advance():
            pass
        assert run.pictures is not None
        pictures.append(run.pictures)
    assert torch.equal(*pictures)
    assert expected_bytes(entries[0], PLACEMENT, None) == expected_bytes(entries[1], PLACEMENT, None)


def test_a_file_without_its_folder_is_a_sentence(tmp_path: Path) -> None:
    _, spec = _entries(tmp_path, grids.z_image)
    alone = msgspec.structs.replace(spec, source=FileSource(path=str(tmp_path / "network.safetensors")))
    with pytest.raises(ModelUnavailable, match="name the diffusers folder with the rest in config"):
        check_source(alone)


def test_a_file_of_another_model_is_a_sentence(tmp_path: Path) -> None:
    _, spec = _entries(tmp_path, grids.z_image)
    save_file({"something.else": torch.ones(2)}, tmp_path / "network.safetensors")
    with pytest.raises(ModelUnavailable, match=r"network\.safetensors"):
        check_source(spec)


def test_a_network_that_diffusers_reads_from_no_file_is_named(tmp_path: Path) -> None:
    _, spec = _entries(tmp_path, packed.bria)
    with pytest.raises(ModelUnavailable, match="reads no BriaTransformer2DModel from one file"):
        check_source(spec)


def test_the_rest_must_be_whole(tmp_path: Path) -> None:
    _, spec = _entries(tmp_path, grids.z_image)
    (tmp_path / "rest" / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match=r"vae holds no \.safetensors file"):
        check_source(spec)
    assert isinstance(spec.source, FileSource)
    whole = msgspec.structs.replace(spec, source=FolderSource(path=str(tmp_path / "rest")))
    with pytest.raises(ModelUnavailable):
        check_source(whole)
