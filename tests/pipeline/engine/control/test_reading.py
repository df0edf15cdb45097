"""Control networks from folders and single files: what is read, and what is refused with one sentence."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from safetensors.torch import load_file, save_file

from pipeline.engine.control.reading import OF_WIDTH, check_network, read_network
from pipeline.engine.failures import InvalidRequest, ModelUnavailable
from pipeline.engine.models.controls import Control, LoadedControl, LoadedControlNetwork, check_controls, control_in
from pipeline.engine.models.networks import control_network_of
from pipeline.engine.weights.completeness import expected_shapes
from pipeline.protocol.catalogue.networks import ControlSpec, FileSource, FolderSource
from pipeline.protocol.inputs import Input, InputRole
from tests.pipeline.engine.control.test_preprocessing import PLACEMENT
from tests.pipeline.engine.control_nets import adapter, control_net, spec_of, union_net
from tests.pipeline.engine.tiny import stable_diffusion, stable_diffusion_xl

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
OUTSIDE = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "controlnet_cond_embedding.conv_in": "input_hint_block.0",
    "controlnet_cond_embedding.conv_out": "input_hint_block.14",
    "controlnet_mid_block": "middle_block_out.0",
}
LAYERS = 1


def of_lllyasviel(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of a tiny ControlNet under the names that its author and A1111 give them."""
    return {_old_name(name): tensor for name, tensor in weights.items()}


def _old_name(name: str) -> str:
    for new, old in OUTSIDE.items():
        if name.startswith(f"{new}."):
            return f"control_model.{name.replace(new, old, 1)}"
    first, place, *rest = name.split(".")
    if first == "controlnet_down_blocks":
        return f"control_model.zero_convs.{place}.0.{rest[0]}"
    if first == "controlnet_cond_embedding":
        return f"control_model.input_hint_block.{2 + 2 * int(rest[0])}.{rest[1]}"
    if first == "mid_block":
        block = f"middle_block.{1 if place == 'attentions' else 2 * int(rest[0])}"
        part, rest = place, rest[1:]
    else:
        part, layer, *rest = rest
        number = 1 + int(place) * (LAYERS + 1) + (LAYERS if part == "downsamplers" else int(layer))
        block = f"input_blocks.{number}.{1 if part == 'attentions' else 0}"
        if part == "downsamplers":
            return f"control_model.{block}.op.{rest[1]}"
    if part == "resnets":
        rest = [RESNET[rest[0]], *rest[1:]]
    return f"control_model.{block}.{'.'.join(rest)}"


@pytest.fixture(scope="module")
def unet() -> Any:
    return stable_diffusion().unet


@pytest.fixture
def spec(unet: Any, tmp_path: Path) -> ControlSpec:
    # The old names of the picture's embedding are for four widths.
    return spec_of(control_net(unet, 1, conditioning_embedding_out_channels=(8, 8, 16, 16)), tmp_path, "net")


def folder_of(spec: ControlSpec) -> Path:
    assert isinstance(spec.source, FolderSource)
    return Path(spec.source.path)


