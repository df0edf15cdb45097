"""What a file in the owner's folder is, from the names and shapes in its header alone."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pipeline.engine.failures import ModelUnavailable

_PAIR: Final = re.compile(r"lora(?:_linear_layer)?[._](?:up|down|A|B)|_lora\.(?:up|down)")
"""In the names of a LoRA's matrices, whoever trained it."""

# Each line: what stands in one of the names, and what such a file is. A name begins and ends with a new line.
_OTHER_ADAPTERS: Final = (
    (r"dora_scale|lora_magnitude_vector", "DoRA"),
    (r"lora_mid", "LoCon with a Tucker core"),
    (r"hada_", "LoHa"),
    (r"lokr_", "LoKr"),
    (r"boft_", "BOFT"),
    (r"[._]oft_", "OFT"),
    (r"\.a1\.weight\n|\.b1\.weight\n", "GLoRA"),
    (r"\.on_input\n|\.ia3_", "IA3"),
    (r"vera_lambda", "VeRA"),
    (r"lora_embedding_", "a LoRA with words of its own"),
    (r"lora_controlnet", "Control-LoRA"),
    (r"motion_modules\..*lora", "a LoRA for the motion module of AnimateDiff"),
    (r"lora_B\.bias|lora_up\.bias|\.lora\.up\.bias", "a LoRA with biases"),
    (r"\.diff_b\n|\.diff\n|\.set_weight\n", "a difference of whole weights"),
    (r"\.w_norm\n|\.b_norm\n", "a difference of norms"),
)
_CATALOGUE: Final = "name it as a model in the catalogue"
_OTHERS: Final = (
    (r"\ncontrol_model\.|controlnet_|input_hint_block|zero_convs\.", "a ControlNet", ""),
    (r"\nadapter\.body\.|\nbody\.0\.block", "a T2I-Adapter", ""),
    (r"ip_adapter\.|\nimage_proj", "an IP-Adapter", ""),
    (r"motion_modules\.", "a motion module of AnimateDiff", ""),
    (r"\nmodel\.diffusion_model\.|\nconditioner\.|\ncond_stage_model\.", "a whole checkpoint", _CATALOGUE),
    (r"\nfirst_stage_model\.|\n(?:decoder|encoder)\.(?:conv_in|down|up|mid|layers)\b", "a VAE", _CATALOGUE),
    (r"vision_model\.|\nvisual\.", "an image encoder", ""),
    (r"text_model\.|\nencoder\.block\.|\nshared\.weight|transformer\.resblocks\.", "a text encoder", ""),
    (
        r"\n(?:down_blocks|input_blocks|transformer_blocks|double_blocks|joint_blocks|blocks|layers)\.",
        "a model without text encoder and VAE",
        _CATALOGUE,
    ),
    (r"\n\d+\.\d+\.(?:linear|\d+)\.|hypernetwork", "a hypernetwork", ""),
    (r"\nconv_first\.|\nmodel\.(?:0|1\.sub)\.|\nupsampl", "an enlarger", "name it as the enlarger of a model"),
)
_CROSS_ATTENTION: Final = re.compile(r"attn2[._](?:processor[._])?to_[kv][._].*(?:down|lora_A)")
_FEATURES: Final = {768: "sd", 1024: "sd", 2048: "sdxl"}
"""Of the text that a U-Net's cross attention reads, and whose U-Net that is."""
_FAMILIES: Final = (
    (r"joint_blocks", "sd3"),
    (r"lora_te2_|\A(?s:(?=.*\ntext_encoder_2\.)(?=.*\nunet\.))", "sdxl"),
    (r"double_blocks|single_blocks|single_transformer_blocks", "flux"),
    (r"diffusion_model\.(?:blocks|layers|transformer_blocks)\.|lora_unet_(?:blocks|layers)_", "another"),
)
FAMILY_TITLES: Final[Mapping[str, str]] = {
    "sd": "Stable Diffusion 1 and 2",
    "sdxl": "Stable Diffusion XL",
    "sd3": "Stable Diffusion 3",
    "flux": "Flux",
    "another": "an architecture that Easel has no step adapter for",
}


class OtherKind(ModelUnavailable):
    """A file is no LoRA that can be added.

    Attributes:
        kind: what it is, as a noun with its article where it has one.
    """

    def __init__(self, name: str, kind: str, remedy: str) -> None:
        super().__init__(f"The file {name} is {kind}, not a plain LoRA; {remedy}.")
        self.kind = kind


def check_is_lora(header: Mapping[str, Any], name: str) -> None:
    """See that a file can be a plain LoRA.

    Args:
        header: of the file.
        name: of the file.

    Raises:
        OtherKind: it is something else; one sentence.
    """
    names = _lines(header)
    adapter = _other_adapter(names)
    if adapter is not None:
        raise OtherKind(name, adapter, "Easel adds plain LoRAs alone, so take it away or get it as one")
    if _PAIR.search(names):
        return
    for mark, kind, remedy in _OTHERS:
        if re.search(mark, names):
            raise OtherKind(name, kind, remedy or "take it away")
    raise OtherKind(name, "of a kind that Easel does not know", "take it away")


def is_adapter(header: Mapping[str, Any]) -> bool:
    """It is a LoRA, or another addition to a model's weights."""
    names = _lines(header)
    return _PAIR.search(names) is not None or _other_adapter(names) is not None


def family_of(header: Mapping[str, Any]) -> str:
    """Whose layers a LoRA's names and shapes mean, as `ModelSpec.family` has it; empty where they fit several."""
    widths = {
        shape[1] for key, entry in header.items() if _CROSS_ATTENTION.search(key) and len(shape := entry["shape"]) > 1
    }
    families = {_FEATURES.get(width, "") for width in widths}
    if len(families) == 1 and families != {""}:
        return families.pop()
    names = _lines(header)
    return next((family for mark, family in _FAMILIES if re.search(mark, names)), "")


def _lines(header: Mapping[str, Any]) -> str:
    """Every name between new lines."""
    return "\n".join(["", *(key for key in header if key != "__metadata__"), ""])


def _other_adapter(names: str) -> str | None:
    return next((kind for mark, kind in _OTHER_ADAPTERS if re.search(mark, names)), None)
