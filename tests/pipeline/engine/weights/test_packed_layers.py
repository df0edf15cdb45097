"""Weights that bitsandbytes and torchao keep in fewer bits: diffusers' own results, and the same bits in company.

`just packed` installs both packages for these tests alone: every process that imports diffusers would import them too.
"""

import importlib.util
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn

from config.catalogue import Catalogue
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.files import Pair
from pipeline.engine.loras.rows import fitted
from pipeline.engine.models.loading import LoadedModel, load_model
from pipeline.engine.models.memory import offload, restore, size_of
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.models.sources import check_source
from pipeline.engine.weights import packages
from pipeline.engine.weights.packed_layers import PACKAGES, packed_bytes
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FolderSource, WeightStorage
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Submit
from tests.pipeline.engine.conftest import Studio, _latents
from tests.pipeline.engine.tiny import stable_diffusion

PLACEMENT = choose_placement("cpu", "float32")
NF4 = torch.tensor(
    [
        *(-1.0, -0.6961928, -0.5250731, -0.3949175, -0.2844414, -0.1847734, -0.0910500, 0.0),
        *(0.0795803, 0.1609302, 0.2461123, 0.3379152, 0.4407098, 0.5626170, 0.7229568, 1.0),
    ]
)
"""The table of QLoRA (arXiv:2305.14314, appendix E)."""

each_way = pytest.mark.parametrize(
    "storage",
    [
        pytest.param(
            storage, marks=pytest.mark.skipif(not importlib.util.find_spec(package), reason=f"{package} is an extra")
        )
        for storage, package in PACKAGES.items()
    ],
)


@pytest.fixture(scope="module")
def small(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """A model with layers that are large enough."""
    folder = tmp_path_factory.mktemp("packed")
    stable_diffusion(has_single_answer=True, features=64, block_out_channels=(64, 64)).save_pretrained(folder)
    spec = msgspec.structs.replace(module_catalogue.default, source=FolderSource(path=str(folder)), enlarger=None)
    return Catalogue(models=MappingProxyType({spec.key: spec}), default_key=spec.key)


def packed(catalogue: Catalogue, storage: WeightStorage) -> ModelSpec:
    return msgspec.structs.replace(catalogue.default, weights={"unet": storage, "text_encoder": storage})


def loaded(catalogue: Catalogue, storage: WeightStorage) -> LoadedModel:
    return load_model(packed(catalogue, storage), PLACEMENT, None, lambda: None)


def answer(network: Any) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    width = network.config.cross_attention_dim
    latents = torch.randn(2, network.config.in_channels, 16, 16, generator=generator)
    with torch.inference_mode():
        found: torch.Tensor = network(
            latents, torch.tensor([700.0, 20.0]), torch.randn(2, 7, width, generator=generator)
        ).sample
    return found


@each_way
def test_a_network_multiplies_by_the_rounded_weights(storage: WeightStorage, small: Catalogue) -> None:
    source = small.default.source
    assert isinstance(source, FolderSource)
    network = UNet2DConditionModel.from_pretrained(Path(source.path) / "unet").eval()
    plain = answer(network)
    for layer in [part for part in network.modules() if isinstance(part, nn.Linear)]:
        layer.weight.data = rounded(layer.weight.data, storage)
    found = answer(loaded(small, storage).adapter.network)
    # A processor's own kernels multiply NF4 in bfloat16.
    assert (found - answer(network)).abs().mean() < 0.2 * (found - plain).abs().mean()


def rounded(weight: torch.Tensor, storage: WeightStorage) -> torch.Tensor:
    """The numbers that each package keeps, by formulas of its own: a scale for each row, or a table for each block."""
    if storage == "int8":
        scale = weight.abs().amax(1, keepdim=True) / 127.5
        return (weight / scale).round().clamp(-128, 127) * scale
    if any(side % 64 for side in weight.shape):
        return weight
    blocks = weight.reshape(-1, 64)
    scale = blocks.abs().amax(1, keepdim=True)
    nearest = (blocks[..., None] / scale[..., None] - NF4).abs().argmin(-1)
    return (NF4[nearest] * scale).reshape(weight.shape)


@each_way
def test_memory_is_foreseen_and_weights_move(storage: WeightStorage, small: Catalogue) -> None:
    model = loaded(small, storage)
    plain = expected_bytes(small.default, PLACEMENT, None)
    size = size_of(model.modules)
    assert plain is not None
    assert size < 0.8 * plain
    assert expected_bytes(model.spec, PLACEMENT, None) == pytest.approx(size, rel=0.01)
    # A processor's kernels arrange the weights at their first use.
    before, size = answer(model.adapter.network), size_of(model.modules)
    offload(model.modules)
    restore(model.modules, PLACEMENT.device)
    assert size_of(model.modules) == size
    assert torch.equal(answer(model.adapter.network), before)


@each_way
def test_a_picture_has_its_bits_alone_and_in_company(
    storage: WeightStorage, small: Catalogue, request_: GenerationRequest
) -> None:
    spec = packed(small, storage)
    studio = Studio(Catalogue(models=MappingProxyType({spec.key: spec}), default_key=spec.key), dtype="float32")
    first = msgspec.structs.replace(request_, num_inference_steps=3, seed=1)
    second = msgspec.structs.replace(request_, num_inference_steps=5, seed=2, guidance_scale=3.0)
    alone = [studio.draw(request).clone() for request in (first, second)]
    _latents.clear()
    for number, request in enumerate((first, second)):
        studio.engine.submit(Submit(job_id=number, attempt=1, request=request))
    studio.engine.run_until_idle()
    assert all(torch.equal(*pair) for pair in zip(alone, _latents, strict=True))
    finished = studio.pictures(first)
    assert finished.recipe is not None
    assert finished.recipe.dtype == f"float32, text_encoder in {storage}, unet in {storage}"


@each_way
def test_a_lora_fits_the_layers(storage: WeightStorage, small: Catalogue) -> None:
    network = loaded(small, storage).adapter.network
    name, layer = next((name, part) for name, part in network.named_modules() if isinstance(part, nn.Linear))
    pair = Pair(torch.ones(2, layer.in_features), torch.ones(layer.out_features, 2))
    assert [*fitted({name: pair}, network)] == [name]


@pytest.mark.parametrize("storage", [*PACKAGES])
def test_a_missing_package_is_named(storage: WeightStorage, small: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda _: None)
    package = PACKAGES[storage]
    with pytest.raises(
        ModelUnavailable, match=f"keeps unet in {storage}, .* install it with `uv sync --extra {package}`"
    ):
        check_source(packed(small, storage))


def test_only_weights_of_linear_layers_become_smaller() -> None:
    shape = torch.Size([128, 64])
    names = ("layers.0.mlp.weight", "embed_tokens.weight", "encoder.shared.weight", "lm_head.weight", "norm.bias")
    found = [packed_bytes(name, shape, "nf4", torch.float16, UNet2DConditionModel) for name in names]
    assert found == [4096 + 512, *[2 * 8192] * 4]
    assert packed_bytes(names[0], shape, "int8", torch.float16, UNet2DConditionModel) == 8192 + 512
    assert packed_bytes(names[0], torch.Size([100, 64]), "nf4", torch.float16, UNet2DConditionModel) == 2 * 6400
