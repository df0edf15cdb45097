"""Layers of a U-Net that see references, and those that each use of a reference takes.

The layers of style and composition are those of InstantStyle (https://github.com/instantX-research/InstantStyle,
`infer_style.py` and `infer_style_sd15.py`). Its authors call those of Stable Diffusion 1.5 an experiment.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.inputs import Use

_SELF_ATTENTION: Final = "attn1.processor"

_BLOCKS: Final[Mapping[tuple[Family, Use], Collection[str]]] = MappingProxyType(
    {
        ("sd", Use.STYLE): ("up_blocks.1",),
        ("sd", Use.COMPOSITION): ("down_blocks.2", "mid_block"),
        ("sdxl", Use.STYLE): ("up_blocks.0.attentions.1",),
        ("sdxl", Use.COMPOSITION): ("down_blocks.2.attentions.1",),
    }
)
"""Blocks that a use takes; a use without an entry takes every layer."""


def cross_attention(unet: Any) -> dict[str, Any]:
    """A U-Net's cross-attention layers by name, in the order of IP-Adapter's files, which is that of diffusers."""
    names = [name.removesuffix(".processor") for name in unet.attn_processors if not name.endswith(_SELF_ATTENTION)]
    return {name: unet.get_submodule(name) for name in names}


def layers_of(use: Use | None, family: Family, names: Sequence[str]) -> list[str]:
    """Names of the layers that a use takes; empty when the U-Net has none of its blocks."""
    blocks = None if use is None else _BLOCKS.get((family, use))
    if blocks is None:
        return [*names]
    return [name for name in names if any(name.startswith(f"{block}.") for block in blocks)]
