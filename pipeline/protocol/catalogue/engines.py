"""Models that engines of others draw: where, and the workflow of a ComfyUI server."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from pipeline.protocol.capabilities import Capability
from pipeline.protocol.requests import GenerationRequest

_PLACE: Final = re.compile(r"\{([a-z]+)\}")
_COMFY_SAMPLERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Euler": "euler",
        "Euler a": "euler_ancestral",
        "Heun": "heun",
        "LMS": "lms",
        "DPM2": "dpm_2",
        "DPM2 a": "dpm_2_ancestral",
        "DPM++ SDE": "dpmpp_sde",
        "DPM++ 2M": "dpmpp_2m",
        "DPM++ 2M SDE": "dpmpp_2m_sde",
        "DPM++ 3M SDE": "dpmpp_3m_sde",
        "UniPC": "uni_pc",
        "DEIS": "deis",
        "DDIM": "ddim",
        "DDPM": "ddpm",
        "LCM": "lcm",
    }
)
"""ComfyUI's names of samplers, `comfy.samplers.KSAMPLER_NAMES`."""
_COMFY_SCHEDULES: Final[Mapping[str, str]] = MappingProxyType(
    {"Karras": "karras", "Exponential": "exponential", "Beta": "beta"}
)
COMFY_SAMPLERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        **{name: (theirs, "normal") for name, theirs in _COMFY_SAMPLERS.items()},
        **{
            f"{name} {schedule}": (_COMFY_SAMPLERS[name], _COMFY_SCHEDULES[schedule])
            for name, schedules in {
                "Euler": ("Karras", "Exponential", "Beta"),
                "Heun": ("Karras",),
                "LMS": ("Karras",),
                "DPM2": ("Karras",),
                "DPM2 a": ("Karras",),
                "DPM++ SDE": ("Karras",),
                "DPM++ 2M": ("Karras",),
                "DPM++ 2M SDE": ("Karras",),
                "DPM++ 3M SDE": ("Karras",),
                "UniPC": ("Karras",),
                "DEIS": ("Karras",),
            }.items()
            for schedule in schedules
        },
    }
)
"""Easel's samplers, each as a sampler and a scheduler of ComfyUI."""
OWN_SAMPLER: Final = "Model's own"
_NEEDED_PLACES: Final[Mapping[str, Capability]] = MappingProxyType(
    {
        "negative": Capability.NEGATIVE_PROMPT,
        "cfg": Capability.GUIDANCE,
        "steps": Capability.STEPS,
        "sampler": Capability.SAMPLER,
        "seed": Capability.SEED,
    }
)
PLACES: Final = frozenset({"prompt", "width", "height", "scheduler", *_NEEDED_PLACES})
"""Names of places in a workflow."""


class DrawnBy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who draws the pictures of a model, if Easel's own worker does not.

    Attributes:
        engine: name of an engine in the settings (`engines.servers`).
        workflow: a workflow of ComfyUI in API format with named places, absolute once the catalogue is loaded.
        model: the model's name at an image server or service; empty for ComfyUI.
        takes: what that server takes beside a prompt and a size.
        sizes: the only sizes that it draws, as WIDTHxHEIGHT; none says that it draws all.
        previews: unfinished pictures that it sends of each image.
        price: money that one image costs, in the owner's currency. What may have been billed is never drawn again by
            itself.
    """

    engine: str
    workflow: str = ""
    model: str = ""
    takes: tuple[Literal["negative", "steps", "cfg", "seed"], ...] = ()
    sizes: tuple[Annotated[str, Meta(pattern=r"^[1-9][0-9]{1,3}x[1-9][0-9]{1,3}$")], ...] = ()
    previews: Annotated[int, Meta(ge=0, le=3)] = 0
    price: Annotated[float, Meta(ge=0.0)] = 0.0

    @property
    def lacks(self) -> tuple[Capability, ...]:
        """Capabilities that a server lacks which takes no more than that."""
        lacks = [capability for place, capability in _NEEDED_PLACES.items() if place not in self.takes]
        return tuple(lacks)

    def nearest_size(self, width: float, height: float) -> tuple[int, int] | None:
        """The size that it draws whose shape is nearest to this one; None if it draws all sizes."""
        sides = [(int(first), int(second)) for first, _, second in (size.partition("x") for size in self.sizes)]
        return min(sides, key=lambda each: abs(math.log(each[0] / each[1] * height / width)), default=None)


class WorkflowFault(Exception):
    """A workflow cannot be used; the message completes a sentence that begins with its name."""


class Workflow:
    """A workflow of ComfyUI in API format: nodes by their numbers, with places such as `{prompt}` in their inputs.

    Args:
        text: the file's content.

    Raises:
        WorkflowFault: it is none, or it has no place for a prompt.
    """

    def __init__(self, text: str) -> None:
        try:
            nodes = json.loads(text)
        except ValueError as error:
            raise WorkflowFault(f"is no JSON ({error})") from error
        if isinstance(nodes, dict) and "nodes" in nodes and "links" in nodes:
            raise WorkflowFault("is a workflow of the editor; export it again with `Export (API)`")
        if not isinstance(nodes, dict) or not nodes or not all(map(_is_node, nodes.values())):
            raise WorkflowFault("is no workflow in API format; export it from ComfyUI with `Export (API)`")
        self._nodes: dict[str, Any] = nodes
        self.places = frozenset(name for words in _texts(nodes) for name in _PLACE.findall(words)) & PLACES
        if "prompt" not in self.places:
            raise WorkflowFault('has no place "{prompt}"; write it where the words of the prompt belong')

    @property
    def lacks(self) -> tuple[Capability, ...]:
        """Capabilities for which it has no place."""
        lacks = [capability for place, capability in _NEEDED_PLACES.items() if place not in self.places]
        return tuple(lacks)

    @property
    def node_classes(self) -> frozenset[str]:
        """Names of the classes of its nodes."""
        return frozenset(str(node["class_type"]) for node in self._nodes.values())

    def filled(self, request: GenerationRequest) -> dict[str, Any]:
        """The nodes for one image. A text that is nothing but a place becomes the value itself, such as a number."""
        sampler, scheduler = COMFY_SAMPLERS.get(request.scheduler_name, ("euler", "normal"))
        values: dict[str, str | int | float] = {
            "prompt": request.prompt,
            "negative": request.negative_prompt,
            "seed": request.seed,
            "steps": request.num_inference_steps,
            "cfg": request.guidance_scale,
            "width": request.width,
            "height": request.height,
            "sampler": sampler,
            "scheduler": scheduler,
        }
        return {number: _filled(node, values) for number, node in self._nodes.items()}


def _is_node(node: object) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _filled(value: Any, values: Mapping[str, str | int | float]) -> Any:
    if isinstance(value, str):
        whole = _PLACE.fullmatch(value)
        if whole is not None and whole[1] in values:
            return values[whole[1]]
        # One pass, so that braces in a member's words stay words.
        return _PLACE.sub(lambda found: str(values.get(found[1], found[0])), value)
    if isinstance(value, dict):
        return {key: _filled(inner, values) for key, inner in value.items()}
    return [_filled(inner, values) for inner in value] if isinstance(value, list) else value
