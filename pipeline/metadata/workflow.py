"""Reads ComfyUI's workflow format: the graph as drawn in its editor, where most values have an order but no names."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

Table = dict[str, Any]

_UNUSED: Final = (2, 4)
"""Modes of nodes that do not run: muted and bypassed."""
_AFTER_A_SEED: Final = frozenset({"fixed", "increment", "decrement", "randomize"})
"""Values that the editor stores after a seed, for its next change; they are no input of the node."""
_OF_WORDS: Final = ("text", "prompt", "string")
"""Parts of names of nodes whose first text value is a prompt."""

_NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "KSampler": ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
        "KSamplerAdvanced": ("add_noise", "noise_seed", "steps", "cfg", "sampler_name", "scheduler"),
        "SamplerCustom": ("add_noise", "noise_seed", "cfg"),
        "CLIPTextEncode": ("text",),
        "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
        "CLIPTextEncodeSD3": ("clip_l", "clip_g", "t5xxl"),
        "CLIPTextEncodeSDXL": (
            *("width", "height", "crop_w", "crop_h", "target_width", "target_height"),
            *("text_g", "text_l"),
        ),
        "PrimitiveNode": ("value",),
        "EmptyLatentImage": ("width", "height"),
        "EmptySD3LatentImage": ("width", "height"),
        "CheckpointLoaderSimple": ("ckpt_name",),
        "UNETLoader": ("unet_name",),
        "RandomNoise": ("noise_seed",),
        "KSamplerSelect": ("sampler_name",),
        "BasicScheduler": ("scheduler", "steps", "denoise"),
        "CFGGuider": ("cfg",),
        "FluxGuidance": ("guidance",),
    }
)
"""Names of the values of ComfyUI's own nodes, in order (from its nodes.py and comfy_extras)."""


def is_workflow(table: Mapping[str, Any]) -> bool:
    """True for a workflow: it has a list of nodes."""
    return isinstance(table.get("nodes"), list)


def graph_of(workflow: Mapping[str, Any]) -> Table:
    """Convert a workflow to the graph format that `comfyui` reads; values without known names are left out."""
    definitions = workflow.get("definitions")
    inner = _tables(definitions.get("subgraphs")) if isinstance(definitions, dict) else ()
    graph: Table = {}
    for place, part in enumerate((workflow, *inner)):
        sources = _sources(part.get("links"), place)
        for node in _tables(part.get("nodes")):
            links = {
                str(entry.get("name")): sources[link]
                for entry in _tables(node.get("inputs"))
                if isinstance(link := entry.get("link"), int) and link in sources
            }
            kind = "" if node.get("mode") in _UNUSED else str(node.get("type"))
            values = _values(node, kind) if kind else {}
            graph[f"{place}:{node.get('id')}"] = {"class_type": kind, "inputs": values | links}
    return graph


def _values(node: Table, kind: str) -> Table:
    """Values of a node in the editor, by name."""
    given: object = node.get("widgets_values")
    if isinstance(given, dict):
        return cast("Table", given)
    rows: list[Any] = given if isinstance(given, list) else []
    values = [value for value in rows if not (isinstance(value, str) and value in _AFTER_A_SEED)]
    widgets = [entry["widget"] for entry in _tables(node.get("inputs")) if isinstance(entry.get("widget"), dict)]
    names = _NAMES.get(kind) or tuple(str(widget.get("name")) for widget in widgets)
    if kind in _NAMES or len(names) == len(values):
        return dict(zip(names, values, strict=False))
    # Older versions of the editor name only linked values.
    words = next((value for value in values if isinstance(value, str)), None)
    return {"text": words} if words and any(part in kind.lower() for part in _OF_WORDS) else {}


def _sources(links: object, place: int) -> dict[int, list[Any]]:
    """Source of each link, by the link's number; a link is a row, or a table in subgraphs."""
    found: dict[int, list[Any]] = {}
    for link in cast("list[object]", links) if isinstance(links, list) else ():
        row: list[Any] = []
        if isinstance(link, list):
            row = cast("list[Any]", link)[:3]
        elif isinstance(link, dict):
            row = [cast("Table", link).get(name) for name in ("id", "origin_id", "origin_slot")]
        if len(row) == 3 and isinstance(row[0], int) and isinstance(row[2], int):  # noqa: PLR2004 - see above
            found[row[0]] = [f"{place}:{row[1]}", row[2]]
    return found


def _tables(rows: object) -> Iterator[Table]:
    """All tables in a list."""
    for row in cast("list[object]", rows) if isinstance(rows, list) else ():
        if isinstance(row, dict):
            yield cast("Table", row)
