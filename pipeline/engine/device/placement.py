"""Placement: device, precision and accelerator of the tensors."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import torch

from pipeline.engine.device.attention import kernel_version
from pipeline.protocol.wire.settings import Acceleration, Device, DType

_DTYPES: Final[dict[str, torch.dtype]] = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


class DeviceUnavailable(Exception):
    """The chosen device does not exist here or lacks the precision; the message is one plain sentence."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """A device and a precision that work together.

    Attributes:
        device: device of weights and latents.
        dtype: precision of weights and of the network's arithmetic.
        latents_dtype: precision of latents, guidance and scheduler arithmetic. It is at least float32, because
            rounding errors add up over the steps.
        name: the maker's name for the device.
        vram_bytes: memory of the device; 0 when it shares the host's memory.
        acceleration: accelerator of forward passes; `acceleration.check_acceleration` checks it.
    """

    device: torch.device
    dtype: torch.dtype
    latents_dtype: torch.dtype
    name: str
    vram_bytes: int
    acceleration: Acceleration = Acceleration()

    @property
    def dtype_name(self) -> str:
        """Name of the precision in messages, such as `float16`."""
        return str(self.dtype).removeprefix("torch.")


def choose_placement(device: Device, dtype: DType, acceleration: Acceleration | None = None) -> Placement:
    """Resolve the setting `auto`, and check that the device exists.

    Raises:
        DeviceUnavailable: the device does not exist, or lacks this precision.
    """
    kind = _choose_device(device)
    chosen = _auto_dtype(kind) if dtype == "auto" else _DTYPES[dtype]
    if kind == "mps" and chosen is torch.float64:
        raise DeviceUnavailable("Apple's MPS has no float64; choose float32 or float16.")
    is_double = chosen is torch.float64
    return Placement(
        device=torch.device(kind),
        dtype=chosen,
        latents_dtype=torch.float64 if is_double else torch.float32,
        name=_device_name(kind),
        vram_bytes=torch.cuda.get_device_properties(0).total_memory if kind == "cuda" else 0,
        acceleration=acceleration or Acceleration(),
    )


def work_clock(device: torch.device) -> Callable[[], float]:
    """Clock for timing work, in seconds; on a CPU it counts CPU time, which other programs do not prolong."""
    return time.process_time if device.type == "cpu" else time.perf_counter


def use_threads(threads: int) -> int:
    """Set and return torch's number of CPU threads; 0 means the cores that this process may use, at most 8."""
    count = threads or min(8, _usable_cores())
    torch.set_num_threads(count)
    return count


def accelerator_version(placement: Placement) -> dict[str, str]:
    """Versions of the libraries that run forward passes, by name; empty when it is torch in its usual way."""
    accelerator = placement.acceleration.accelerator
    openvino = {accelerator: importlib.metadata.version(accelerator)} if accelerator == "openvino" else {}
    return openvino | kernel_version(placement.acceleration.attention)


def rss_bytes() -> int:
    """Resident memory of this process in bytes; 0 when the system has no cheap way to read it."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def release_memory(device: torch.device) -> None:
    """Free the device memory that torch caches without using it."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _choose_device(device: Device) -> str:
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(kind for kind, is_here in here.items() if is_here)
    if not here[device]:
        raise DeviceUnavailable(f"The device {device!r} was asked for, but torch finds none here.")
    return device


def _auto_dtype(kind: str) -> torch.dtype:
    # float16 has three more mantissa bits than bfloat16. A VAE that overflows float16 is marked in its configuration
    # and runs in float32.
    return torch.float32 if kind == "cpu" else torch.float16


def _device_name(kind: str) -> str:
    if kind == "cuda":
        return torch.cuda.get_device_name(0)
    return platform.processor() or platform.machine()


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
