"""Pipelines that diffusers builds of blocks (`ModularPipeline`: Anima, FLUX.3), as classes with a call like all others.

A pipeline of blocks says what it takes only once it is built. Here each of them becomes a class whose call and
constructor have signatures, so that everything else treats it as any other pipeline.
"""

import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final

import diffusers
from diffusers.modular_pipelines.modular_pipeline import LoopSequentialPipelineBlocks, ModularPipeline

from pipeline.engine.failures import ModelUnavailable

_PICTURES: Final = "images"
_REWRITING: Final = "prompt_upsampler"
"""Block that would let a language model write the prompt anew, after the rules of words have read it."""


def class_named(name: str) -> Any:
    """The pipeline class of diffusers with this name, or the one that is made of a pipeline of blocks.

    Raises:
        ModelUnavailable: diffusers has none, or one that draws no pictures from words.
    """
    found: Any = getattr(diffusers, name, None) if name.isidentifier() else None
    if not isinstance(found, type):
        raise ModelUnavailable(f"diffusers has no pipeline {name!r}.")
    return of_blocks(found) if issubclass(found, ModularPipeline) else found


def is_of_blocks(pipeline_class: Any) -> bool:
    """True for a class that `of_blocks` made."""
    return issubclass(pipeline_class, ModularPipeline)


def blocks_of(pipeline_class: Any) -> Any:
    """The blocks of a pipeline, without one that writes the prompt anew.

    Args:
        pipeline_class: a `ModularPipeline` of diffusers.
    """
    blocks: Any = getattr(diffusers, pipeline_class.default_blocks_name)()
    blocks.sub_blocks.pop(_REWRITING, None)
    return blocks


@functools.cache
def of_blocks(modular: Any) -> Any:
    """A class of pipelines of these blocks, whose call hands out pictures.

    Raises:
        ModelUnavailable: the blocks draw no pictures, or not from words.
    """
    blocks = None if modular.default_blocks_name is None else blocks_of(modular)
    inputs: dict[str, Any] = {} if blocks is None else {each.name: each for each in blocks.inputs if each.name}
    if blocks is None or "prompt" not in inputs or _PICTURES not in [each.name for each in blocks.outputs]:
        raise ModelUnavailable(f"A {modular.__name__} draws no pictures from words; Easel cannot run it.")

    def call(self: Any, **arguments: Any) -> dict[str, Any]:
        return {_PICTURES: modular.__call__(self, output=_PICTURES, **arguments)}

    def begin(self: Any, index: Mapping[str, Any], **components: Any) -> None:
        # The components are given, so diffusers need not look up the modules and places that a stranger's index names.
        settings = {name: value for name, value in index.items() if not isinstance(value, list)}
        modular.__init__(self, blocks=blocks_of(modular), modular_config_dict=settings)
        self.update_components(**components)

    def quiet(self: Any, **config: Any) -> None:
        # diffusers' own tells the outermost blocks alone, and `blocks` hands out copies.
        for block in _inner(self._blocks):
            if isinstance(block, LoopSequentialPipelineBlocks):
                block.set_progress_bar_config(**config)

    # Blocks call results of earlier blocks required, so a default says nothing. None leaves them to the blocks.
    _sign(call, {name: None if name == "prompt" else each.default for name, each in inputs.items()})
    _sign(begin, dict.fromkeys(each.name for each in blocks.expected_components))
    own = {"__call__": call, "__init__": begin, "set_progress_bar_config": quiet}
    return type(modular.__name__, (modular,), own)


def _inner(blocks: Any) -> Iterator[Any]:
    """Every block in these blocks."""
    for block in getattr(blocks, "sub_blocks", {}).values():
        yield block
        yield from _inner(block)


def _sign(function: Any, defaults: dict[str, Any]) -> None:
    """Give a function a signature of named arguments with these defaults."""
    named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in defaults.items()]
    first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    function.__signature__ = inspect.Signature([first, *named])
