"""Where tensors live, in which precision, and what computes them."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import torch

from pipeline.protocol.messages import Acceleration, Device, DType

_DTYPES: Final[dict[str, torch.dtype]] = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


class DeviceUnavailable(Exception):
    """The device that was asked for is not here, or cannot do the precision; one plain sentence."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """A device and a precision that go together.

    Attributes:
        device: where weights and latents live.
        dtype: of weights and their arithmetic.
        latents_dtype: of latents, guidance and scheduler arithmetic: never below float32, since small
            differences of large numbers add up over the steps.
        name: what the device's maker calls it.
        vram_bytes: memory of the device; 0 where it shares the computer's.
        acceleration: what computes the forwards; `acceleration.check_acceleration` sees whether it can.
    """

    device: torch.device
    dtype: torch.dtype
    latents_dtype: torch.dtype
    name: str
    vram_bytes: int
    acceleration: Acceleration = Acceleration()

    @property
    def dtype_name(self) -> str:
        """The precision as messages spell it, such as `float16`."""
        return str(self.dtype).removeprefix("torch.")


def choose_placement(device: Device, dtype: DType, acceleration: Acceleration | None = None) -> Placement:
    """Settle what `auto` stands for and check that the rest is there.

    Raises:
        DeviceUnavailable: no such device, or it cannot do this precision.
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
    """What the device's work is timed with: on a processor the seconds that it worked, which others do not prolong."""
    return time.process_time if device.type == "cpu" else time.perf_counter


def use_threads(threads: int) -> int:
    """Set torch's CPU threads and return how many; 0 takes what this process may use, at most 8."""
    count = threads or min(8, _usable_cores())
    torch.set_num_threads(count)
    return count


def accelerator_version(placement: Placement) -> dict[str, str]:
    """The version of the library that computes the forwards, by name; empty where it is torch."""
    accelerator = placement.acceleration.accelerator
    return {accelerator: importlib.metadata.version(accelerator)} if accelerator == "openvino" else {}


def rss_bytes() -> int:
    """Resident memory of this process; 0 where the system does not say it cheaply."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def release_memory(device: torch.device) -> None:
    """Hand cached, unused memory back to the device."""
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
    # float16 has three bits more of mantissa than bfloat16, and the VAEs that overflow in it say so in their
    # configuration and run in float32.
    return torch.float32 if kind == "cpu" else torch.float16


def _device_name(kind: str) -> str:
    if kind == "cuda":
        return torch.cuda.get_device_name(0)
    return platform.processor() or platform.machine()


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
