"""LoRAs with OpenVINO: matrices are inputs of compiled networks, and no row's numbers hang on its mates."""

import dataclasses
import importlib.util
import logging
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import torch

from pipeline.engine.device import openvino_network
from pipeline.engine.device.acceleration import check_acceleration
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.loras.files import Pair
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.loras.rows import RowLora, combined, targets_of
from pipeline.engine.steps.batching import forwards, shapes
from pipeline.engine.steps.jobs.rows import Row, predict_rows
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed
from pipeline.protocol.wire.settings import Acceleration
from tests.lora_files import attention, write_lora
from tests.pipeline.engine.device.test_acceleration import OPENVINO, TOLERANCE, adapter_of, rows_of
from tests.pipeline.engine.test_batching import Shared
from tests.pipeline.engine.tiny import catalogue_of, stable_diffusion

pytestmark = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is an optional package")
CPU: Final = torch.device("cpu")


def lora_of(adapter: Any, seed: int) -> RowLora:
    """Adds to every linear layer and convolution."""
    generator = torch.Generator().manual_seed(seed)

    def pair(module: Any) -> Pair:
        down = torch.randn(4, *module.weight.shape[1:], generator=generator) / 8
        return Pair(down, torch.randn(len(module.weight), 4, generator=generator) / 8)

    pairs = {name: pair(module) for name, module in targets_of(adapter.network).items()}
    lora = combined([(pairs, 1.0)], adapter.network, device=CPU, dtype=torch.float32)
    assert lora is not None
    return lora


def with_loras(adapter: Any, rows: list[Row]) -> list[Row]:
    return [dataclasses.replace(row, lora=lora_of(adapter, number)) for number, row in enumerate(rows)]


def compiled_in(adapter: Any) -> list[Any]:
    (network,) = [each for each in openvino_network._networks if each.module is adapter.network]
    return [*network._requests.values()]


@pytest.mark.parametrize("family", ["sd", "sdxl", "sd3"])
def test_each_row_has_its_loras_as_in_torch_from_one_network(family: Family, caplog: pytest.LogCaptureFixture) -> None:
    plain, quick = adapter_of(family, Acceleration()), adapter_of(family, OPENVINO)
    rows = rows_of(family, 4)
    with caplog.at_level(logging.WARNING):
        found = torch.cat(predict_rows(quick, with_loras(quick, rows), 4))
    assert not caplog.messages
    first, *_ = predict_rows(quick, with_loras(quick, rows[::-1]), 4)
    assert None not in compiled_in(quick)
    assert len(compiled_in(quick)) == 1, "other LoRAs of the structure need no other network"
    assert not first.equal(found[3:])
    right = torch.cat(predict_rows(plain, with_loras(plain, rows), 4))
    without = torch.cat(predict_rows(plain, rows, 4))
    assert (found - right).abs().max() <= TOLERANCE * right.abs().max()
    assert all((one - other).abs().max() > 100 * TOLERANCE for one, other in zip(found, without, strict=True))


def test_mates_with_loras_or_without_change_no_bit(
    tmp_path: Path, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "ROW_COUNTS", (2, 4))
    pipeline = stable_diffusion()
    pipeline.save_pretrained(tmp_path / "model")
    folder = tmp_path / "loras"
    folder.mkdir()
    names = attention(pipeline.unet)
    for name, rank, some in (("large", 12, names[::2]), ("furry", 4, names), ("misty", 5, names)):
        write_lora(folder / f"{name}.safetensors", {"unet": pipeline.unet}, {"unet": some}, rank=rank, seed=rank)
    shared = Shared(catalogue_of(tmp_path / "model", "sd"), loras=LoraFolder(folder), acceleration=OPENVINO)
    shared.watch(monkeypatch)
    structures: list[set[str | None]] = []

    def drawn(adapter: Any, rows: list[Row], count: int, *rest: Any) -> list[torch.Tensor]:
        shared.forwards.append(count)
        structures.append({row.lora and row.lora.structure for row in rows})
        return predict_rows(adapter, rows, count, *rest)

    monkeypatch.setattr(forwards, "predict_rows", drawn)
    like = msgspec.structs.replace(request_, model_key="tiny", num_inference_steps=2)
    tags = ("", "<lora:large:0.8>", "<lora:furry:1>", "<lora:misty:-0.5>")
    wanted = [
        msgspec.structs.replace(like, prompt=f"an apple {tag}", seed=number)
        for number, tag in enumerate([*tags, *tags])
    ]
    for job_id, request in enumerate(wanted):
        shared.submit(job_id, request)
        shared.engine.run_until_idle()
    alone, forwards_alone = shared.latents.copy(), len(shared.forwards)
    shared.latents.clear()
    shared.forwards.clear()
    for job_id, request in enumerate(wanted):
        shared.submit(job_id, request)
    shared.engine.run_until_idle()
    assert not [event for event in shared.events if isinstance(event, Failed)]
    assert all(latents.equal(alone[job_id]) for job_id, latents in shared.latents.items())
    assert len(alone) == len(wanted)
    assert len(shared.forwards) < forwards_alone, "they shared no forward"
    assert all(len(each) == 1 for each in structures), "one forward pass is one compiled network"
    assert len(set().union(*structures)) == 3


def test_openvino_goes_with_loras() -> None:
    check_acceleration(choose_placement("cpu", "float32", OPENVINO), has_loras=True)
