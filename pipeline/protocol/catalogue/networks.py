"""Entries of the owner's catalogue beside the models, and the sources of all weights."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from pipeline.protocol import limits

Part = Annotated[float, Meta(ge=0.0, le=1.0)]
Scale = Annotated[float, Meta(ge=0.0, le=limits.MAX_NETWORK_SCALE)]
Work = Annotated[float, Meta(gt=0.0)]
ModelKey = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Family = Literal["sd", "sdxl", "sd3", "z-image", "flux2", "flux", "pipeline", "engine", "service"]
"""Architectures: `sd` is Stable Diffusion 1.x and 2.x, `sdxl` Stable Diffusion XL, `sd3` Stable Diffusion 3 and 3.5.
`z-image` is Z-Image, the distilled Turbo and the base model. `flux2` is FLUX.2: klein, its base models and dev.
`flux` is FLUX.1 dev and schnell, and Chroma.

`pipeline` is any other text-to-image model of diffusers; it runs as a whole pipeline. `engine` is a model that an
engine of others draws by a workflow, `service` one of an image server or service. No entry names these two.
"""


WeightStorage = Literal["float8", "int8", "nf4"]
"""How weights are kept on the device, if not in the precision of the forward pass."""


class FolderSource(
    msgspec.Struct, frozen=True, kw_only=True, tag="folder", tag_field="kind", forbid_unknown_fields=True
):
    """A diffusers folder on disk; `path` is absolute once the catalogue is loaded."""

    path: str


class FileSource(msgspec.Struct, frozen=True, kw_only=True, tag="file", tag_field="kind", forbid_unknown_fields=True):
    """One .safetensors checkpoint as A1111 and ComfyUI use them.

    `config` names a local folder with the component configurations (the diffusers layout without weights),
    needed when the machine cannot download them from a hub.
    """

    path: str
    config: str | None = None


class HubSource(msgspec.Struct, frozen=True, kw_only=True, tag="hub", tag_field="kind", forbid_unknown_fields=True):
    """A repository of the Hugging Face hub, pinned to a revision so that pictures stay reproducible."""

    repo_id: str
    revision: str


Source: TypeAlias = FolderSource | FileSource | HubSource
"""Place of a network's weights."""
NO_SOURCE: Final = FolderSource(path="")
"""Stands for the weights of a model that an engine of others draws."""


class Enlarger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A small upscaling network that runs on every finished image of a model.

    Attributes:
        path: its .safetensors file, absolute once the catalogue is loaded; spandrel must know its architecture.
        scale: factor between the sides of the delivered image and those that the model draws.
    """

    path: str
    scale: Annotated[int, Meta(ge=2, le=8)]


class UpscalerSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the catalogue: a network that enlarges any picture.

    Attributes:
        key: the name in the database; never reused for other weights, and no model has the same.
        title: the name that members see.
        path: its .safetensors file, absolute once the catalogue is loaded; spandrel must know its architecture.
        license: one line about the licence's terms, shown to the owner and in a picture's details.
        scale: factor between the sides of the network's result and those of its input; the worker compares it with the
            file.
        cost: computing work in TFLOP for a million pixels that the network makes, as torch's FlopCounterMode counts it.
            The default is that of the shipped upscaler.
    """

    key: ModelKey
    title: str
    path: str
    license: str
    scale: Annotated[int, Meta(ge=2, le=8)] = 4
    cost: Annotated[float, Meta(gt=0.0)] = 0.078

    def made_pixels(self, pixels: int, scale: int) -> int:
        """Pixels that the network makes in all of its rounds to enlarge a picture of so many pixels."""
        return pixels * sum(self.scale ** (2 * number) for number in range(1, rounds_to(scale, self.scale) + 1))


