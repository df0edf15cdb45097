"""Whatever computes the forwards, the answers are torch's within rounding, and rows do not depend on their mates."""

import ctypes
import dataclasses
import gc
import importlib.util
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch._inductor import config as inductor

from benchmarks.families import grids
from pipeline.engine.device import acceleration, openvino_network
from pipeline.engine.device.acceleration import AcceleratorUnavailable, check_acceleration
from pipeline.engine.device.graphed_network import GraphedNetwork
from pipeline.engine.device.placement import Placement, choose_placement
from pipeline.engine.families.registry import FAMILIES
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.references.layers import cross_attention
from pipeline.engine.references.rows import Attended, RowReference
from pipeline.engine.steps.batching.shapes import ROW_COUNTS, ShapeBook
from pipeline.engine.steps.jobs.rows import Row, predict_rows
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.wire.settings import Acceleration
from tests.pipeline.engine import tiny

TOLERANCE = 1e-4
OPENVINO = Acceleration(accelerator="openvino")
MAKERS = {"sd": tiny.stable_diffusion, "sdxl": tiny.stable_diffusion_xl, "sd3": tiny.stable_diffusion_3}
needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="openvino is an optional package"
)


def adapter_of(family: Family, chosen: Acceleration) -> Any:
    placement = choose_placement("cpu", "float32", chosen)
    return FAMILIES[family].adapter(MAKERS[family](), placement, LoraFolder(None), None)


def rows_of(family: Family, count: int) -> list[Row]:
    """Rows that differ from each other, as their family has them."""
    generator = torch.Generator().manual_seed(3)
    conditioning = {
        "sd": {"prompt_embeds": (77, 32)},
        "sdxl": {"prompt_embeds": (77, 80), "text_embeds": (tiny.PROJECTION,), "time_ids": (6,)},
        "sd3": {"prompt_embeds": (90, 96), "pooled_projections": (2 * tiny.PROJECTION,)},
    }[family]
    channels = 16 if family == "sd3" else 4
    return [
        Row(
            latents=torch.randn(1, channels, 16, 12, generator=generator),
            timestep=torch.tensor(20.0 + 61 * number),
            conditioning={name: torch.randn(1, *shape, generator=generator) for name, shape in conditioning.items()},
        )
        for number in range(count)
    ]


def with_references(adapter: Any, rows: list[Row]) -> list[Row]:
    """The rows, every other one with a reference of its own for each layer."""
    generator = torch.Generator().manual_seed(4)

    def reference(number: int) -> RowReference:
        shapes = {name: layer.to_q.out_features for name, layer in cross_attention(adapter.network).items()}
        parts = {
            name: Attended(
                torch.randn(1, 4, width, generator=generator),
                torch.randn(1, 4, width, generator=generator),
                0.5 + number,
            )
            for name, width in shapes.items()
        }
        return RowReference((parts,))

    return [
        dataclasses.replace(row, references=reference(number) if number % 2 else None)
        for number, row in enumerate(rows)
    ]


def plain_answers(family: Family, rows: list[Row]) -> torch.Tensor:
    return torch.cat(predict_rows(adapter_of(family, Acceleration()), rows, len(rows)))


@pytest.mark.parametrize("family", ["sd", "sdxl", "sd3"])
@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(OPENVINO, marks=needs_openvino, id="openvino"),
        pytest.param(Acceleration(channels_last=True), id="channels_last"),
        pytest.param(Acceleration(fuse_qkv=True), id="fuse_qkv"),
        pytest.param(
            Acceleration(accelerator="openvino", channels_last=True, fuse_qkv=True), marks=needs_openvino, id="all"
        ),
    ],
)
def test_answers_are_torchs(family: Family, chosen: Acceleration, caplog: pytest.LogCaptureFixture) -> None:
    rows = rows_of(family, 4)
    adapter = adapter_of(family, chosen)
    with caplog.at_level(logging.WARNING):
        answers = torch.cat(predict_rows(adapter, rows, 4))
    assert not caplog.messages
    assert (answers - plain_answers(family, rows)).abs().max() <= TOLERANCE


