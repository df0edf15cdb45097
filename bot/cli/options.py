"""The options that say how to draw, as the command line has them."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from bot.presenting.texts import text
from bot.requests.options.option import Option
from bot.requests.options.table import OPTIONS
from bot.requests.options.takes import Number, Picture

Callback = TypeVar("Callback", bound=Callable[..., Any])
COMMAND_LINE: Final = tuple(option for option in OPTIONS if option.is_for_command_line)
"""Those that need no worker to be read."""


def with_options(callback: Callback) -> Callback:
    """Give a command's callback the options of the table, which it takes as its `**typed`."""
    signature = inspect.signature(callback)
    own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    added = [
        inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(option))
        for option in COMMAND_LINE
    ]
    # typer reads a command's options from its callback's signature.
    vars(callback)["__signature__"] = signature.replace(parameters=[*own, *added])
    return callback


def _annotation(option: Option) -> Any:
    kind: Any = str
    if isinstance(option.takes, Number):
        kind = option.takes.type
    elif isinstance(option.takes, Picture):
        kind = Path
    return Annotated[kind | None, typer.Option(help=text(f"option-{option.name}"))]
