"""Computing work of models, from which prices follow, and the usual work of each family and pipeline class."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from pipeline.protocol.catalogue.networks import Family, HubSource, Source

Tflop = Annotated[float, Meta(ge=0.0)]


class Cost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Computing work of a model. The values are fixed, so that prices never depend on the load.

    The unit is TFLOP, as counted by torch's FlopCounterMode, and P = pixels / 512^2. The defaults are those of Stable
    Diffusion 1.5, measured from 256 to 1,024 pixels.

    Attributes:
        row_constant: one forward pass of one row, whatever its size: the tokens of a transformer's text.
        row_linear: one forward pass of one row, for each P.
        row_quadratic: attention in one forward pass of one row, for each P^2.
        decode: decoding and enlarging of one image, for each P.
        encode: encoding of one picture that a job starts from, for each P.
        text: encoding of the prompts, once for each job.
    """

    row_constant: Tflop = 0.0
    row_linear: Annotated[float, Meta(gt=0.0)] = 0.6815
    row_quadratic: Tflop = 0.1215
    decode: Tflop = 2.51
    encode: Tflop = 1.12
    text: Tflop = 0.026


def _row(constant: float, linear: float, quadratic: float, text: float) -> Cost:
    """Work of a transformer whose autoencoder is as large as that of Stable Diffusion."""
    return Cost(row_constant=constant, row_linear=linear, row_quadratic=quadratic, text=text)


# A row was counted at 512, 768 and 1,024 pixels on the published widths. The text encoder's work is twice its
# parameters for each token of a prompt.
_FLUX: Final = _row(6.8, 13.96, 0.733, 4.9)
_FLUX_2: Final = _row(28.6, 57.7, 1.44, 24.6)
_KLEIN: Final = _row(3.2, 6.61, 0.320, 4.1)
_KLEIN_9B: Final = _row(7.3, 14.85, 0.549, 8.2)
_QWEN: Final = _row(1.8, 14.1, 0.77, 1.4)
_Z_IMAGE: Final = _row(1.4, 11.7, 0.51, 0.8)
_KREA: Final = _row(3.7, 25.1, 0.72, 1.0)
_SD3: Final = _row(0.5, 1.75, 0.24, 2.7)
_SDXL: Final = Cost(row_linear=1.557, row_quadratic=0.0333, text=0.13)

_OF_FAMILY: Final[Mapping[Family, Cost]] = MappingProxyType(
    {
        "sd": Cost(),
        "sdxl": _SDXL,
        "sd3": _SD3,
        "z-image": _Z_IMAGE,
        "flux2": _KLEIN,
        "flux": _FLUX,
        "pipeline": _Z_IMAGE,
        "engine": _Z_IMAGE,
        "service": _Z_IMAGE,
    }
)
"""A model of an unknown kind costs what Z-Image costs: today's models are large."""
_OF_SEVERAL_SIZES: Final[frozenset[Family]] = frozenset({"flux2", "pipeline"})
"""Families whose models differ in size, so that the class or the repository's name tells the work."""
_OF_CLASS: Final[Mapping[str, Cost]] = MappingProxyType(
    {
        "Anima": _row(0.1, 3.5, 0.24, 0.6),
        "AuraFlow": _row(2.19, 8.59, 0.464, 0.6),
        "Chroma": _FLUX,
        "CogView4": _row(2.56, 11.76, 0.481, 4.2),
        "Flux2Klein9B": _KLEIN_9B,
        "Flux2Klein": _KLEIN,
        "Flux2": _FLUX_2,
        "Flux": _FLUX,
        "Kolors": _SDXL,
        "Krea2": _KREA,
        "LatentConsistencyModel": Cost(),
        "PixArt": _row(0.048, 1.105, 0.135, 2.8),
        "QwenImage": _QWEN,
        "Sana": _row(0.127, 0.71, 0.0, 1.6),
        "StableDiffusion3": _SD3,
        "StableDiffusionXL": _SDXL,
        "StableDiffusion": Cost(),
        "ZImage": _Z_IMAGE,
    }
)
"""Work by the beginning of a pipeline class's name; the first that fits is taken."""
_OF_REPOSITORY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "anima": "Anima",
        "auraflow": "AuraFlow",
        "chroma": "Chroma",
        "cogview4": "CogView4",
        "flux.2-klein-9b": "Flux2Klein9B",
        "flux.2-klein-base-9b": "Flux2Klein9B",
        "flux.2-klein": "Flux2Klein",
        "flux.2": "Flux2",
        "flux": "Flux",
        "kolors": "Kolors",
        "krea-2": "Krea2",
        "lcm": "LatentConsistencyModel",
        "pixart": "PixArt",
        "qwen-image": "QwenImage",
        "sana": "Sana",
        "z-image": "ZImage",
    }
)
"""Beginning of a class's name by a part of a repository's name, for models that are not downloaded yet."""


def usual_cost(family: Family, source: Source, pipeline_class: str = "") -> Cost:
    """Work of a model whose entry in the catalogue has no `[model.cost]`.

    Args:
        family: the entry's family.
        source: place of its weights. The name of a repository or folder tells the class of a whole pipeline, if the
            class is not known.
        pipeline_class: class of a whole pipeline in diffusers; empty if it is not known.
    """
    if family not in _OF_SEVERAL_SIZES:
        return _OF_FAMILY[family]
    place = (source.repo_id if isinstance(source, HubSource) else source.path).casefold()
    told = next((name for part, name in _OF_REPOSITORY.items() if part in place), "")
    # A repository's name says more than the class, if both speak of one model: 9B beside 4B.
    known = told if told.startswith(pipeline_class.removesuffix("Pipeline")) else pipeline_class
    return next((cost for name, cost in _OF_CLASS.items() if known.startswith(name)), _OF_FAMILY[family])