def test_layers_that_cannot_be_fused_are_told(caplog: pytest.LogCaptureFixture) -> None:
    placement = choose_placement("cpu", "float32", Acceleration(fuse_qkv=True))
    with caplog.at_level(logging.WARNING):
        FAMILIES["z-image"].adapter(grids.z_image(), placement, LoraFolder(None), None)
    assert "fuse_qkv changes nothing in a ZImageTransformer2DModel" in caplog.text


@pytest.mark.slow
def test_compiled_answers_are_torchs_for_every_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without vector instructions, the C++ compiler needs a third less, and does not try which of them work.
    monkeypatch.setattr(inductor.cpp, "simdlen", 1)
    chosen = Acceleration(accelerator="compile")
    check_acceleration(choose_placement("cpu", "float32", chosen), has_loras=False)
    adapter, rows = adapter_of("sd", chosen), rows_of("sd", 4)
    for count in (2, 4):
        answers = torch.cat(predict_rows(adapter, rows[:count], count))
        assert (answers - plain_answers("sd", rows[:count])).abs().max() <= TOLERANCE


class _SignalStack(ctypes.Structure):
    """`stack_t` of Linux."""

    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


def signal_stack() -> int:
    """Where this thread's handlers of signals run: an address, 0 on its usual stack."""
    found = _SignalStack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found)) == 0
    return found.start or 0


@needs_openvino
@pytest.mark.skipif(sys.platform != "linux", reason="reads the stack as Linux describes it")
def test_networks_that_are_gone_leave_this_thread_its_stack_for_signals() -> None:
    rows = rows_of("sd", 2)
    kept = adapter_of("sd", OPENVINO)
    predict_rows(kept, rows, 2)
    stack = signal_stack()
    other = adapter_of("sd", OPENVINO)
    predict_rows(other, rows, 2)
    assert signal_stack() == stack
    del kept, other
    gc.collect()
    assert signal_stack() == stack


@needs_openvino
def test_openvino_computes_it_and_a_row_is_the_same_in_any_company() -> None:
    adapter, rows = adapter_of("sd", OPENVINO), rows_of("sd", max(ROW_COUNTS))
    shapes = ShapeBook(choose_placement("cpu", "float32", OPENVINO), "pinned", None).shapes("tiny", adapter, rows[0])
    (network,) = [each for each in openvino_network._networks if each.module is adapter.network]
    assert None not in network._requests.values()
    first = predict_rows(adapter, rows[:1], min(shapes.seconds))[0]
    for count in shapes.seconds:
        assert predict_rows(adapter, [*rows[1:count], rows[0]], count)[-1].equal(first), count


@needs_openvino
@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_what_depends_on_the_text_alone_is_computed_when_the_text_changes(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Any] = []
    run = openvino_network._Request.run

    def counted(request: Any, inputs: Any) -> None:
        runs.append(request)
        run(request, inputs)

    monkeypatch.setattr(openvino_network._Request, "run", counted)
    plain, quick = adapter_of(family, Acceleration()), adapter_of(family, OPENVINO)
    one, other = rows_of(family, 2)
    later = dataclasses.replace(one, latents=other.latents, timestep=other.timestep)
    for row in (one, later, other, one):
        (found,), (right,) = predict_rows(quick, [row], 2), predict_rows(plain, [row], 2)
        assert (found - right).abs().max() <= TOLERANCE
    runs.clear()
    predict_rows(quick, [later], 2)
    assert len(runs) == 1, "the same text costs nothing again"
    predict_rows(quick, [other], 2)
    assert len(runs) == 3


@needs_openvino
def test_shapes_are_learnt_for_each_accelerator(tmp_path: Path) -> None:
    row = rows_of("sd", 1)[0]
    keys = {
        ShapeBook(choose_placement("cpu", "float32", chosen), "pinned", str(tmp_path))._key("tiny", row)
        for chosen in (Acceleration(), OPENVINO, Acceleration(accelerator="compile"), Acceleration(fuse_qkv=True))
    }
    assert len(keys) == 4


@needs_openvino
def test_a_wrong_answer_leaves_the_model_to_torch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows, infer = rows_of("sd", 2), openvino_network._infer
    monkeypatch.setattr(openvino_network, "_infer", lambda request, inputs: infer(request, inputs) * 1.01)
    answers = torch.cat(predict_rows(adapter_of("sd", OPENVINO), rows, 2))
    assert answers.equal(plain_answers("sd", rows))
    assert "torch computes this model" in caplog.text


