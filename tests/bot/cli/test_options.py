"""The command line's options are those of the table."""

from typing import Any

import click
import typer

from bot.__main__ import app
from bot.cli.options import COMMAND_LINE
from bot.presenting.texts import text


def test_easel_imagine_has_every_option_that_needs_no_worker() -> None:
    command: Any = typer.main.get_command(app)
    found = command.get_command(click.Context(command), "imagine").params
    others = [each.name for each in found if each.name not in {option.name for option in COMMAND_LINE}]
    assert others == ["prompt", "out", "config", "mask", "zoom", "pan", "sign"]
    assert [(each.opts, each.help) for each in found[len(others) :]] == [
        ([f"--{option.name}"], text(f"option-{option.name}")) for option in COMMAND_LINE
    ]
    names = ["negative", "cfg", "steps", "size", "sampler", "seed", "images", "model", "image", "use"]
    names += ["strength", "image2", "use2"]
    assert [option.name for option in COMMAND_LINE] == names