def as_file(spec: ControlSpec, rename: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> ControlSpec:
    """The same net as one file, with its configuration in a folder."""
    folder = folder_of(spec)
    file = folder.parent / "one.safetensors"
    save_file(rename(load_file(folder / "diffusion_pytorch_model.safetensors")), file)
    return msgspec.structs.replace(spec, source=FileSource(path=str(file), config=str(folder)))


def test_a_folder_and_both_kinds_of_files_hold_the_same_net(spec: ControlSpec) -> None:
    wanted = read_network(spec, torch.float32, None).state_dict()
    for rename in (dict[str, torch.Tensor], of_lllyasviel):
        one = as_file(spec, rename)
        check_network(one)
        found = read_network(one, torch.float32, None).state_dict()
        assert found.keys() == wanted.keys()
        assert all(tensor.equal(wanted[name]) for name, tensor in found.items())


@pytest.mark.parametrize(("width", "millions"), [(768, 361.3), (1024, 364.2), (2048, 1251.0)])
def test_a_file_without_configuration_has_that_of_its_model(width: int, millions: float) -> None:
    shapes = expected_shapes(ControlNetModel, dict(OF_WIDTH[width]))
    assert round(sum(shape.numel() for shape in shapes.values()) / 1e6, 1) == millions


def network_of(spec: ControlSpec) -> LoadedControlNetwork:
    return LoadedControlNetwork(control_network_of(spec), PLACEMENT, None)


def control_of(spec: ControlSpec) -> Control:
    network = network_of(spec)
    return control_in(
        {spec.key: LoadedControl(spec, PLACEMENT, None), network.spec.key: network},
        Input(role=InputRole.CONTROL, sha256="", network=spec.key),
    )


def sentence_of(spec: ControlSpec) -> str:
    """Why a net is not offered; loading it says the same."""
    sentence = check_controls([spec]).missing[spec.key]
    for load in (network_of, partial(LoadedControl, placement=PLACEMENT, cache_directory=None)):
        with pytest.raises(ModelUnavailable) as caught:
            load(spec)
        assert str(caught.value) == sentence
    return sentence


def test_a_net_of_another_kind_or_family_is_said(unet: Any, spec: ControlSpec, tmp_path: Path) -> None:
    replace = msgspec.structs.replace
    assert 'trained for the family "sd"' in sentence_of(replace(spec, family="sdxl"))
    assert 'a network of the kind "controlnet"; say so' in sentence_of(replace(spec, kind="t2i-adapter"))
    union = spec_of(union_net(stable_diffusion_xl().unet), tmp_path, "union", family="sdxl", kind="controlnet-union")
    assert "set union_type to one of 0 to 5" in sentence_of(union)
    assert "set union_type to one of 0 to 5" in sentence_of(replace(union, union_type=6))
    check_network(replace(union, union_type=5))
    xl = spec_of(adapter("full_adapter_xl"), tmp_path, "xl", kind="t2i-adapter")
    assert 'trained for the family "sdxl"' in sentence_of(xl)
    one = replace(xl, source=FileSource(path="net.safetensors"))
    assert "is read from a folder with its config.json" in sentence_of(one)
    unet.save_pretrained(tmp_path / "unet")
    other = replace(spec, source=FolderSource(path=str(tmp_path / "unet")))
    assert 'a network of the kind "UNet2DConditionModel"' in sentence_of(other)


def test_a_net_that_is_not_whole_is_said(spec: ControlSpec) -> None:
    weights = folder_of(spec) / "diffusion_pytorch_model.safetensors"
    few = load_file(weights)
    one = as_file(spec, lambda all_: {name: tensor for name, tensor in all_.items() if "mid_block" not in name})
    assert "of its" in sentence_of(one)
    assert "is no ControlNet of a known model" in sentence_of(
        msgspec.structs.replace(one, source=FileSource(path=one.source.path))  # pyright: ignore[reportAttributeAccessIssue] - a file
    )
    few.pop("conv_in.weight")
    save_file(few, weights)
    assert "1 of its" in sentence_of(spec)
    weights.unlink()
    assert "holds no .safetensors file" in sentence_of(spec)
    pickle = msgspec.structs.replace(spec, source=FileSource(path="/nets/control.pth"))
    assert "is no .safetensors file; others may run foreign code" in sentence_of(pickle)


def test_weights_that_are_no_numbers_are_said_when_loaded(unet: Any, tmp_path: Path) -> None:
    net: Any = control_net(unet)
    with torch.no_grad():
        net.conv_in.weight.fill_(float("nan"))
    spec = spec_of(net, tmp_path, "net")
    assert not check_controls([spec]).missing
    with pytest.raises(ModelUnavailable, match="The control net of Net holds NaN"):
        network_of(spec)


def test_a_net_for_another_model_of_its_family_is_refused(unet: Any, spec: ControlSpec, tmp_path: Path) -> None:
    loaded = control_of(spec)
    loaded.check_fits(unet.config, "Tiny")
    other = stable_diffusion(cross_attention_dim=48).unet.config
    with pytest.raises(InvalidRequest, match="The control net Net was trained for other models than Other"):
        loaded.check_fits(other, "Other")
    wide = spec_of(adapter("full_adapter", channels=(16, 48)), tmp_path, "wide", kind="t2i-adapter")
    with pytest.raises(InvalidRequest, match="trained for other models"):
        control_of(wide).check_fits(unet.config, "Tiny")


def test_what_is_offered_says_how_pictures_are_prepared(spec: ControlSpec) -> None:
    offer = check_controls([spec, msgspec.structs.replace(spec, key="canny", preprocessor="canny")])
    assert offer.remarks == {
        "net": "It reads pictures as they are.",
        "canny": "Its pictures are prepared with canny, which needs no model.",
    }
