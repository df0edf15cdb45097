"""Marks: a checkpoint's statements about its training, as metadata or as tensors without meaning of their own.

NoobAI and related models mark their prediction type by tensors `v_pred` and `ztsnr`, which ComfyUI reads too. Metadata
with the prefix `modelspec.` follow Stability AI's ModelSpec 1.0; kohya's trainer and others write them. The prefix
`ss_` is kohya's own.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.headers import read_header, read_metadata
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.samplers.sampler import Prediction

_PREDICTIONS: Final[Mapping[str, Prediction]] = {
    "epsilon": "epsilon",
    "eps": "epsilon",
    "v": "v_prediction",
    "v_prediction": "v_prediction",
    "v-prediction": "v_prediction",
    "vpred": "v_prediction",
    "v_pred": "v_prediction",
    "sample": "sample",
    "x0": "sample",
}
_OTHER_KINDS: Final = ("edm_mean", "edm_std", "edm_vpred.sigma_max", "edm_vpred.sigma_min")
"""Marks of models that were trained with EDM's noise schedule (Playground 2.5, CosXL)."""
_FAMILIES: Final[tuple[tuple[str, Family], ...]] = (
    ("stable-diffusion-xl", "sdxl"),
    ("stable-diffusion-v1", "sd"),
    ("stable-diffusion-v2", "sd"),
    ("stable-diffusion-v3", "sd3"),
    ("stable-diffusion-3", "sd3"),
)
_YES: Final = ("true", "1", "yes")


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """A file's statements about its training; None stands for no statement.

    Attributes:
        prediction: prediction type.
        zero_snr: True when it was trained with zero terminal SNR, which means from pure noise on.
        clip_skip: text encoder layer that it was trained with, counted from the last as 1.
    """

    prediction: Prediction | None = None
    zero_snr: bool | None = None
    clip_skip: int | None = None


NO_MARKS: Final = Marks()


def read_marks(path: Path, spec: ModelSpec) -> Marks:
    """Read a checkpoint's marks and metadata; the catalogue overrides them.

    Raises:
        ModelUnavailable: the file is marked as another kind of model, or as one that Easel does not support.
    """
    keys, metadata = read_header(path).keys(), read_metadata(path)
    _check_kind(path, spec, keys, metadata)
    prediction = _prediction(path, spec, keys, metadata)
    is_from_noise = "ztsnr" in keys or metadata.get("ss_zero_terminal_snr", "").casefold() in _YES
    # At pure noise only a v-prediction is meaningful. ComfyUI too reads `ztsnr` only together with `v_pred`.
    zero_snr = True if is_from_noise and prediction == "v_prediction" else None
    return Marks(prediction=prediction, zero_snr=zero_snr, clip_skip=_clip_skip(metadata))


def _prediction(path: Path, spec: ModelSpec, keys: Collection[str], metadata: Mapping[str, str]) -> Prediction | None:
    if spec.facts.kind != "diffusion":
        # For flow matching, trainers write prediction types of other families or words of their own.
        return None
    if "v_pred" in keys:
        return "v_prediction"
    said = metadata.get("modelspec.prediction_type", "").strip()
    if said and said.casefold() not in _PREDICTIONS and spec.prediction is None:
        raise ModelUnavailable(
            f"The file {path.name} says that its prediction type is {said[:40]!r}, which Easel does not know; "
            "if you know better, set prediction in the catalogue."
        )
    if said:
        return _PREDICTIONS.get(said.casefold())
    return "v_prediction" if metadata.get("ss_v_parameterization", "").casefold() in _YES else None


def _clip_skip(metadata: Mapping[str, str]) -> int | None:
    said = metadata.get("modelspec.encoder_layer", "")
    return int(said) if re.fullmatch(r"[1-9]|1[0-2]", said) else None


def _check_kind(path: Path, spec: ModelSpec, keys: Collection[str], metadata: Mapping[str, str]) -> None:
    strange = next((key for key in _OTHER_KINDS if key in keys), None)
    if strange is not None:
        raise ModelUnavailable(
            f"The file {path.name} was trained with EDM's noise ({strange}), which Easel's samplers do not know."
        )
    architecture = metadata.get("modelspec.architecture", "").casefold()
    whole, _, part = architecture.partition("/")
    if part:
        raise ModelUnavailable(
            f"The file {path.name} says that it is a {part[:40]} for {whole[:40]}, and not a whole model."
        )
    family = next((family for start, family in _FAMILIES if whole.startswith(start)), None)
    if family is not None and family != spec.family:
        raise ModelUnavailable(
            f'The file {path.name} says that it is {whole[:60]}; set family = "{family}" in the catalogue.'
        )