def rounds_to(scale: int, network_scale: int) -> int:
    """Number of times that a network is applied until a scale is reached; a filter makes larger results smaller."""
    return 1 if network_scale >= scale else 1 + rounds_to(-(-scale // network_scale), network_scale)


CutoutFamily = Literal["u2net", "isnet", "birefnet"]


class CutoutSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the catalogue: a network that finds the foreground of a picture.

    Attributes:
        key: the name in the database; never reused for other weights, and no other entry has the same.
        title: the name that members see.
        path: its .onnx file, absolute once the catalogue is loaded.
        license: one line about the licence's terms, shown to the owner and in a picture's details.
        family: the architecture, from which size and range of the network's input follow. U2-Net-p and other networks
            of U2-Net's authors are `u2net`.
        cost: computing work in TFLOP for one picture, whatever its size. The default is a round number for networks of
            these families.
    """

    key: ModelKey
    title: str
    path: str
    license: str
    family: CutoutFamily
    cost: Annotated[float, Meta(gt=0.0)] = 0.1


ControlFamily = Literal["sd", "sdxl"]
ControlKind = Literal["controlnet", "controlnet-union", "t2i-adapter"]
ControlUse = Literal["lines", "scribble", "depth", "pose"]
Preprocessor = Literal["canny", "scribble", "depth", "pose", "none"]
ReferenceUse = Literal["style", "subject", "composition", "face"]
_NET_WORK: Final[Mapping[ControlFamily, float]] = MappingProxyType({"sd": 0.283, "sdxl": 0.755})
_ADAPTER_WORK: Final = 0.06


class FaceSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the catalogue: a network that repairs faces in an enlarged picture.

    Attributes:
        key: the name in the database; never reused for other weights, and no other entry has the same.
        title: the name that members see.
        path: its .safetensors file, absolute once the catalogue is loaded, of GFPGAN, RestoreFormer or CodeFormer.
        license: one line about the licence's terms, shown to the owner.
        strength: part of the drawn face in the repaired one, from 0 to 1; the rest is the face as it was.
        cost: computing work in TFLOP for one face. The default is that of GFPGAN.
    """

    key: ModelKey
    title: str
    path: str
    license: str
    strength: Annotated[float, Meta(ge=0.0, le=1.0)] = 1.0
    cost: Annotated[float, Meta(gt=0.0)] = 0.396


class ControlSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the catalogue: a network by which a model follows the lines, the depth or the pose of a picture.

    Attributes:
        key: the name in the database; never reused for other weights, and no other entry has the same.
        title: the name that members see.
        source: place of its weights.
        family: architecture of the models that it was trained for.
        kind: a ControlNet, a ControlNet of several kinds of maps (Union), or a T2I-Adapter.
        use: what it follows; a Union network has an entry for each use.
        preprocessor: makes its map from a picture; `none` takes every picture as a map.
        preprocessor_model: the model for `depth` or `pose`, which transformers reads; None for others.
        license: one line about the licence's terms, shown to the owner and in a picture's details.
        scale: its scale for members who give no strength.
        start: fraction of the steps after which it has an effect.
        end: fraction of the steps after which it has none any more.
        guess: act on the rows with the prompt alone, and less in finer layers (guess mode).
        union_type: number of its kind of map in a Union network; None for others.
        cost: computing work in TFLOP for P = pixels / 512^2: of a net for each row, of an adapter once for each job.
            None is the count of torch's FlopCounterMode for the published networks of its family.
    """

    key: ModelKey
    title: str
    source: Source
    family: ControlFamily
    kind: ControlKind
    use: ControlUse
    preprocessor: Preprocessor
    preprocessor_model: FolderSource | HubSource | None = None
    license: str
    scale: Scale = 1.0
    start: Part = 0.0
    end: Part = 1.0
    guess: bool = False
    union_type: Annotated[int, Meta(ge=0)] | None = None
    cost: Work | None = None

    @property
    def work(self) -> float:
        """Its cost, or the usual one of its kind and family."""
        if self.cost is not None:
            return self.cost
        return _ADAPTER_WORK if self.kind == "t2i-adapter" else _NET_WORK[self.family]


class ReferenceSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the catalogue: an IP-Adapter, by which a model takes style or subject of a picture.

    Its effect ends after half of the steps by default, which leaves room for the prompt. These are the numbers of
    Fooocus (`modules/flags.py`).

    Attributes:
        key: the name in the database; never reused for other weights, and no other entry has the same.
        title: the name that members see.
        source: its .safetensors file.
        encoder: folder of the CLIP vision model of transformers that reads the pictures.
        family: architecture of the models that it was trained for.
        uses: what members may take with it. Faces are those of real people, so `face` is only for an owner who says so.
        license: one line about the licence's terms, shown to the owner and in a picture's details.
        scale: its scale for members who give no strength.
        start: fraction of the steps after which it has an effect.
        end: fraction of the steps after which it has none any more.
        cost: computing work of the encoder in TFLOP for one picture. The default is that of CLIP ViT-H/14, two
            operations for each of 0.63 billion weights and 257 tokens.
    """

    key: ModelKey
    title: str
    source: FileSource
    encoder: FolderSource | HubSource
    family: ControlFamily
    uses: Annotated[tuple[ReferenceUse, ...], Meta(min_length=1)]
    license: str
    scale: Scale = 0.6
    start: Part = 0.0
    end: Part = 0.5
    cost: Work = 0.324


GuideSpec: TypeAlias = ControlSpec | ReferenceSpec
"""A network of the catalogue by which a model heeds a picture, and which the `network` of an input names."""


class TextMaskSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The catalogue's entry of a model that marks what words name: a CLIPSeg model.

    Attributes:
        path: its folder, absolute once the catalogue is loaded.
        license: one line about the licence's terms, shown to the owner.
        threshold: probability from which a pixel is marked.
    """

    path: str
    license: str
    threshold: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.4
