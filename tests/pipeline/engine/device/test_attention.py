"""Kernels of attention: the same picture within rounding and in company, and sentences where one cannot be used."""

import importlib.metadata
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from diffusers.models import attention_dispatch
from diffusers.models.attention_dispatch import AttentionBackendName

from benchmarks.families import grids, packed
from pipeline.engine.device.attention import (
    AttentionUnavailable,
    check_attention,
    kernel_version,
    remark_on,
    use_kernel,
)
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.families.base import StepAdapter
from pipeline.engine.models.loading import load_model
from pipeline.engine.steps.batching.shapes import ShapeBook
from pipeline.engine.steps.jobs.rows import Row, predict_rows
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.settings import Acceleration, Attention
from tests.pipeline.engine import tiny

CUDA, CPU = torch.device("cuda"), torch.device("cpu")


def kernels_of(network: Any) -> set[object]:
    processors: list[Any] = [getattr(part, "processor", None) for part in network.modules()]
    return {each._attention_backend for each in processors if hasattr(each, "_attention_backend")}


def rows_of(adapter: StepAdapter, request: GenerationRequest) -> Sequence[Row]:
    generator = torch.Generator().manual_seed(1)
    return [
        Row(
            latents=torch.randn(1, adapter.latent_channels, 16, 16, generator=generator, dtype=torch.float64),
            timestep=torch.tensor(900.0 - 200 * number),
            conditioning=adapter.encode_text(request).positive.at(1),
        )
        for number in range(3)
    ]


def test_a_kernel_computes_the_steps_and_changes_nothing_else(tmp_path: Path, request_: GenerationRequest) -> None:
    packed.flux_dev().save_pretrained(tmp_path)
    spec = tiny.catalogue_of(tmp_path, "flux", "Flow Euler").default
    request = msgspec.structs.replace(request_, model_key=spec.key, scheduler_name="Flow Euler", width=64, height=64)
    answers: dict[str, list[torch.Tensor]] = {}
    keys: set[str] = set()
    for chosen in ("native", "math"):
        placement = choose_placement("cpu", "float64", Acceleration(attention=chosen))
        adapter = load_model(spec, placement, None, lambda: None).adapter
        rows, book = rows_of(adapter, request), ShapeBook(placement, "pinned", None)
        assert kernels_of(adapter.network) == ({None} if chosen == "native" else {AttentionBackendName._NATIVE_MATH})
        counts = [count for count in book.shapes(spec.key, adapter, rows[0]).seconds if count >= len(rows)]
        answers[chosen] = predict_rows(adapter, rows, 4)
        alone = predict_rows(adapter, rows[:1], 4)[0]
        assert all(predict_rows(adapter, rows[::-1], count)[-1].equal(alone) for count in counts)
        keys.add(book._key(spec.key, rows[0]))
    pairs = zip(answers["native"], answers["math"], strict=True)
    assert all(torch.allclose(*pair, rtol=0, atol=1e-9) for pair in pairs)
    assert len(keys) == 2
    # A VAE in float32 could not use what diffusers would now use everywhere.
    assert attention_dispatch._AttentionBackendRegistry.get_active_backend()[0] == AttentionBackendName.NATIVE
    assert kernel_version("math") == {"attention by math": importlib.metadata.version("torch")}


@pytest.mark.parametrize(
    ("chosen", "device", "dtype", "accelerator", "said"),
    [
        ("flash", CUDA, torch.float16, "none", r"flash was asked for, but .* Install flash-attn beside Easel"),
        ("sage", CUDA, torch.bfloat16, "none", "Install sageattention beside Easel"),
        ("xformers", CPU, torch.float32, "none", "runs on CUDA, and the device is cpu. Set pipeline.device to cuda"),
        ("cudnn", CUDA, torch.float32, "none", "multiplies in float16 and bfloat16. Set pipeline.dtype to auto"),
        ("math", CPU, torch.float32, "openvino", "OpenVINO computes attention itself, not by math"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(
    chosen: Attention, device: torch.device, dtype: torch.dtype, accelerator: str, said: str
) -> None:
    with pytest.raises(AttentionUnavailable, match=said + r".*, or set pipeline\.attention to native\."):
        check_attention(chosen, device, dtype, accelerator)


def test_models_that_it_does_not_change_are_named(caplog: pytest.LogCaptureFixture) -> None:
    check_attention("cudnn", CUDA, torch.float16, "none")
    assert (remark_on("native", "sd"), remark_on("cudnn", "z-image"), remark_on("flash", "flux2")) == ("", "", "")
    assert remark_on("flash", "sdxl") == "pipeline.attention = flash has no effect on it, only on FLUX and Z-Image."
    assert "masked, which flash cannot do" in remark_on("flash", "z-image")
    unet, masked = tiny.stable_diffusion().unet, grids.z_image().transformer
    with caplog.at_level(logging.WARNING):
        use_kernel(unet, "math")
        use_kernel(masked, "flash")
    assert "is masked, which flash cannot do; it stays native" in caplog.text
    assert (kernels_of(unet), kernels_of(masked)) == (set(), {None})
