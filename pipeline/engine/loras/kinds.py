"""Determines the kind of a file in the owner's folder from the names and shapes in its header."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pipeline.engine.failures import ModelUnavailable

_PAIR: Final = re.compile(r"lora(?:_linear_layer)?[._](?:up|down|A|B)|_lora\.(?:up|down)")
"""Pattern in the names of a LoRA's matrices, for all trainers."""

# Pairs of a pattern in tensor names and the kind of file that it shows. The names are separated by line breaks.
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
"""Family of a U-Net by the number of text features that its cross attention reads."""
_WIDE: Final = re.compile(r"(.*(?:linear1|img_mlp[._]0|txt_mlp[._]0))\.lora[._](up|down|A|B)")
"""Layers of FLUX that are 7 and 4 times as wide as the model, and 9 and 6 times in FLUX.2."""
_FAMILIES: Final = (
    (r"to_qkv_mlp_proj|_stream_modulation", "flux2"),
    (r"joint_blocks", "sd3"),
    (r"lora_te2_|\A(?s:(?=.*\ntext_encoder_2\.)(?=.*\nunet\.))", "sdxl"),
    (r"double_blocks|single_blocks|single_transformer_blocks", "flux"),
    (r"(?:layers|noise_refiner|context_refiner)[._]\d+[._](?:attention|feed_forward|adaLN_modulation)", "z-image"),
    (r"diffusion_model\.(?:blocks|layers|transformer_blocks)\.|lora_unet_(?:blocks|layers)_", "another"),
)
FAMILY_TITLES: Final[Mapping[str, str]] = {
    "sd": "Stable Diffusion 1 and 2",
    "sdxl": "Stable Diffusion XL",
    "sd3": "Stable Diffusion 3",
    "z-image": "Z-Image",
    "flux": "Flux",
    "flux2": "FLUX.2",
    "another": "an architecture that Easel has no step adapter for",
}


class OtherKind(ModelUnavailable):
    """The file is not a plain LoRA.

    Attributes:
        kind: kind of the file, as a noun with its article if it has one.
    """

    def __init__(self, name: str, kind: str, remedy: str) -> None:
        super().__init__(f"The file {name} is {kind}, not a plain LoRA; {remedy}.")
        self.kind = kind


def check_is_lora(header: Mapping[str, Any], name: str) -> None:
    """Check that a file can be a plain LoRA.

    Args:
        header: header of the file.
        name: name of the file.

    Raises:
        OtherKind: the file is something else; the message is one sentence.
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
    """True for a LoRA or another kind of addition to a model's weights."""
    names = _lines(header)
    return _PAIR.search(names) is not None or _other_adapter(names) is not None


def family_of(header: Mapping[str, Any]) -> str:
    """Family that a LoRA's names and shapes fit, as in `ModelSpec.family`; empty when they fit several."""
    widths = {
        shape[1] for key, entry in header.items() if _CROSS_ATTENTION.search(key) and len(shape := entry["shape"]) > 1
    }
    families = {_FEATURES.get(width, "") for width in widths}
    if len(families) == 1 and families != {""}:
        return families.pop()
    names = _lines(header)
    family = next((family for mark, family in _FAMILIES if re.search(mark, names)), "")
    return "flux2" if family == "flux" and _is_of_flux2(header) else family


def _is_of_flux2(header: Mapping[str, Any]) -> bool:
    """Whether the first layer of a single block or of an MLP is as wide as in FLUX.2, whose MLPs are gated."""
    sizes: dict[str, dict[bool, int]] = {}
    for key, entry in header.items():
        found = _WIDE.match(key)
        if found is not None and len(shape := entry["shape"]) > 1:
            is_up = found[2] in ("up", "B")
            sizes.setdefault(found[1], {})[is_up] = shape[0 if is_up else 1]
    return any(
        pair.get(True, 0) in (6 * pair.get(False, 0), 9 * pair.get(False, 0))
        for pair in sizes.values()
        if pair.get(False)
    )


def _lines(header: Mapping[str, Any]) -> str:
    """All tensor names, with a line break before and after each."""
    return "\n".join(["", *(key for key in header if key != "__metadata__"), ""])


def _other_adapter(names: str) -> str | None:
    return next((kind for mark, kind in _OTHER_ADAPTERS if re.search(mark, names)), None)
