"""Reads ComfyUI's graph of executed nodes: from its first sampler back to prompts and settings."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, cast

from pipeline.metadata.made import Made, made_of

Inputs = dict[str, Any]
Graph = dict[str, Inputs]
"""Inputs of each node by its number: values, and links as [number of a node, index of its output]."""

_MOST_NODES: Final = 500
"""Greatest number of nodes that are visited on the way back from one node."""
_MOST_SAMPLERS: Final = 8

_TEXTS: Final = (
    *("text", "text_g", "text_l", "clip_l", "clip_g", "t5xxl", "prompt", "positive_prompt", "string", "value"),
    *("populated_text", "string_a", "string_b", "text1", "text2", "text_a", "text_b"),
)
"""Names of inputs that are words, or lead to words."""
_NO_WORDS: Final = frozenset({"clip", "vae", "model", "control_net", "image", "pixels", "mask", "samples", "latent"})
_TO_POSITIVE: Final = ("positive", "conditioning", "text_embeds")
_TO_WORDS: Final = frozenset({*_TO_POSITIVE, "negative"})
_SAMPLES: Final = frozenset({"seed", "noise_seed", "steps"})
"""Inputs of which every sampling node has at least one, besides its conditioning."""
_SETTINGS: Final = (
    *("steps", "sampler_name", "scheduler", "cfg", "seed", "noise_seed", "denoise", "width", "height"),
    *("ckpt_name", "unet_name"),
)
_WHOLE: Final = 1


def is_graph(table: Mapping[str, Any]) -> bool:
    """True for a graph of executed nodes: nodes by their numbers, each with its class."""
    return any(isinstance(node, dict) and "class_type" in node for node in table.values())


def made_by(table: Mapping[str, Any]) -> Made | None:
    """Generation parameters in a graph of executed nodes; None when no node has words or settings."""
    nodes = {str(number): cast("Inputs", node) for number, node in table.items() if isinstance(node, dict)}
    graph: Graph = {number: node["inputs"] for number, node in nodes.items() if isinstance(node.get("inputs"), dict)}
    samplers = [number for number, inputs in graph.items() if _samples(inputs)][:_MOST_SAMPLERS]

    def samplers_before(number: str) -> int:
        return sum(one in samplers for one in _back(graph, number))

    # Later samplers only refine the picture, in a second pass or for a face. So the first one is read first.
    for number in sorted(samplers, key=samplers_before):
        if (made := _of_sampler(graph, number)) is not None:
            return made
    encoders = [number for number in graph if "TextEncode" in str(nodes[number].get("class_type"))]
    words = [text for number in encoders[:_MOST_NODES] for text in _texts(graph[number], "positive")]
    return made_of({"prompt": "\n".join(dict.fromkeys(words))}, "ComfyUI")


def _samples(inputs: Inputs) -> bool:
    if _node(inputs.get("guider")) is not None:
        return True
    return any(_node(inputs.get(name)) is not None for name in _TO_WORDS) and not _SAMPLES.isdisjoint(inputs)


def _of_sampler(graph: Graph, number: str) -> Made | None:
    found: Inputs = {}
    aside = list(_back(graph, number, lambda _, name: name not in _TO_WORDS))
    for name in _SETTINGS:
        values = (_value(graph, graph[one].get(name), name) for one in aside)
        found[name] = next((value for value in values if value is not None), None)
    if found["denoise"] == _WHOLE:
        del found["denoise"]
    # The words come from the sampler's inputs or from those of its guider.
    inputs = graph[number] | graph.get(_node(graph[number].get("guider")) or "", {})
    start = next((one for name in _TO_POSITIVE if (one := _node(inputs.get(name)))), None)
    if start is not None:
        found["prompt"] = _words(graph, start, "positive")
        weights = (_value(graph, graph[one].get("guidance"), "guidance") for one in _back(graph, start))
        found["guidance"] = next((weight for weight in weights if weight is not None), None)
    if (start := _node(inputs.get("negative"))) is not None:
        words = _words(graph, start, "negative")
        # For models without a negative prompt, graphs often use the prompt itself, set to zero.
        found["negative_prompt"] = "" if words == found.get("prompt") else words
    return made_of(found, "ComfyUI")


def _words(graph: Graph, start: str, side: str) -> str:
    """All words that lead to a node; of nodes with positive and negative words, only one side."""

    def leads(inputs: Inputs, name: str) -> bool:
        own = _names_of_words(inputs, side)
        return name in own if own else name not in _NO_WORDS

    texts = [text for number in _back(graph, start, leads) for text in _texts(graph[number], side)]
    return "\n".join(dict.fromkeys(texts))


def _names_of_words(inputs: Inputs, side: str) -> Collection[str]:
    """Names of a node's inputs that are words of a side, or lead to them."""
    own = [name for name in (*_TEXTS, f"text_{side}") if name in inputs]
    return own or [name for name in (side,) if name in inputs]


def _texts(inputs: Inputs, side: str) -> Iterator[str]:
    for name in _names_of_words(inputs, side):
        if isinstance(text := inputs[name], str) and text.strip():
            yield text.strip()


def _back(graph: Graph, start: str, leads: Callable[[Inputs, str], bool] = lambda *_: True) -> Iterator[str]:
    """A node and its predecessors, nearest first, along the inputs for which `leads` is true."""
    waiting, seen = deque([start]), {start}
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        number = waiting.popleft()
        inputs = graph.get(number)
        if inputs is None:
            continue
        yield number
        for name, value in inputs.items():
            before = _node(value)
            if before is not None and before not in seen and leads(inputs, name):
                seen.add(before)
                waiting.append(before)


def _value(graph: Graph, value: object, name: str) -> str | float | None:
    """Value of a setting; if a separate node holds it, that node's input."""
    if (number := _node(value)) is not None:
        held = graph.get(number, {})
        value = held.get(name, held.get("value", held.get("seed")))
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _node(value: object) -> str | None:
    """Number of the node that a link comes from; None when the value is no link."""
    if not isinstance(value, list):
        return None
    link = cast("list[object]", value)
    is_link = len(link) == 2 and isinstance(link[0], str | int) and isinstance(link[1], int)  # noqa: PLR2004 - node and output
    return str(link[0]) if is_link else None
