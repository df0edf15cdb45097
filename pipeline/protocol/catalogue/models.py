"""Entries of the owner's catalogue: a model's files, and what members may request from it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from pipeline.protocol import limits
from pipeline.protocol.capabilities import EDITING, IN_STEPS, PIPELINES, USUAL, WITH_UNET, Capability
from pipeline.protocol.catalogue.costs import Cost, usual_cost
from pipeline.protocol.catalogue.engines import DrawnBy
from pipeline.protocol.catalogue.networks import (
    NO_SOURCE,
    CutoutSpec,
    Enlarger,
    FaceSpec,
    Family,
    FolderSource,
    HubSource,
    ModelKey,
    Part,
    Source,
    UpscalerSpec,
    WeightStorage,
)
from pipeline.protocol.samplers.sampler import NoiseSchedule, Prediction, SamplerKind
from pipeline.protocol.samplers.table import SAMPLERS, offered_samplers

Steps = Annotated[int, Meta(ge=limits.MIN_STEPS, le=limits.MAX_STEPS)]
Guidance = Annotated[float, Meta(ge=limits.MIN_GUIDANCE_SCALE, le=limits.MAX_GUIDANCE_SCALE)]
Side = Annotated[int, Meta(ge=limits.MIN_SIDE, le=limits.MAX_SIDE, multiple_of=limits.SIZE_MULTIPLE)]


class FamilyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about an architecture that the bot needs.

    Attributes:
        kind: kind of the samplers that work with it.
        size_multiple: width and height must be multiples of this number of pixels.
        has_weights: True when words in a prompt can have weights; otherwise brackets are plain text.
        capabilities: capabilities of its models, unless their entries or files say otherwise.
        rounds_steps_up: True when a strength that gives a fraction of a step draws that step too. diffusers' pipelines
            of flow models do so; those of diffusion models leave it out.
        edits_lengthen: True when the pictures of an edit stand beside the drawn one in each row of the network.
    """

    kind: SamplerKind = "diffusion"
    size_multiple: int = limits.SIZE_MULTIPLE
    has_weights: bool = True
    capabilities: frozenset[Capability] = IN_STEPS
    rounds_steps_up: bool = False
    edits_lengthen: bool = False


_FLOW: Final = FamilyFacts(kind="flow", size_multiple=16, has_weights=False, rounds_steps_up=True)
FAMILY_FACTS: Mapping[Family, FamilyFacts] = MappingProxyType(
    {
        "sd": FamilyFacts(capabilities=WITH_UNET),
        "sdxl": FamilyFacts(capabilities=WITH_UNET),
        **dict.fromkeys(("sd3", "z-image", "flux2", "flux"), _FLOW),
        # The largest multiple of all known pipelines, because a pipeline reports its own only when it runs. It rounds
        # steps as its scheduler wants; rounded up, the price is one step too high at most.
        "pipeline": FamilyFacts(
            kind="own",
            size_multiple=32,
            has_weights=False,
            capabilities=PIPELINES,
            rounds_steps_up=True,
            edits_lengthen=True,
        ),
        "engine": FamilyFacts(capabilities=USUAL | {Capability.TEXT_TO_IMAGE, Capability.UNGUIDED}),
        "service": FamilyFacts(has_weights=False, capabilities=USUAL | {Capability.TEXT_TO_IMAGE, Capability.UNGUIDED}),
    }
)


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Default values of a request; members cannot change all of them.

    Attributes:
        steps: number of denoising steps.
        cfg: guidance scale.
        width: width in pixels that the model draws.
        height: height in pixels that the model draws.
        sampler: name of one of the model's samplers.
        images: number of images in a job.
        guidance_start: fraction of all drawn steps after which guidance begins.
        guidance_end: fraction of all drawn steps after which guidance ends; steps without guidance cost half as much.
        guidance_rescale: fraction of guidance's additional contrast that is removed, from 0 to 1.
    """

    steps: Steps = 20
    cfg: Guidance = 7.0
    width: Side = 512
    height: Side = 512
    sampler: str = "DPM++ 2M Karras"
    images: Annotated[int, Meta(ge=limits.MIN_IMAGES, le=limits.MAX_IMAGES)] = 1
    guidance_start: Part = 0.0
    guidance_end: Part = 1.0
    guidance_rescale: Part = 0.0


class Bounds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits for members' requests to this model. Sides and pixels are those that the model draws."""

    max_steps: Steps = 50
    max_cfg: Guidance = limits.MAX_GUIDANCE_SCALE
    min_side: Side = 256
    max_side: Side = 1_024
    max_pixels: Annotated[int, Meta(ge=limits.MIN_SIDE**2)] = 1_024 * 1_024
    max_images: Annotated[int, Meta(ge=limits.MIN_IMAGES, le=limits.MAX_IMAGES)] = limits.MAX_IMAGES
    max_refined_pixels: Annotated[int, Meta(ge=limits.MIN_SIDE**2)] = 1_024 * 1_024
    """Greatest number of pixels of an upscaled picture with a second pass; larger ones are only resampled."""


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Vocabulary of a model that knows few words, so that members are told about unknown words in their prompts.

    Attributes:
        path: a JSON file with the other fields, absolute once the catalogue is loaded.
        things: things that it can draw, as members are told.
        colors: colors of the things.
        places: backgrounds of the things.
        styles: styles of the pictures.
        words: every word that it knows, in lower case.
        alike: names of things; a prompt of only these words gives similar pictures for every seed.
        examples: prompts that show what it can do.
    """

    path: str
    things: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    alike: frozenset[str] = frozenset()
    examples: tuple[str, ...] = ()


class ModelLora(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A LoRA that a model always has, such as one that lets it draw in few steps (LCM, Lightning, Hyper, DMD2).

    Attributes:
        path: its .safetensors file, absolute once the catalogue is loaded.
        scale: the weight with which it is added.
    """

    path: str
    scale: Annotated[float, Meta(gt=0.0, le=2.0)] = 1.0


