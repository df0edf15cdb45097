"""What diffusers' pipeline classes can do: their calls' signatures say most of it, and one table says the rest."""

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import diffusers
import msgspec

from pipeline.engine.families.pipeline_blocks import is_of_blocks
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.limits import NO_GUIDANCE

_TWINS: Final[Mapping[Capability, str]] = MappingProxyType(
    {Capability.INIT_IMAGE: "Img2Img", Capability.MASK: "Inpaint"}
)
"""What diffusers puts before `Pipeline` in the name of a pipeline's twin, which has the same components."""
_NO_EDIT: Final = ("strength", "mask_image", "control_image")
"""Arguments of calls that do something else with a picture than edit it."""
_GIVEN: Final = frozenset(
    {"guidance_scale", "num_inference_steps", "height", "width", "num_images_per_prompt", "generator", "output_type"}
    | {"return_dict", "use_resolution_binning", "max_area", "_auto_resize", "image", "mask_image", "strength", "sigmas"}
    | {"timesteps", "true_cfg_scale", "original_size", "target_size"}
)
"""Arguments that Easel gives itself, or that are lists."""
_GIVEN_BEGINNINGS: Final = ("prompt", "negative_", "ip_adapter", "latents")
_TENSORS: Final = ("_embeds", "_mask", "_kwargs", "latents", "_images")
_TASK_COMPONENTS: Final = ("controlnet", "adapter")
"""Components of pipelines whose picture is a map."""


class PipelineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline class does with guidance and with pictures to edit.

    Attributes:
        guidance: name of the call's argument for the guidance scale; empty when it has none.
        scales: further arguments that get the same scale.
        unguided: value of these arguments that means no guidance. A call that guides from 0 on takes CFG less 1.
        has_guider: True when components guide, and not the call.
        own_sizes: name of the pipeline's attribute from which it chooses a size of its own; empty when it has none.
        usual: further arguments.
        reads_negative: True when the call reads a negative prompt.
        has_second_row: True when guidance takes a second row of each image without a negative prompt.
        guides_always: True when it draws the rows of guidance at every scale; at CFG 1 they cancel out.
        edited: name of its argument for pictures to edit; empty when it edits none.
        takes_list: True when that argument takes several pictures as a list.
        needs_picture: True when it draws nothing without a picture.
        kept: name of its argument that says how much an edit keeps (image guidance); empty when it has none.
        placeholder: what the prompt says of each picture, with its number from 1; empty when it says nothing.
        spreads_steps: True when it draws all its steps from a picture, whatever the strength. Easel then asks it for
            as many steps as others draw.
        copies_picture: True when each image starts from its own copy of the picture; False when the call copies it.
    """

    guidance: str = ""
    scales: tuple[str, ...] = ()
    unguided: float = NO_GUIDANCE
    has_guider: bool = False
    own_sizes: str = ""
    usual: Mapping[str, Any] = MappingProxyType({})
    reads_negative: bool = False
    has_second_row: bool = False
    guides_always: bool = False
    edited: str = ""
    takes_list: bool = False
    needs_picture: bool = False
    kept: str = ""
    placeholder: str = ""
    spreads_steps: bool = False
    copies_picture: bool = True


_KNOWN: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "BriaFibo2Pipeline": {"takes_list": True},
        "BriaFiboEditPipeline": {"takes_list": True},
        # It guides by the other scale, and has no use for the true one.
        "ChromaInpaintPipeline": {"reads_negative": True},
        "DreamLitePipeline": {"guides_always": True},
        # A language model would write the prompt anew, and nobody checks what it writes.
        "ErnieImagePipeline": {"usual": {"use_pe": False}},
        "Flux2KleinKVPipeline": {"takes_list": True},
        "Flux2KleinPipeline": {"takes_list": True, "has_second_row": True},
        "Flux2Pipeline": {"takes_list": True},
        "Flux3DistilledModularPipeline": {"takes_list": True},
        "Flux3ModularPipeline": {"takes_list": True},
        "GlmImagePipeline": {"takes_list": True, "has_second_row": True},
        "HiDreamImagePipeline": {"own_sizes": "default_sample_size"},
        # Distilled models take this scale, the others have a guider.
        "HunyuanImagePipeline": {"guidance": "distilled_guidance_scale"},
        # A schedule of its own stands in the way of a scale.
        "Ideogram4Pipeline": {"usual": {"guidance_schedule": None}, "has_second_row": True, "guides_always": True},
        "Kandinsky5T2IPipeline": {"own_sizes": "resolutions"},
        "KandinskyCombinedPipeline": {"scales": ("prior_guidance_scale",)},
        "KandinskyV22CombinedPipeline": {"scales": ("prior_guidance_scale",)},
        "KandinskyV22InpaintPipeline": {"has_second_row": True},
        "KandinskyV22Pipeline": {"has_second_row": True},
        "Krea2Pipeline": {"unguided": 0.0},
        "LatentConsistencyModelImg2ImgPipeline": {"spreads_steps": True},
        "LongCatImageEditPipeline": {"needs_picture": True},
        "LongCatImagePipeline": {"usual": {"enable_prompt_rewrite": False}},
        "OmniGenPipeline": {
            "edited": "input_images",
            "takes_list": True,
            "kept": "img_guidance_scale",
            "placeholder": "<img><|image_{}|></img>",
            "has_second_row": True,
            "guides_always": True,
        },
        "QwenImage21Pipeline": {"takes_list": True},
        "QwenImageEditPipeline": {"needs_picture": True},
        "QwenImageEditPlusPipeline": {"takes_list": True, "needs_picture": True},
        "StableDiffusionInstructPix2PixPipeline": {"needs_picture": True},
        "StableDiffusionXLInstructPix2PixPipeline": {"needs_picture": True},
        "ZImageImg2ImgPipeline": {"unguided": 0.0},
        "ZImageInpaintPipeline": {"unguided": 0.0},
        "ZImageOmniPipeline": {"takes_list": True, "unguided": 0.0},
        "ZImagePipeline": {"unguided": 0.0},
        # These enlarge their picture, take it apart, or draw a picture like it.
        "HunyuanImageRefinerPipeline": {"edited": "", "needs_picture": True},
        "IFSuperResolutionPipeline": {"edited": "", "needs_picture": True},
        "QwenImageLayeredPipeline": {"edited": "", "needs_picture": True},
        "StableDiffusionLatentUpscalePipeline": {"edited": "", "needs_picture": True},
        "StableDiffusionUpscalePipeline": {"edited": "", "needs_picture": True},
        "StableUnCLIPImg2ImgPipeline": {"edited": "", "needs_picture": True},
        "UniDiffuserPipeline": {"edited": ""},
    }
)
"""Facts about classes that their signatures do not say, by the class's name."""


def facts_of_class(pipeline_class: Any) -> PipelineFacts:
    """Facts about a pipeline class. A class that the table does not know edits its `image`, unless it wants a strength.

    A call may have two guidance scales. Where the true one is above 1 by itself, it is the one that members mean.
    Where it is not, the other one is, and a negative prompt is not read, because Easel gives no second scale.
    """
    parameters = inspect.signature(pipeline_class.__call__).parameters
    true_scale = parameters.get("true_cfg_scale")
    is_true = true_scale is not None and (true_scale.default > NO_GUIDANCE or "guidance_scale" not in parameters)
    guidance = "true_cfg_scale" if is_true else "guidance_scale"
    components = inspect.signature(pipeline_class.__init__).parameters
    is_edit = "image" in parameters and not any(name in parameters for name in _NO_EDIT)
    found: dict[str, Any] = {
        "guidance": guidance if guidance in parameters else "",
        "reads_negative": "negative_prompt" in parameters and (true_scale is None or is_true),
        "edited": "image" if is_edit and not any(name in components for name in _TASK_COMPONENTS) else "",
        # A twin in the catalogue instead of its text-to-image pipeline.
        # A pipeline of blocks takes a picture or does without.
        "needs_picture": "strength" in parameters and "image" in parameters and not is_of_blocks(pipeline_class),
        "copies_picture": not is_of_blocks(pipeline_class),
        "has_guider": "guider" in components,
        "kept": "image_guidance_scale" if "image_guidance_scale" in parameters else "",
    }
    known = found | _KNOWN.get(pipeline_class.__name__, {})
    return PipelineFacts(**(known if known["edited"] else known | {"takes_list": False, "kept": ""}))


