"""The list of all tiny families."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from benchmarks.families import blocks, grids, others, packed

EVERY: Final[Mapping[str, Callable[[], Any]]] = MappingProxyType(
    {
        "FLUX.1 dev": packed.flux_dev,
        "FLUX.1 schnell": packed.flux_schnell,
        "FLUX.2": packed.flux_2,
        "FLUX.2 klein": packed.klein,
        "FLUX.2 klein, distilled": packed.klein_distilled,
        "Qwen-Image": packed.qwen_image,
        "Chroma": packed.chroma,
        "Bria": packed.bria,
        "Ovis": packed.ovis,
        "LongCat-Image": packed.longcat,
        "Nucleus": packed.nucleus,
        "Krea 2": packed.krea,
        "Krea 2, distilled": packed.krea_distilled,
        "ERNIE-Image": packed.ernie,
        "Stable Diffusion 3": grids.sd_3,
        "PixArt Sigma": grids.sigma,
        "PixArt alpha": grids.alpha,
        "Z-Image": grids.z_image,
        "Sana": grids.sana,
        "Sana-Sprint": grids.sana_sprint,
        "AuraFlow": grids.auraflow,
        "CogView 3": grids.cogview_3,
        "CogView 4": grids.cogview_4,
        "Lumina 2": grids.lumina_2,
        "Lumina": grids.lumina,
        "HunyuanDiT": grids.hunyuan_dit,
        "OmniGen": grids.omnigen,
        "Stable Diffusion": others.sd,
        "Stable Diffusion XL": others.sdxl,
        "LCM": others.lcm,
        "DeepFloyd IF": others.deepfloyd,
        "Kandinsky 2.2": others.kandinsky_2,
        "Kandinsky 3": others.kandinsky_3,
        "Kandinsky 5": others.kandinsky_5,
        "HiDream": others.hidream,
        "HunyuanImage": others.hunyuan_image,
        "HunyuanImage, distilled": others.hunyuan_image_distilled,
        "Anima": blocks.anima,
        "FLUX.3": blocks.flux_3,
        "FLUX.3, distilled": blocks.flux_3_distilled,
        "Ideogram 4": others.ideogram_4,
    }
)
"""Functions that build each family's pipeline, by its name."""
