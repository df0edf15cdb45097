"""Transformers in GGUF files: what the rounded weights draw, in less memory, and a sentence for each bad file."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import MappingProxyType

import gguf
import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from benchmarks.families import grids
from config.catalogue import Catalogue
from pipeline.engine.device.acceleration import AcceleratorUnavailable, check_acceleration
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.memory import offload, restore, size_of
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.models.sources import check_source
from pipeline.engine.weights import packages
from pipeline.engine.weights.storage import is_kept_apart
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FileSource
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Finished, Submit
from pipeline.protocol.wire.settings import Acceleration
from tests.pipeline.engine.conftest import Studio, _latents
from tests.pipeline.engine.families.flow_variants import VARIANTS
from tests.pipeline.engine.families.test_network_files import _original
from tests.pipeline.engine.gguf_files import Kind, blocks, written
from tests.pipeline.engine.tiny import catalogue_of

WEIGHTS = Path("transformer") / "diffusion_pytorch_model.safetensors"
PLACEMENT = choose_placement("cpu", "float32")


def rounded(tensors: dict[str, torch.Tensor], kind: Kind) -> dict[str, torch.Tensor]:
    found = {name: gguf.quants.dequantize(*blocks(tensor, kind)) for name, tensor in tensors.items()}
    return {name: torch.from_numpy(np.ascontiguousarray(numbers)) for name, numbers in found.items()}


@pytest.fixture
def asked(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(
        request_, model_key="tiny", scheduler_name="Flow Euler", width=64, height=64, num_inference_steps=2
    )


@pytest.fixture
def spec(tmp_path: Path) -> ModelSpec:
    """Z-Image by its original names, as a whole pipeline."""
    grids.z_image().save_pretrained(tmp_path / "rest")
    file = written(tmp_path / "network.gguf", _original(load_file(tmp_path / "rest" / WEIGHTS)))
    (tmp_path / "rest" / WEIGHTS).unlink()
    source = FileSource(path=str(file), config=str(tmp_path / "rest"))
    return msgspec.structs.replace(catalogue_of(tmp_path, "pipeline", "Model's own").default, source=source)


@pytest.mark.parametrize(("name", "kind"), [("Z-Image", Kind.Q8_0), ("FLUX.1 dev", Kind.Q4_0), ("klein", Kind.Q5_1)])
def test_a_file_draws_what_its_rounded_weights_draw(
    asked: GenerationRequest, name: str, kind: Kind, tmp_path: Path
) -> None:
    family, rest = VARIANTS[name].family, tmp_path / "rest"
    VARIANTS[name].build().save_pretrained(rest)
    plain = Studio(catalogue_of(rest, family, "Flow Euler")).draw(asked).clone()
    tensors = load_file(rest / WEIGHTS)
    file = written(tmp_path / "network.gguf", tensors, kind)
    save_file(rounded(tensors, kind), rest / WEIGHTS)
    catalogue = catalogue_of(rest, family, "Flow Euler")
    spec = msgspec.structs.replace(catalogue.default, source=FileSource(path=str(file), config=str(rest)))
    assert not check_source(spec).unread
    studio = Studio(msgspec.structs.replace(catalogue, models=MappingProxyType({"tiny": spec})))
    drawn, theirs = studio.draw(asked).clone(), Studio(catalogue).draw(asked).clone()
    # diffusers makes numbers of blocks in half precision.
    assert (drawn - theirs).abs().mean() < 0.05 * (theirs - plain).abs().mean()
    together: list[torch.Tensor] = _latents
    together.clear()
    for number, seed in enumerate((asked.seed, 77)):
        mate = msgspec.structs.replace(asked, seed=seed, num_inference_steps=2 + number)
        studio.engine.submit(Submit(job_id=number, attempt=1, request=mate))
    studio.engine.run_until_idle()
    assert torch.equal(together[0], drawn)
    assert studio.pictures(asked).recipe.dtype == "float64, weights of a GGUF file"  # pyright: ignore[reportOptionalMemberAccess]


def test_a_pipeline_draws_with_a_file_by_original_names(spec: ModelSpec, asked: GenerationRequest) -> None:
    assert not check_source(spec).unread
    studio = Studio(Catalogue(models={spec.key: spec}, default_key=spec.key), dtype="float32")
    request = msgspec.structs.replace(asked, scheduler_name="Model's own")
    studio.engine.submit(Submit(job_id=1, attempt=1, request=request))
    studio.engine.run_until_idle()
    assert isinstance(studio.events[-1], Finished), studio.events[-1]


def weights_in(modules: Iterable[nn.Module]) -> list[torch.Tensor]:
    return [tensor.data.as_subclass(torch.Tensor) for module in modules for tensor in module.parameters()]


def test_memory_is_foreseen_and_blocks_move(spec: ModelSpec) -> None:
    modules = load_model(spec, PLACEMENT, None, lambda: None).modules
    size, before = size_of(modules), [tensor.clone() for tensor in weights_in(modules)]
    assert expected_bytes(spec, PLACEMENT, None) == pytest.approx(size, rel=0.01)
    offload(modules)
    restore(modules, PLACEMENT.device)
    assert size_of(modules) == size
    assert all(map(torch.equal, before, weights_in(modules)))
    with pytest.raises(AcceleratorUnavailable, match="of GGUF files"):
        check_acceleration(
            choose_placement("cpu", "float32", Acceleration(fuse_qkv=True)),
            has_loras=False,
            has_stored_weights=is_kept_apart(spec),
        )


def of_a_header(*, count: int = 0, length: int = 0) -> bytes:
    """A header of one array that says how long it is."""
    name = b"\x01\x00\x00\x00\x00\x00\x00\x00a"
    array = (9).to_bytes(4, "little") + (0).to_bytes(4, "little") + length.to_bytes(8, "little")
    return b"GGUF\x03\x00\x00\x00" + count.to_bytes(8, "little") + (1).to_bytes(8, "little") + name + array


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda data: data[: len(data) // 2], r"network\.gguf is broken or cut off"),
        (lambda data: data[:20], r"network\.gguf is broken or cut off"),
        (lambda _: of_a_header(length=1 << 60), r"network\.gguf is broken or cut off"),
        (lambda _: of_a_header(count=1 << 60), r"network\.gguf is broken or cut off"),
        (lambda _: b"<html>", r"network\.gguf is no GGUF file"),
    ],
)
def test_a_bad_file_is_a_sentence(spec: ModelSpec, change: Callable[[bytes], bytes], sentence: str) -> None:
    assert isinstance(spec.source, FileSource)
    file = Path(spec.source.path)
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(ModelUnavailable, match=sentence):
        check_source(spec)


def test_what_does_not_fit_is_a_sentence(spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = msgspec.structs.replace(spec, weights={"transformer": "float8"})
    with pytest.raises(ModelUnavailable, match="its GGUF file says how it is kept"):
        check_source(twice)
    with pytest.raises(ModelUnavailable, match="of which Easel reads a transformer alone"):
        check_source(msgspec.structs.replace(spec, family="sd"))
    assert isinstance(spec.source, FileSource)
    written(Path(spec.source.path), {"something.else": torch.ones(2, 32)})
    with pytest.raises(ModelUnavailable, match=r"network\.gguf"):
        check_source(spec)
    monkeypatch.setattr(packages, "find_spec", lambda _: None)
    with pytest.raises(ModelUnavailable, match="install it with `uv sync --extra gguf`"):
        check_source(spec)
