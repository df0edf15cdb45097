"""Files of reference adapters: every kind is known by its header, and each fault is one sentence."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.converting import convert
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.references import LoadedReference, check_references
from pipeline.engine.pixels.architectures import network_loader
from pipeline.engine.references.files import AdapterFile, Kind, look_through
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, ReferenceSpec
from pipeline.protocol.reading import Converted
from tests.pipeline.engine.test_image_references import EVERY
from tests.pipeline.engine.tiny import stable_diffusion
from tests.pipeline.engine.tiny_adapters import HIDDEN, VECTOR, save_adapter, save_encoder

LAYERS = (32,) * 4
"""Features of the four cross-attention layers of the tiny U-Net, whose text has 32 features too."""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    unet = stable_diffusion().unet
    for kind in ("plain", "plus", "full"):
        save_adapter(folder / f"{kind}.safetensors", unet, kind)
    save_encoder(folder / "encoder")
    return folder


def spec_of(folder: Path, name: str = "plain.safetensors", **changes: Any) -> ReferenceSpec:
    spec = ReferenceSpec(
        key="tiny-adapter",
        title="Tiny adapter",
        source=FileSource(path=str(folder / name)),
        encoder=FolderSource(path=str(folder / "encoder")),
        family="sd",
        uses=EVERY,
        license="none",
    )
    return msgspec.structs.replace(spec, **changes)


@pytest.mark.parametrize(("kind", "features"), [("plain", VECTOR), ("plus", HIDDEN), ("full", HIDDEN)])
def test_every_kind_is_known_by_its_header(saved: Path, tmp_path: Path, kind: Kind, features: int) -> None:
    expected = AdapterFile(kind=kind, image_features=features, text_features=32, layers=LAYERS)
    assert look_through(saved / f"{kind}.safetensors") == expected
    renamed = tmp_path / "adapter.bin"
    renamed.write_bytes((saved / f"{kind}.safetensors").read_bytes())
    assert look_through(renamed) == expected
    offer = check_references([spec_of(saved, f"{kind}.safetensors")])
    assert offer.missing == {}
    assert kind in offer.remarks["tiny-adapter"]


def changed(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path, Path], None]:
    """Writes the plain adapter with other tensors."""

    def write(source: Path, target: Path) -> None:
        state = load_file(source)
        change(state)
        save_file(state, target)

    return write


def pickled(_: Path, target: Path) -> None:
    target.write_bytes(pickle.dumps({"image_proj": {}, "ip_adapter": {}}, protocol=2))


def archived(_: Path, target: Path) -> None:
    torch.save({"image_proj": {}, "ip_adapter": {}}, target)


def cut(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (pickled, "is a pickle.* Convert it with `easel convert .*adapter.safetensors`"),
        (archived, "is a pickle.* Convert it with `easel convert .*adapter.safetensors`"),
        (cut, "is cut off"),
        (changed(lambda state: [state.pop(name) for name in [*state] if "image_proj" in name]), "is no IP-Adapter"),
        (changed(lambda state: [state.pop(name) for name in [*state] if "ip_adapter" in name]), "is no IP-Adapter"),
        (changed(lambda state: state.pop("ip_adapter.3.to_v_ip.weight")), "a layer lacks keys or values"),
        (changed(lambda state: state.pop("image_proj.proj.weight")), "FaceID"),
        (changed(lambda state: state.update({"ip_adapter.0.to_k_lora.down.weight": torch.ones(1)})), "FaceID"),
        (
            changed(lambda state: [state.pop(f"image_proj.{name}.weight") for name in ("proj", "norm")]),
            "of a kind that Easel does not know",
        ),
    ],
)
def test_a_file_of_another_kind_is_one_sentence(
    saved: Path, tmp_path: Path, write: Callable[[Path, Path], None], sentence: str
) -> None:
    target = tmp_path / "adapter.safetensors"
    write(saved / "plain.safetensors", target)
    with pytest.raises(ModelUnavailable, match=sentence):
        look_through(target)


def test_a_converted_pickle_is_an_adapter(saved: Path, tmp_path: Path) -> None:
    """`easel convert` keeps the names of an adapter's two parts."""
    state = load_file(saved / "plus.safetensors")
    parts: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in state.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = tensor
    torch.save(parts, tmp_path / "adapter.bin")
    target = tmp_path / "adapter.safetensors"
    with (tmp_path / "adapter.bin").open("rb") as source, target.open("wb") as written:
        answer = convert(source, written, network_loader())
    assert isinstance(answer, Converted)
    assert look_through(target) == look_through(saved / "plus.safetensors")


def test_an_encoder_of_another_adapter_is_told(saved: Path, tmp_path: Path) -> None:
    state = load_file(saved / "plain.safetensors")
    state["image_proj.proj.weight"] = torch.ones(4 * 32, VECTOR + 1)
    save_file(state, tmp_path / "other.safetensors")
    other = spec_of(saved, source=FileSource(path=str(tmp_path / "other.safetensors")))
    lost = spec_of(saved, encoder=FolderSource(path=str(tmp_path)))
    assert f"an image encoder of {VECTOR + 1} features" in check_references([other]).missing["tiny-adapter"]
    assert f"The folder {tmp_path} has" in check_references([lost]).missing["tiny-adapter"]


def test_numbers_that_are_none_are_told_when_it_is_loaded(saved: Path, tmp_path: Path) -> None:
    changed(lambda state: state["ip_adapter.1.to_k_ip.weight"].fill_(float("nan")))(
        saved / "plain.safetensors", tmp_path / "nan.safetensors"
    )
    with pytest.raises(ModelUnavailable, match="NaN or infinity"):
        LoadedReference(spec_of(tmp_path, "nan.safetensors"), choose_placement("cpu", "float32"))
