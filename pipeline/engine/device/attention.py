"""Attention of transformers by other kernels than torch chooses itself: diffusers' attention backends.

Every kernel rounds in its own way, so it changes the last bits of pictures. Row counts are measured for each one, which
also shows whether a row's bits depend on its place beside others.
"""

import importlib.metadata
import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import torch
from diffusers.models.attention_dispatch import attention_backend

from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.wire.settings import Attention

log = logging.getLogger(__name__)

HEEDING: Final[frozenset[Family]] = frozenset({"z-image", "flux", "flux2"})
"""Families whose networks let the kernel be chosen; attention of the others is fixed in diffusers."""
_MASKED: Final = ("ZImageTransformer2DModel", "ChromaTransformer2DModel")
"""Classes of transformers whose rows mask the tokens that fill up their text."""


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """What one kernel needs.

    Attributes:
        backend: its name in diffusers.
        package: the package that has it; empty for torch.
        needs_gpu: whether it runs on CUDA alone.
        needs_half: whether it multiplies in float16 and bfloat16 alone.
        has_masks: whether some tokens can be masked.
    """

    backend: str
    package: str = ""
    needs_gpu: bool = True
    needs_half: bool = True
    has_masks: bool = True


KERNELS: Final[Mapping[Attention, Kernel]] = {
    "native": Kernel(backend="native", needs_gpu=False, needs_half=False),
    "math": Kernel(backend="_native_math", needs_gpu=False, needs_half=False),
    "cudnn": Kernel(backend="_native_cudnn"),
    "flash": Kernel(backend="flash", package="flash-attn", has_masks=False),
    "flash-3": Kernel(backend="_flash_3", package="flash-attn-3", has_masks=False),
    "sage": Kernel(backend="sage", package="sageattention", has_masks=False),
    "xformers": Kernel(backend="xformers", package="xformers"),
}


class AttentionUnavailable(Exception):
    """The chosen kernel cannot be used here; the message says why and what to do."""


def check_attention(chosen: Attention, device: torch.device, dtype: torch.dtype, accelerator: str) -> None:
    """Check that a kernel is installed, and that it runs on a device in a precision.

    Raises:
        AttentionUnavailable: it is not, or does not.
    """
    kernel, remedy = KERNELS[chosen], "or set pipeline.attention to native."
    if chosen != "native" and accelerator == "openvino":
        raise AttentionUnavailable(
            f"OpenVINO computes attention itself, not by {chosen}. Set pipeline.accelerator to none, {remedy}"
        )
    if kernel.needs_gpu and device.type != "cuda":
        raise AttentionUnavailable(
            f"pipeline.attention = {chosen} runs on CUDA, and the device is {device.type}. "
            f"Set pipeline.device to cuda, {remedy}"
        )
    if kernel.needs_half and dtype not in (torch.float16, torch.bfloat16):
        raise AttentionUnavailable(
            f"pipeline.attention = {chosen} multiplies in float16 and bfloat16. Set pipeline.dtype to auto, {remedy}"
        )
    try:
        with attention_backend(kernel.backend):
            pass
    except RuntimeError as error:
        package = kernel.package or "torch"
        raise AttentionUnavailable(
            f"pipeline.attention = {chosen} was asked for, but its package is not installed, or too old. "
            f"Install {package} beside Easel for your CUDA, {remedy}"
        ) from error


def use_kernel(network: Any, chosen: Attention) -> None:
    """Let the attention layers of a network use a kernel from now on, if they can."""
    if chosen == "native" or not any(_processors(network)):
        return
    if not KERNELS[chosen].has_masks and class_name(network) in _MASKED:
        log.warning("The text of a %s is masked, which %s cannot do; it stays native.", class_name(network), chosen)
        return
    # The context undoes what `set_attention_backend` sets for all networks: a VAE in float32 could not use the kernel.
    with attention_backend("native"):
        network.set_attention_backend(KERNELS[chosen].backend)


def class_name(network: object) -> str:
    """Name of a network's class in diffusers, which ours may extend."""
    kinds = type(network).__mro__
    return next((kind for kind in kinds if kind.__module__.startswith("diffusers.")), kinds[0]).__name__


def remark_on(chosen: Attention, family: Family) -> str:
    """A sentence for the owner if a kernel changes nothing in the models of a family; otherwise nothing."""
    if chosen == "native":
        return ""
    if family not in HEEDING:
        return f"pipeline.attention = {chosen} has no effect on it, only on FLUX and Z-Image."
    if family == "z-image" and not KERNELS[chosen].has_masks:
        return f"Its text is masked, which {chosen} cannot do, so its attention stays native."
    return ""


def kernel_version(chosen: Attention) -> dict[str, str]:
    """Version of what computes attention, by name; empty when torch chooses the kernel."""
    if chosen == "native":
        return {}
    return {f"attention by {chosen}": importlib.metadata.version(KERNELS[chosen].package or "torch")}


def _processors(network: Any) -> list[Any]:
    """Those parts of attention layers that let the kernel be chosen."""
    found = (getattr(part, "processor", None) for part in network.modules())
    return [each for each in found if hasattr(each, "_attention_backend")]
