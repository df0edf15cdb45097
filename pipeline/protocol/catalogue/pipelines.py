"""What diffusers' pipeline classes lack, for the bot, which offers models before a worker has looked at their files.

The worker reads it from the classes themselves, which the bot cannot import. `test_known_before.py` compares this table
with them. A class that is not listed is known when the worker is ready.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pipeline.protocol.capabilities import Capability

INDEX: Final = "model_index.json"
"""Name of the file that names a pipeline's class and components."""
BLOCKS_INDEX: Final = "modular_model_index.json"
"""Name of that file for a pipeline that diffusers builds of blocks."""

_GUIDANCE, _NEGATIVE = Capability.GUIDANCE, Capability.NEGATIVE_PROMPT
_ALWAYS_GUIDED: Final = (Capability.UNGUIDED,)
_WORDS, _START, _MASK = Capability.TEXT_TO_IMAGE, Capability.INIT_IMAGE, Capability.MASK
_EDIT, _SEVERAL, _KEPT = Capability.EDIT, Capability.SEVERAL_PICTURES, Capability.EDIT_STRENGTH
_DRAWS: Final = (_EDIT, _SEVERAL, _KEPT)
"""Lacked by classes that draw and do not edit."""
_NO_TWINS: Final = (_START, _MASK)

_LACKED: Final[Mapping[tuple[Capability, ...], str]] = MappingProxyType(
    {
        _DRAWS: "Chroma QwenImage StableDiffusion StableDiffusion3 StableDiffusionXL ZImage",
        (*_NO_TWINS, *_DRAWS): (
            "AuraFlow Bria BriaFibo CogView3Plus CogView4 Cosmos2TextToImage ErnieImage HiDreamImage HunyuanDiT "
            "HunyuanImage Kandinsky5T2I Krea2 LongCatImage Lumina Lumina2 NucleusMoEImage OvisImage PRX PixArtAlpha "
            "PixArtSigma Sana"
        ),
        (_MASK, *_DRAWS): "AnimaModular Kandinsky3 ZImageModular",
        (_NEGATIVE, *_DRAWS): "Flux",
        (_NEGATIVE, _MASK, *_DRAWS): "LatentConsistencyModel SanaSprint",
        (_NEGATIVE, *_NO_TWINS, *_DRAWS, *_ALWAYS_GUIDED): "Ideogram4",
        (_GUIDANCE, *_NO_TWINS, *_DRAWS): "StableCascadeCombined WuerstchenCombined",
        (*_NO_TWINS, _KEPT): "Flux3Modular BriaFibo2 BriaFiboEdit QwenImage21 ZImageOmni",
        (*_NO_TWINS, _SEVERAL, *_ALWAYS_GUIDED): "DreamLite",
        (*_NO_TWINS, _SEVERAL, _KEPT): "JoyImageEdit Kandinsky5I2I",
        (_NEGATIVE, *_NO_TWINS, *_ALWAYS_GUIDED): "OmniGen",
        (_NEGATIVE, *_NO_TWINS, _KEPT): "Flux2 GlmImage",
        (_NEGATIVE, _START, _KEPT): "Flux2Klein",
        (_NEGATIVE, _START, _SEVERAL, _KEPT): "FluxKontext",
        (_GUIDANCE, _NEGATIVE, *_NO_TWINS, _KEPT): "Flux2KleinKV Flux3DistilledModular",
        (_WORDS, _START, _SEVERAL, _KEPT): "QwenImageEdit",
        (_WORDS, *_NO_TWINS, _SEVERAL, _KEPT): "LongCatImageEdit",
        (_WORDS, *_NO_TWINS, _KEPT): "QwenImageEditPlus",
        (_WORDS, *_NO_TWINS, _SEVERAL): "StableDiffusionInstructPix2Pix StableDiffusionXLInstructPix2Pix",
    }
)
_SECOND_ROW: Final = ("Flux2Klein", "GlmImage", "Ideogram4", "OmniGen")
"""Classes that guide by a second row of each image without reading a negative prompt."""


def _with_rows(name: str, lacks: tuple[Capability, ...]) -> tuple[Capability, ...]:
    return lacks if _NEGATIVE not in lacks or name in _SECOND_ROW else (*lacks, Capability.UNCONDITIONAL_ROW)


LACKED_BY_CLASS: Final[Mapping[str, tuple[Capability, ...]]] = MappingProxyType(
    {f"{name}Pipeline": _with_rows(name, lacks) for lacks, names in _LACKED.items() for name in names.split()}
)
"""What each class lacks, by its name."""
GUIDED_BY_COMPONENT: Final = frozenset({"HunyuanImagePipeline"})
"""Classes whose component `guider` guides. A distilled model has none, and then one row and no negative prompt."""
SCALE_AS_INPUT: Final = frozenset({"FluxPipeline", "FluxKontextPipeline"})
"""Classes that only give the guidance scale to their transformer, which may be trained without it."""


def lacks_in_steps(
    index: Mapping[str, Any], unet: Mapping[str, Any], transformer: Mapping[str, Any]
) -> tuple[Capability, ...]:
    """What a model lacks whose steps Easel runs itself.

    Args:
        index: content of its `model_index.json`.
        unet: configuration of its U-Net; empty without one.
        transformer: configuration of its transformer; empty without one.
    """
    if unet.get("time_cond_proj_dim") is not None or transformer.get("guidance_embeds"):
        # The network takes the scale as an input, and no row reads a negative prompt.
        return (_NEGATIVE,)
    is_blind = index.get("_class_name") in SCALE_AS_INPUT and transformer.get("guidance_embeds") is False
    return (_GUIDANCE, _NEGATIVE) if index.get("is_distilled") or is_blind else ()