CallValue = bool | int | float | str
"""Value of an argument in `[model.call]`."""


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the catalogue.

    Attributes:
        key: the name in commands and in the database; never reused for other weights.
        title: the name that members see.
        source: place of the weights.
        family: architecture, which selects the step adapter.
        license: one line about the licence's terms, shown to the owner and in the model's details.
        lacks: capabilities of its family that this model does not have.
        samplers: names of offered samplers; empty offers every sampler that works with its family.
        cost: computing work, from which a job's price follows; None takes the usual one, as `work` does.
        preview_decoder: an AutoencoderTiny for the model's latents (such as TAESD), for detailed previews.
        refine_strength: part of the steps in an upscale's second pass; 0 only resamples. Creative ones multiply it.
        refine_cfg: greatest guidance scale of that second pass, and the one of a creative upscale; None takes the usual
            one. A model that draws its whole prompt in every tile, or beside what is there, needs a lower one.
        vocabulary: vocabulary of a model that knows few words; None for others.
        prediction: prediction type, if the model's files name none or a wrong one.
        zero_snr: True when it was trained from pure noise on (zero terminal SNR); None takes what its files say.
        vae: VAE that replaces the one in the model's files, or that they lack.
        edits: True for an instruct model in steps (InstructPix2Pix), which changes a picture as the words say.
        clip_skip: layer of the text encoders to use, counted from the last as 1; None takes what a file or family says.
        call: further arguments for the call of a whole pipeline, by their names in diffusers.
        weights: how weights are kept on the device, by component in diffusers; others in the forward pass's precision.
        lora: a LoRA that it always has, beside those that members choose; None for none.
        text_encoder_rests: whether its text encoders wait in RAM; None leaves that to the worker and its budget.
        first_block_cache: change of the first block's output below which a whole pipeline skips the others in a step.
        offload: `blocks` keeps its denoising network in RAM, from where block after block comes to the device.
        drawn_by: who draws its pictures, if our worker does not; None for a model with a source and a family.
    """

    key: ModelKey
    title: str
    source: Source = NO_SOURCE
    family: Family = "engine"
    license: str
    description: str = ""
    lacks: tuple[Capability, ...] = ()
    defaults: Defaults = Defaults()
    bounds: Bounds = Bounds()
    samplers: tuple[str, ...] = ()
    enlarger: Enlarger | None = None
    preview_decoder: FolderSource | HubSource | None = None
    cost: Cost | None = None
    refine_strength: Part = 0.3
    refine_cfg: Guidance | None = None
    vocabulary: Vocabulary | None = None
    prediction: Prediction | None = None
    zero_snr: bool | None = None
    vae: Source | None = None
    clip_skip: Annotated[int, Meta(ge=1, le=limits.MAX_CLIP_SKIP)] | None = None
    edits: bool = False
    call: dict[str, CallValue] = {}
    weights: dict[str, WeightStorage] = {}
    lora: ModelLora | None = None
    text_encoder_rests: bool | None = None
    offload: Literal["blocks"] | None = None
    first_block_cache: Annotated[float, Meta(gt=0.0, le=1.0)] | None = None
    drawn_by: DrawnBy | None = None

    @property
    def facts(self) -> FamilyFacts:
        """Facts about its family, or about the variant of it that edits pictures."""
        facts = FAMILY_FACTS[self.family]
        return msgspec.structs.replace(facts, capabilities=EDITING) if self.edits else facts

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Capabilities of the model; at a guidance scale of at most 1, guidance and negative prompt have no effect."""
        if self.bounds.max_cfg <= limits.NO_GUIDANCE:
            return self.facts.capabilities - {*self.lacks, Capability.GUIDANCE, Capability.NEGATIVE_PROMPT}
        return self.facts.capabilities.difference(self.lacks)

    def can(self, capability: Capability | None) -> bool:
        """Whether the model has a capability; every model has None."""
        return capability is None or capability in self.capabilities

    @property
    def has_concepts(self) -> bool:
        """True when several prompts can guide a picture at once (`AND`): by rows beside that of a negative prompt."""
        return self.is_stepped and self.can(Capability.NEGATIVE_PROMPT)

    @property
    def has_sums(self) -> bool:
        """True when words can be added up (`= a - b + c`): token by token, which a text read as a whole has not."""
        return self.is_stepped and self.facts.has_weights

    @property
    def has_morphs(self) -> bool:
        """True when a picture can lie between two prompts; texts of other families have no common length."""
        return self.family in ("sd", "sdxl", "sd3")

    @property
    def is_stepped(self) -> bool:
        """True when Easel runs each step itself; a whole pipeline and another program show no step."""
        return self.family != "pipeline" and self.drawn_by is None

    def delivered(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the delivered image in pixels, for the width and height that the model draws."""
        scale = 1 if self.enlarger is None else self.enlarger.scale
        return width * scale, height * scale

    @property
    def work(self) -> Cost:
        """Its cost, or the usual one of its family or of the pipeline that its source names."""
        return self.cost or usual_cost(self.family, self.source)

    @property
    def offered_samplers(self) -> tuple[str, ...]:
        """Names of the offered samplers, in the order in which members see them."""
        return self.fitting_samplers(self.schedule)

    @property
    def schedule(self) -> NoiseSchedule:
        """Noise schedule according to the catalogue; the model's files may give more details."""
        return NoiseSchedule(prediction=self.prediction or "epsilon", is_zero_snr=bool(self.zero_snr))

    def fitting_samplers(self, schedule: NoiseSchedule) -> tuple[str, ...]:
        """Names of the offered samplers that support a noise schedule."""
        if not self.samplers:
            return offered_samplers(self.facts.kind, schedule)
        return tuple(name for name in self.samplers if SAMPLERS[name].honours(schedule))

    def narrowed(self, samplers: tuple[str, ...] | None, lacks: Iterable[Capability] = ()) -> "ModelSpec":
        """Copy of the entry with fewer samplers and capabilities, and defaults that fit them.

        Args:
            samplers: the remaining samplers; the first replaces a default sampler that is not among them. None keeps
                all.
            lacks: capabilities that the model does not have either. Without guidance, its default scale is at most 1.
        """
        usual = self.defaults
        if samplers is not None and usual.sampler not in samplers:
            usual = msgspec.structs.replace(usual, sampler=samplers[0])
        lost = tuple(dict.fromkeys((*self.lacks, *lacks)))
        if Capability.GUIDANCE in lost:
            usual = msgspec.structs.replace(usual, cfg=min(usual.cfg, limits.NO_GUIDANCE))
        kept = self.samplers if samplers is None else samplers
        return msgspec.structs.replace(self, samplers=kept, lacks=lost, defaults=usual)


Entry: TypeAlias = ModelSpec | UpscalerSpec | FaceSpec | CutoutSpec
"""An entry of the catalogue whose weights a worker loads."""