def free_arguments(pipeline_class: Any) -> Mapping[str, Any]:
    """Arguments of a pipeline's call that the catalogue may give, with their defaults.

    They are numbers, texts and switches that Easel does not give itself. A default of None takes any of these.
    """
    facts = facts_of_class(pipeline_class)
    given = {facts.guidance, *facts.scales, facts.edited, facts.kept, *_GIVEN}
    return {
        name: parameter.default
        for name, parameter in inspect.signature(pipeline_class.__call__).parameters.items()
        if isinstance(parameter.default, bool | int | float | str | None)
        and name not in given
        and not name.startswith(_GIVEN_BEGINNINGS)
        and "callback" not in name
        and not name.endswith(_TENSORS)
    }


def takes_scale_as_input(pipeline_class: Any) -> bool:
    """True when a pipeline has no use for the guidance scale but to give it to its network."""
    parameters = inspect.signature(pipeline_class.__call__).parameters
    return "true_cfg_scale" in parameters and facts_of_class(pipeline_class).guidance == "guidance_scale"


def class_for(pipeline_class: Any, capability: Capability) -> Any | None:
    """The pipeline class that starts from a picture (`INIT_IMAGE`) or draws a part of it anew (`MASK`).

    It is the twin with the same components, or the class itself. diffusers lists twins in `auto_pipeline`, too. That
    module imports every pipeline that it lists, so the twin's name is made here.

    Returns:
        None when there is no such class.
    """
    parameters = inspect.signature(pipeline_class.__call__).parameters
    if {"image", "strength"} <= parameters.keys():
        own = Capability.MASK if "mask_image" in parameters else Capability.INIT_IMAGE
        return pipeline_class if own is capability else None
    name = pipeline_class.__name__.removesuffix("Pipeline") + _TWINS[capability] + "Pipeline"
    if not hasattr(diffusers, name):
        return None
    twin: Any = getattr(diffusers, name)
    needed = [
        name
        for name, parameter in inspect.signature(twin.__init__).parameters.items()
        if name != "self" and parameter.default is inspect.Parameter.empty
    ]
    return twin if {*needed} <= inspect.signature(pipeline_class.__init__).parameters.keys() else None


def lacks_of_class(pipeline_class: Any) -> tuple[Capability, ...]:
    """Capabilities that a pipeline class does not have."""
    facts = facts_of_class(pipeline_class)
    has = {
        Capability.GUIDANCE: bool(facts.guidance) or facts.has_guider,
        Capability.NEGATIVE_PROMPT: facts.reads_negative,
        Capability.INIT_IMAGE: class_for(pipeline_class, Capability.INIT_IMAGE) is not None,
        Capability.MASK: class_for(pipeline_class, Capability.MASK) is not None,
        Capability.TEXT_TO_IMAGE: not facts.needs_picture,
        Capability.EDIT: bool(facts.edited),
        Capability.SEVERAL_PICTURES: facts.takes_list,
        Capability.EDIT_STRENGTH: bool(facts.kept),
        Capability.UNCONDITIONAL_ROW: facts.reads_negative or facts.has_second_row,
        Capability.UNGUIDED: not facts.guides_always,
    }
    return tuple(capability for capability, is_there in has.items() if not is_there)