@needs_openvino
def test_what_cannot_be_translated_is_left_to_torch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("aten::unheard_of")

    rows = rows_of("sd", 2)
    monkeypatch.setattr(torch.jit, "trace", fail)
    answers = torch.cat(predict_rows(adapter_of("sd", OPENVINO), rows, 2))
    assert answers.equal(plain_answers("sd", rows))
    assert "aten::unheard_of" in caplog.text


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(AcceleratorUnavailable, match="uv sync --extra openvino"):
        check_acceleration(choose_placement("cpu", "float32", OPENVINO), has_loras=False)


def test_a_missing_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceleration.shutil, "which", lambda _: None)
    with pytest.raises(AcceleratorUnavailable, match=r"no C\+\+ compiler"):
        check_acceleration(choose_placement("cpu", "float32", Acceleration(accelerator="compile")), has_loras=False)


@needs_openvino
@pytest.mark.parametrize(
    "placement",
    [
        choose_placement("cpu", "float64", OPENVINO),
        Placement(
            device=torch.device("cuda"),
            dtype=torch.float32,
            latents_dtype=torch.float32,
            name="a card",
            vram_bytes=1,
            acceleration=OPENVINO,
        ),
    ],
)
def test_openvino_is_refused_where_it_cannot_draw(placement: Placement) -> None:
    with pytest.raises(AcceleratorUnavailable, match="draws on a processor in float32"):
        check_acceleration(placement, has_loras=False)


@pytest.mark.parametrize("family", ["sd", "sdxl"])
@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(OPENVINO, marks=needs_openvino, id="openvino"),
        pytest.param(Acceleration(accelerator="compile"), id="compile"),
        pytest.param(Acceleration(channels_last=True, fuse_qkv=True), id="channels_last and fuse_qkv"),
    ],
)
def test_references_are_added_whatever_computes_the_forwards(family: Family, chosen: Acceleration) -> None:
    plain, adapter = adapter_of(family, Acceleration()), adapter_of(family, chosen)
    rows = with_references(plain, rows_of(family, 4))
    right = torch.cat(predict_rows(plain, rows, 4))
    answers = torch.cat(predict_rows(adapter, rows, 4))
    assert (answers - right).abs().max() < TOLERANCE * right.abs().max()
    without = torch.cat(predict_rows(plain, rows_of(family, 4), 4))
    assert without[::2].equal(right[::2])
    assert all((one - other).abs().max() > TOLERANCE for one, other in zip(without[1::2], right[1::2], strict=True))


@pytest.mark.parametrize("chosen", [Acceleration(accelerator="compile"), Acceleration(fuse_qkv=True)])
def test_what_replaces_layers_does_not_go_with_loras(chosen: Acceleration) -> None:
    with pytest.raises(AcceleratorUnavailable, match=r"leave pipeline\.lora_directory out"):
        check_acceleration(choose_placement("cpu", "float32", chosen), has_loras=True)


def test_what_replaces_no_layer_goes_with_loras() -> None:
    check_acceleration(choose_placement("cpu", "float32", Acceleration(channels_last=True)), has_loras=True)


def test_graphs_are_for_cuda() -> None:
    chosen = Acceleration(accelerator="cuda-graphs")
    with pytest.raises(AcceleratorUnavailable, match="the device is cpu"):
        check_acceleration(choose_placement("cpu", "float32", chosen), has_loras=False)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="recordings are CUDA's")
@pytest.mark.parametrize("count", [2, 4])
def test_a_replayed_forward_has_the_bits_of_a_plain_one(count: int) -> None:
    module: Any = tiny.stable_diffusion().unet.to("cuda").eval()

    def plain(inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return module(inputs["latents"], inputs["timesteps"], inputs["prompt_embeds"], return_dict=False)[0]

    graphed = GraphedNetwork(module, plain)
    for seed in range(3):
        torch.manual_seed(seed)
        inputs = {
            "latents": torch.randn(count, 4, 8, 8, device="cuda"),
            "timesteps": torch.rand(count, device="cuda") * 999,
            "prompt_embeds": torch.randn(count, 77, module.config.cross_attention_dim, device="cuda"),
        }
        with torch.inference_mode():
            assert graphed(inputs).equal(plain(inputs))
