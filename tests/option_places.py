"""All places where members meet an option, each as text: `python -m tests.option_places NAME` prints them as JSON."""

import asyncio
import json
import sys
from types import SimpleNamespace
from typing import Any, cast

import click
import discord
import msgspec
import typer
from discord import ui

from bot.__main__ import app
from bot.commands import add_commands
from bot.commands.translating import Translator
from bot.interactions.services import Services
from bot.presenting.images import details_message, done_message
from bot.presenting.jobs.job_message import Allowance
from bot.presenting.settings_message import defaults_line
from bot.requests.derived.deriving import as_it_was, remix
from bot.requests.given import GivenRequest
from bot.requests.options.table import FIELDS
from bot.requests.resolving import Resolved, resolve
from bot.store.rows.preferences import AskerDefaults
from bot.tree import EaselTree
from config.catalogue import load_catalogue
from config.settings import LimitSettings, Settings
from pipeline.engine.failures import InvalidRequest
from pipeline.engine.steps.jobs.validation import check_request
from pipeline.images.parameters import parameters_text
from tests.example_jobs import IMAGES, example_job

_settings = Settings()
_catalogue = load_catalogue(_settings.pipeline.catalogue, _settings.pipeline.default_model)


def asked(prompt: str, defaults: AskerDefaults | None = None) -> Resolved:
    """What comes of a prompt with the shipped model."""
    given = GivenRequest(prompt=prompt)
    return resolve(given, catalogue=_catalogue, limits=LimitSettings(), defaults=defaults or AskerDefaults())


def words_of(view: ui.LayoutView) -> str:
    """All texts of a message."""
    return "\n".join(item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))


async def registered(name: str) -> dict[str, Any]:
    """What Discord is told of the option, by command."""
    tree = EaselTree(discord.Client(intents=discord.Intents.none()))
    translator = Translator()
    services = SimpleNamespace(catalogue=_catalogue, settings=_settings, calls=None)
    add_commands(tree, cast("Services", services))
    payloads = {each.name: await each.get_translated_payload(tree, translator) for each in tree.get_commands()}
    admin = {each["name"]: each for each in payloads["admin"]["options"]}
    commands = {"imagine": payloads["imagine"], "settings": payloads["settings"], "admin channel": admin["channel"]}
    return {
        command: next((option for option in payload["options"] if option["name"] == name), None)
        for command, payload in commands.items()
    }


def places(name: str, value: str, too_much: str) -> dict[str, Any]:
    """What each place makes of an option.

    Args:
        name: of a number.
        value: of it, which is not the usual one.
        too_much: beyond its bounds.
    """
    option = FIELDS[name]
    found = asked(f"a star --{name} {value} --seed 5")
    request, spec = found.request, _catalogue.default
    wish = option.value_of(request)
    defaults = AskerDefaults(own=msgspec.structs.replace(AskerDefaults().own, **{option.field: wish}))
    job = msgspec.structs.replace(example_job(request), defaults=defaults)
    kept = asked("a pear", AskerDefaults(own=as_it_was(request)))
    remixed = remix(kept, job, is_same_noise=False)
    done = done_message.done(job, outputs=IMAGES[:1], spec=spec, allowance=Allowance(left=None))
    file_words = parameters_text(request, spec.title)
    beyond = msgspec.structs.replace(request, **{option.field: float(too_much)})
    try:
        check_request(beyond)
        refusal = ""
    except InvalidRequest as error:
        refusal = str(error)
    command: Any = typer.main.get_command(app)
    imagine = command.get_command(click.Context(command), "imagine")
    old_row = msgspec.to_builtins(request) | {}
    del old_row[option.field]
    return {
        **asyncio.run(registered(name)),
        "typed": wish,
        "typed too much": [str(notice.values.get("used")) for notice in asked(f"a star --{name} {too_much}").notices],
        "as a default": option.value_of(asked("a star", defaults).request),
        "whose default": asked("a star", defaults).defaults == defaults,
        "default in words": defaults_line(defaults.own),
        "remixed": option.value_of(remixed.request),
        "remixed default": remixed.defaults == defaults,
        "below the picture": words_of(done),
        "in the details": words_of(details_message.details(job, spec, ())[0]),
        "its command, pasted": option.value_of(asked(details_message.command_of(request)).request),
        "in the file": file_words,
        "the file, pasted": option.value_of(asked(file_words).request),
        "on the command line": [each.help for each in imagine.params if each.name == name],
        "beyond its bounds": refusal,
        "in a row of before": option.value_of(msgspec.convert(old_row, type(request))),
    }


if __name__ == "__main__":
    print(json.dumps(places(*sys.argv[1:])))  # noqa: T201 - for the test that started it
