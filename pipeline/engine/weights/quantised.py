"""Quantised weights: float8 is supported, with or without scales, and diffusers folders of bitsandbytes and torchao.

Plain float8 only needs a cast. Scaled float8 has a scale beside each weight, because the numbers were stretched to
float8's range. Without the scale, the weights would be thousands of times too large and every picture noise.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.components import read_json, title_of
from pipeline.engine.weights.headers import read_header, read_metadata
from pipeline.engine.weights.packages import need_package
from pipeline.protocol.catalogue.models import ModelSpec

FLOAT8: Final = (torch.float8_e4m3fn, torch.float8_e5m2)

_WEIGHT_SCALES: Final = (".scale_weight", ".weight_scale")
"""Suffixes of the scale of `….weight` in files of ComfyUI and others."""
_COMFY_NOTE: Final = ".comfy_quant"
"""Suffix of a small JSON text, stored as bytes, beside each layer; see `check_formats`."""
_UNNEEDED: Final = (".scale_input", ".input_scale", _COMFY_NOTE)
"""Suffixes of unused tensors: input scales serve multiplication in float8, but Easel multiplies in more bits."""
_MARKS: Final = ("scaled_fp8",)

_KINDS: Final = (
    (("quant_state.bitsandbytes__nf4", "quant_state.bitsandbytes__fp4", ".absmax", ".quant_map"), "bitsandbytes"),
    ((".wscales", ".smooth_factor", ".proj_down", ".wtscale"), "SVDQuant"),
    ((".qzeros", ".g_idx", ".qweight"), "GPTQ or AWQ"),
    ((".weight_scale_2", ".weight_scale_inv"), "NVFP4 or float8 in blocks"),
    (("._data", ".weight._scale"), "quanto"),
    ((".zero_point", ".scales"), "in integers"),
    ((".SCB", ".weight_format"), "bitsandbytes"),
)
"""Suffixes of tensor names, each typical of one quantisation format."""


_READ: Final = ("bitsandbytes", "torchao")
"""Packages whose quantised folders Easel has diffusers and transformers read."""
_DENOISERS: Final = ("unet", "transformer")


def quantisation_of(folder: Path) -> dict[str, Any] | None:
    """What the configuration of a component says about its quantised weights; None if they are not.

    Raises:
        ModelUnavailable: the configuration is missing or cannot be read.
    """
    found = read_json(folder / "config.json").get("quantization_config")
    return found if isinstance(found, dict) else None


def check_quantisation(spec: ModelSpec, component: str, folder: Path) -> None:
    """Check that the quantised weights of a folder can be read here, and shared by the rows of a forward pass.

    Args:
        spec: the catalogue's entry.
        component: name of the component in the index.
        folder: folder with its `config.json`.

    Raises:
        ModelUnavailable: they cannot.
    """
    found = quantisation_of(folder)
    if found is None:
        return
    method, what = str(found.get("quant_method"))[:60], f"The {title_of(component)} in {folder}"
    if method not in _READ:
        raise ModelUnavailable(
            f"{what} is quantised by {method}, which Easel does not read; it reads folders of {' and '.join(_READ)}."
        )
    need_package(method, what)
    if component in spec.weights:
        raise ModelUnavailable(f"{what} is quantised already, so leave {component} out of [model.weights].")
    if component in _DENOISERS and spec.family != "pipeline" and _rounds_inputs(method, found):
        raise ModelUnavailable(
            f"{what} rounds what its layers read by all rows of a forward pass, so pictures would depend on their "
            'company; say family = "pipeline", where each job is drawn alone.'
        )


def _rounds_inputs(method: str, config: Mapping[str, Any]) -> bool:
    """True when inputs are rounded too: LLM.int8 looks for outliers in all rows, and other ways may scale by all."""
    if method == "bitsandbytes":
        return bool(config.get("load_in_8bit"))
    return "weightonly" not in json.dumps(config.get("quant_type")).casefold().replace("_", "")


def refuse_quantised(tensors: Mapping[str, torch.Tensor], what: str) -> None:
    """Check that a cast is enough to use the weights.

    Args:
        tensors: tensors by name, with or without data.
        what: subject of the message.

    Raises:
        ModelUnavailable: the weights have a quantisation format that Easel does not read.
    """
    for name in tensors:
        kind = next((kind for ends, kind in _KINDS if name.endswith(ends)), None)
        if kind is not None:
            raise ModelUnavailable(_refused(what, kind, name))
    for name, tensor in tensors.items():
        if name.endswith(".weight") and not tensor.is_floating_point():
            raise ModelUnavailable(_refused(what, str(tensor.dtype).removeprefix("torch."), name))
        if name.endswith(_WEIGHT_SCALES):
            raise ModelUnavailable(_refused(what, "a scale beside each weight", name))


def _refused(what: str, kind: str, name: str) -> str:
    return (
        f"{what} is quantised ({kind}: {name}), which Easel does not read; take the model in float16, bfloat16 or "
        "as one file in float8."
    )


def is_scaled(names: Iterable[str]) -> bool:
    """True when weights have scales."""
    return any(name.endswith(_WEIGHT_SCALES) or name in _MARKS for name in names)


def take_scales(
    tensors: Mapping[str, torch.Tensor], what: str, dtype: torch.dtype = torch.float32
) -> dict[str, torch.Tensor]:
    """Multiply each weight by its scale, and remove scales and marks.

    This works on tensors without data too, so that a header is checked like the whole file.

    Args:
        tensors: tensors of one file, by name.
        what: subject of the message.
        dtype: precision of the multiplied weights.

    Raises:
        ModelUnavailable: a scale has no weight, does not fit it, or has a format that Easel does not read.
    """
    kept: dict[str, torch.Tensor] = {}
    scales: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        end = next((end for end in _WEIGHT_SCALES if name.endswith(end)), None)
        if end is not None:
            scales[f"{name.removesuffix(end)}.weight"] = tensor
        elif name not in _MARKS and not name.endswith(_UNNEEDED):
            kept[name] = tensor
    for name, scale in scales.items():
        weight = kept.get(name)
        if weight is None or weight.dtype not in FLOAT8:
            raise ModelUnavailable(f"{what} has a scale for {name} that fits no float8 weight; download it again.")
        rows = weight.shape[0] if weight.dim() else 1
        if scale.numel() not in (1, rows):
            raise ModelUnavailable(_refused(what, "float8 in blocks", name))
        shape = [scale.numel(), *[1] * (weight.dim() - 1)] if scale.numel() > 1 else []
        kept[name] = (weight.float() * scale.float().reshape(shape)).to(dtype)
    refuse_quantised(kept, what)
    return kept


def check_formats(path: Path) -> None:
    """Check that all layers with a format note of ComfyUI are in float8; notes are in tensors or in the metadata.

    Raises:
        ModelUnavailable: a layer is in another format.
    """
    what = f"The file {path.name}"
    noted = [name for name in read_header(path) if name.endswith(_COMFY_NOTE)]
    said = read_metadata(path).get("_quantization_metadata")
    try:
        formats = {} if said is None else {name: each["format"] for name, each in json.loads(said)["layers"].items()}
        if noted:
            with safe_open(path, "pt") as file:
                formats |= {name: json.loads(bytes(file.get_tensor(name).tolist()))["format"] for name in noted}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnavailable(f"{what} has notes about its float8 that cannot be read; download it again.") from error
    for name, kind in formats.items():
        if not str(kind).startswith("float8_e"):
            raise ModelUnavailable(_refused(what, str(kind), name))
