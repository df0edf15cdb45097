"""Detects which tool wrote the texts of a file, and reads its generation parameters."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pipeline.metadata import comfyui, workflow
from pipeline.metadata.made import Made, made_of
from pipeline.metadata.texts import COMMENT

Table = dict[str, Any]

_PLAIN: Final = ("parameters", COMMENT, "xpcomment", "prompt", "imagedescription", "description", "comment")
"""Keys of plain texts that need no parsing, most informative first."""

_TABLES: Final = (
    *("parameters", "invokeai_metadata", "sd-metadata", COMMENT, "xpcomment", "comment", "prompt", "workflow"),
)
"""Keys of JSON tables, most informative first: a graph of executed nodes says more than a workflow."""

_LABELED: Final = re.compile(r"(\w{2,40}): ?(?=\{)")
"""Pattern of the name that ComfyUI writes before JSON in an EXIF tag."""

_MARKS: Final = {
    "Fooocus": ("metadata_scheme", "base_model", "Base Model"),
    "InvokeAI": ("positive_prompt", "invokeai_metadata"),
    "Easy Diffusion": ("use_stable_diffusion_model", "Stable Diffusion model"),
}
"""Keys that occur only in one tool's flat tables, by tool."""

_COSTS: Final = {"{": 240, "[": 80, ":": 110, ",": 50}
"""Bytes of memory in Python for what a character may start: a table, a list, a key, a value."""
_MOST_MEMORY: Final = 20 * 1024 * 1024
"""Greatest memory of a parsed table in bytes. A workflow of a megabyte takes a third of it."""

_DREAM: Final = {"A": "sampler", "C": "cfg_scale", "H": "height", "s": "steps", "S": "seed", "W": "width"}
_BRACKETS: Final = re.compile(r"\[([^\[\]]*)\]")


def parameters_from(texts: Mapping[str, str]) -> str | None:
    """Generation parameters in the texts of a file; None when there are none.

    Args:
        texts: texts by their keys in lower case.
    """
    words = {key: text.strip() for key, text in texts.items() if text.strip()}
    for text in tuple(words.values()):
        label = _LABELED.match(text)
        if label is not None:
            words.setdefault(label[1].lower(), text[label.end() :])
    made = _made(words)
    if made is not None:
        return made.as_text()
    plain = [words[key] for key in _PLAIN if key in words]
    return next((text for text in plain if not _is_table(text)), None) or next(iter(plain), None)


def _made(words: Mapping[str, str]) -> Made | None:
    """Parameters in tables and in tools' own formats; None when the texts are plain.

    Only one table at a time is in memory.
    """
    if "parameters" in words and not _is_table(words["parameters"]):
        return None
    if "description" in words and (comment := _table(words.get("comment"))) is not None:
        return _of_novelai(comment, words["description"])
    for key in (*(key for key in _TABLES if key in words), *(key for key in words if key not in _TABLES)):
        if (made := _of_table(_table(words[key]))) is not None:
            return made
    if "dream" in words:
        return _of_dream(words["dream"])
    # Easy Diffusion writes a separate text for each value.
    made = made_of(words, _tool_of(words))
    return made if made is not None and made.settings else None


def _of_table(table: Table | None) -> Made | None:
    """Parameters in one JSON table, whose structure shows the tool."""
    if table is None:
        return None
    shapes: tuple[tuple[bool, Callable[[], Made | None]], ...] = (
        ("sui_image_params" in table, lambda: _inside(table["sui_image_params"], "SwarmUI")),
        (isinstance(table.get("Comment"), str), lambda: _of_wrapped_novelai(table)),
        ("uc" in table and "c" not in table, lambda: _of_novelai(table, "")),
        ("c" in table, lambda: made_of(table, "Draw Things")),
        ("extraMetadata" in table, lambda: _inside(_table(table["extraMetadata"]), "Civitai")),
        (isinstance(table.get("image"), dict), lambda: _of_sd_metadata(table)),
        (comfyui.is_graph(table), lambda: comfyui.made_by(table)),
        (workflow.is_workflow(table), lambda: comfyui.made_by(workflow.graph_of(table))),
    )
    for is_it, read in shapes:
        if is_it and (made := read()) is not None:
            return made
    return made_of(table, _tool_of(table))


def _tool_of(table: Mapping[str, Any]) -> str:
    known = {key.lower() for key in table}
    return next((tool for tool, marks in _MARKS.items() if any(mark.lower() in known for mark in marks)), "")


def _inside(values: object, tool: str) -> Made | None:
    table: Table | None = values if isinstance(values, dict) else None
    return None if table is None else made_of(table, tool)


def _of_wrapped_novelai(table: Table) -> Made | None:
    """Parameters in the table that NovelAI hides in the pixels; it contains all its text chunks."""
    inner = _table(table["Comment"])
    return None if inner is None else _of_novelai(inner, str(table.get("Description", "")))


def _of_novelai(table: Table, description: str) -> Made | None:
    """Parameters in NovelAI's comment; its fourth version also has a prompt for each character."""
    prompts = [str(table.get("prompt") or description), *_figures(table.get("v4_prompt"))]
    negatives = [str(table.get("uc") or ""), *_figures(table.get("v4_negative_prompt"))]
    prompt, negative = ("\n".join(filter(None, (words.strip() for words in side))) for side in (prompts, negatives))
    table.update(prompt=prompt, uc=negative)
    return made_of(table, "NovelAI")


def _figures(prompt: object) -> list[str]:
    """Prompts of single characters."""
    caption: Any = prompt.get("caption") if isinstance(prompt, dict) else None
    found: Any = caption.get("char_captions") if isinstance(caption, dict) else None
    figures: list[Any] = found if isinstance(found, list) else []
    return [str(one.get("char_caption", "")) for one in figures if isinstance(one, dict)]


def _of_sd_metadata(table: Table) -> Made | None:
    """Parameters in InvokeAI's second format: the request is under `image`, and the model beside it."""
    image: Table = table["image"]
    made = made_of({"model_weights": table.get("model_weights"), **image}, "InvokeAI")
    return None if made is None else _parted(made)


def _of_dream(dream: str) -> Made | None:
    """Parameters in InvokeAI's first format: a command line."""
    quoted = re.match(r'\s*"(.*?)"(?=\s+-|\s*$)', dream, re.DOTALL)
    if quoted is None:
        return None
    options = re.findall(r"\s-(\w)\s+([^\s-]\S{0,80})", dream[quoted.end() :])
    values = {_DREAM[letter]: value for letter, value in options if letter in _DREAM}
    made = made_of({"prompt": quoted[1], **values}, "InvokeAI")
    return None if made is None else _parted(made)


def _parted(made: Made) -> Made:
    """Separate the negative prompt, which InvokeAI wrote in brackets inside the prompt."""
    negative = ", ".join(part.strip() for part in _BRACKETS.findall(made.prompt))
    prompt = " ".join(_BRACKETS.sub(" ", made.prompt).split())
    return Made(prompt=prompt, negative=negative or made.negative, settings=made.settings, tool=made.tool)


def _table(text: object) -> Table | None:
    """Parse a JSON table; None when it is none, or when it is too large or too deep."""
    if not isinstance(text, str) or not _is_table(text):
        return None
    if sum(cost * text.count(sign) for sign, cost in _COSTS.items()) > _MOST_MEMORY:
        return None
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    table: Table | None = found if isinstance(found, dict) else None
    return table


def _is_table(text: str) -> bool:
    return text.startswith("{")
