"""What computes a network's forwards: torch as it is, its compiler, recorded CUDA graphs, or OpenVINO.

Whatever it is, the step loop sees the same `predict`, and the forward shapes are learnt anew for each
(`shapes.ShapeBook`), so that pictures do not depend on company with any of them.
"""

import importlib.util
import os
import shutil
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch

from pipeline.engine.device.batch_invariant import make_batch_invariant
from pipeline.engine.device.direct_attention import make_direct
from pipeline.engine.device.graphed_network import GraphedNetwork
from pipeline.engine.device.openvino_network import OpenVinoNetwork
from pipeline.engine.device.placement import Placement

Forward = Callable[[Mapping[str, torch.Tensor]], torch.Tensor]
"""A network with its inputs by name, each with as many rows, to its answer [rows, c, h, w]."""

_COMPILED_VARIANTS: Final = 512
"""Variants of one function that torch's compiler keeps: four row counts, some sizes, and every width of block."""


class AcceleratorUnavailable(Exception):
    """The accelerator that was asked for cannot be used here; one plain sentence and what to do."""


def check_acceleration(placement: Placement, *, has_loras: bool) -> None:
    """See that what was asked for is there, and goes with what else was asked for.

    Args:
        placement: what shall compute the forwards.
        has_loras: rows may have LoRAs, which are added inside torch's own layers as they are.

    Raises:
        AcceleratorUnavailable: it is not there, or does not go with LoRAs.
    """
    chosen = placement.acceleration
    if has_loras and (chosen.accelerator != "none" or chosen.fuse_qkv):
        raise AcceleratorUnavailable(
            "LoRAs are added inside the layers that pipeline.accelerator and pipeline.fuse_qkv replace. "
            "Set pipeline.accelerator to none and pipeline.fuse_qkv to false, or leave pipeline.lora_directory out."
        )
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
    """Prepare a network in place, and return what its adapter calls in place of `forward`.

    Args:
        module: of diffusers, in evaluation mode, on its device.
        forward: one plain forward of it.
        placement: where it lives and what shall compute it.
    """
    chosen = placement.acceleration
    if chosen.fuse_qkv:
        module.fuse_qkv_projections()
    # After fusing, which makes linear layers of its own.
    make_batch_invariant(module)
    make_direct(module)
    if chosen.channels_last:
        module.to(memory_format=torch.channels_last)
    if chosen.accelerator == "openvino":
        return OpenVinoNetwork(module, forward)
    if chosen.accelerator == "cuda-graphs":
        return GraphedNetwork(module, forward)
    if chosen.accelerator == "compile":
        _compile(module)
    return forward


def _compile(module: Any) -> None:
    """Compile the blocks that a network repeats, once for each shape of theirs; it happens at their first forward."""
    config: Any = torch._dynamo.config  # noqa: SLF001 # pyright: ignore[reportPrivateImportUsage] - it has no other name
    # With `fullgraph` one variant too many is an error, not a slower forward.
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
