"""Accelerators of a network's forward passes: plain torch, its compiler, recorded CUDA graphs, or OpenVINO.

The step loop calls the same `predict` with each accelerator. Row counts are measured separately for each one
(`shapes.ShapeBook`). So with every accelerator a picture is independent of other jobs.
"""

import importlib.util
import logging
import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import torch

from pipeline.engine.device.attention import check_attention, class_name, use_kernel
from pipeline.engine.device.batch_invariant import make_batch_invariant
from pipeline.engine.device.direct_attention import make_direct
from pipeline.engine.device.graphed_network import GraphedNetwork
from pipeline.engine.device.openvino_network import OpenVinoNetwork
from pipeline.engine.device.placement import Placement

log = logging.getLogger(__name__)

Forward = Callable[[Mapping[str, torch.Tensor]], torch.Tensor]
"""Forward pass of a network: takes inputs by name, each with the same row count, and returns [rows, c, h, w]."""

_COMPILED_VARIANTS: Final = 512
"""Limit of compiled variants of one function: four row counts, several sizes, and every block width."""

_KEPT_PARTS: Final = 4
"""Number of compiled networks to keep of a text encoder or VAE: one for each of the last sizes."""


class AcceleratorUnavailable(Exception):
    """The chosen accelerator cannot be used here; the message says why and what to do."""


def check_acceleration(
    placement: Placement, *, has_loras: bool, has_stored_weights: bool = False, has_offload: bool = False
) -> None:
    """Check that the chosen accelerator exists and works with the other settings.

    Args:
        placement: device, precision and accelerator.
        has_loras: True when rows may have LoRAs. They need torch's unchanged layers, or are inputs with OpenVINO.
        has_stored_weights: True when a model keeps weights in fewer bits, which its layers cast as they run.
        has_offload: True when a model's denoising network waits in RAM, and its blocks come as they run.

    Raises:
        AttentionUnavailable: the kernel of attention is missing, or does not work here.
        AcceleratorUnavailable: the accelerator is missing, or does not work with LoRAs, such weights or such blocks.
    """
    chosen = placement.acceleration
    if has_offload and chosen.accelerator in ("compile", "cuda-graphs"):
        raise AcceleratorUnavailable(
            f"pipeline.accelerator = {chosen.accelerator} needs all of a network at once, and with offload its blocks "
            "come one by one. Set pipeline.accelerator to none, or leave offload out."
        )
    if has_stored_weights and (chosen.accelerator != "none" or chosen.fuse_qkv):
        raise AcceleratorUnavailable(
            "Weights of [model.weights] and of GGUF files are cast inside the layers that pipeline.accelerator and "
            "pipeline.fuse_qkv replace. Set pipeline.accelerator to none and pipeline.fuse_qkv to false, or leave "
            "[model.weights] out and take a .safetensors."
        )
    if has_loras and (chosen.accelerator not in ("none", "openvino") or chosen.fuse_qkv):
        raise AcceleratorUnavailable(
            "LoRAs are added inside the layers that pipeline.accelerator and pipeline.fuse_qkv replace. Set "
            "pipeline.accelerator to none or openvino and pipeline.fuse_qkv to false, or leave pipeline.lora_directory "
            "out."
        )
    check_attention(chosen.attention, placement.device, placement.dtype, chosen.accelerator)
    match placement.acceleration.accelerator:
        case "openvino":
            _check_openvino(placement)
        case "compile":
            _check_compiler(placement)
        case "cuda-graphs" if placement.device.type != "cuda":
            raise AcceleratorUnavailable(
                f"CUDA graphs were asked for, but the device is {placement.device.type}. "
                "Set pipeline.device to cuda, or pipeline.accelerator to none."
            )
        case "none" | "cuda-graphs":
            pass


def accelerate(module: Any, forward: Forward, placement: Placement) -> Forward:
    """Prepare a network in place, and return the function that its adapter calls instead of `forward`.

    Args:
        module: a diffusers network in evaluation mode, on its device.
        forward: runs one plain forward pass of it.
        placement: device, precision and accelerator.
    """
    prepare(module, placement)
    return runner_of(module, forward, placement)


def prepare(module: Any, placement: Placement) -> None:
    """The part of `accelerate` that changes the network, once."""
    chosen = placement.acceleration
    if chosen.fuse_qkv and hasattr(module, "fuse_qkv_projections"):
        module.fuse_qkv_projections()
    elif chosen.fuse_qkv:
        log.warning("pipeline.fuse_qkv changes nothing in a %s; diffusers cannot fuse it.", class_name(module))
    # This comes after fusing, because fusing creates new linear layers.
    make_batch_invariant(module)
    make_direct(module)
    use_kernel(module, chosen.attention)
    if chosen.channels_last:
        module.to(memory_format=torch.channels_last)
    if chosen.accelerator == "compile":
        _compile(module)


def runner_of(module: Any, forward: Forward, placement: Placement) -> Forward:
    """The part of `accelerate` that each way to call a network needs: what runs its forward pass."""
    if placement.acceleration.accelerator == "openvino":
        return OpenVinoNetwork(module, forward)
    if placement.acceleration.accelerator == "cuda-graphs":
        return GraphedNetwork(module, forward)
    return forward


def part_runner(module: Any, forward: Forward, placement: Placement) -> Forward:
    """What runs a text encoder, a VAE or the like, which has one row at a time; its layers stay as they are.

    Args:
        module: a network in evaluation mode, on its device.
        forward: runs one plain forward pass of it with one row.
        placement: device, precision and accelerator.
    """
    if placement.acceleration.accelerator == "openvino":
        return OpenVinoNetwork(module, forward, traced_rows=1, most_kept=_KEPT_PARTS)
    return forward


@contextmanager
def uncompiled(placement: Placement) -> Generator[None]:
    """Context in which compiled layers run as plain torch, for forward passes that hooks change."""
    if placement.acceleration.accelerator == "compile":
        with torch.compiler.set_stance("force_eager"):
            yield
    else:
        yield


def _compile(module: Any) -> None:
    """Let torch compile a network's repeated blocks, once for each shape, at their first forward pass."""
    config: Any = torch._dynamo.config  # noqa: SLF001 # pyright: ignore[reportPrivateImportUsage] - it has no other name
    # With `fullgraph`, exceeding the limit is an error instead of a slower forward pass.
    config.recompile_limit = max(config.recompile_limit, _COMPILED_VARIANTS)
    config.accumulated_recompile_limit = max(config.accumulated_recompile_limit, 4 * _COMPILED_VARIANTS)
    module.compile_repeated_blocks(fullgraph=True, dynamic=False)


def _check_openvino(placement: Placement) -> None:
    if importlib.util.find_spec("openvino") is None:
        raise AcceleratorUnavailable(
            "OpenVINO was asked for, but its package is not installed. "
            "Install it with `uv sync --extra openvino`, or set pipeline.accelerator to none."
        )
    if placement.device.type != "cpu" or placement.dtype is not torch.float32:
        raise AcceleratorUnavailable(
            f"OpenVINO draws on a processor in float32, not on {placement.device.type} in {placement.dtype_name}. "
            "Set pipeline.device to cpu and pipeline.dtype to auto, or pipeline.accelerator to none."
        )


def _check_compiler(placement: Placement) -> None:
    if placement.device.type == "cpu" and not any(map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))):
        raise AcceleratorUnavailable(
            "Compiling for a processor was asked for, but there is no C++ compiler. "
            "Install g++, or set pipeline.accelerator to none."
        )
