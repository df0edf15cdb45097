"""The command line `easel`. Heavy imports stay inside the commands, so that `easel --help` is quick."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from bot.cli.database.commands import database_app
from bot.cli.entry import EXIT_UNAVAILABLE, ConfigOption, load, stop
from bot.cli.hosts.commands import hosts_app, worker
from bot.cli.models.commands import models_app
from bot.cli.options import COMMAND_LINE, with_options
from bot.cli.provenance_commands import look, provenance_app, verify
from config.loading import EXIT_CONFIG, ConfigError
from config.settings import Settings
from pipeline.protocol.program import easel_version

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(database_app, name="db")
app.add_typer(models_app, name="models")
words_app = typer.Typer(no_args_is_help=True, help="Look after the rules of words.")
app.add_typer(words_app, name="words")
app.add_typer(provenance_app, name="provenance")
app.add_typer(hosts_app, name="hosts")
app.command("worker")(worker)
app.command("verify")(verify)
app.command("look")(look)


def main() -> None:
    """Run a command. A fault that an owner can mend ends it with one sentence."""
    try:
        app()
    except ConfigError as error:
        stop(str(error), EXIT_CONFIG)


def _say_version(is_asked: bool | None) -> None:  # noqa: FBT001 - as typer calls it
    if is_asked:
        typer.echo(f"easel {easel_version()}")
        raise typer.Exit


@app.callback()
def easel(
    version: Annotated[
        bool | None, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is.")
    ] = None,
) -> None:
    """Your own image bot for Discord."""


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the bot on Discord."""
    from bot.app import check_files, run_bot
    from bot.process.logs import set_up_logging
    from bot.store.sqlite.database import DatabaseUnusable

    settings, catalogue = load(config)
    set_up_logging(settings.logging, settings.storage.directory)
    try:
        starts_anew = asyncio.run(run_bot(settings, catalogue, lambda: check_files(load(config)[0])))
    except DatabaseUnusable as error:
        stop(str(error), EXIT_UNAVAILABLE)
    if starts_anew:
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this program itself, with the arguments that it had


@app.command()
def playground(
    config: ConfigOption = None,
    port: Annotated[int | None, typer.Option(help="Port of the page; 0 takes any free one.")] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,  # noqa: FBT002
) -> None:
    """Try Easel in the browser: a local Discord, the bot, its worker and the shipped model."""
    settings, _ = load(config)
    try:
        from playground import PortTaken
        from playground.launcher import run_playground
    except ModuleNotFoundError as error:
        stop(f"the playground's packages are not installed ({error.name}); run it with `uv run`.", EXIT_CONFIG)
    command = [sys.executable, "-m", "bot", "run"]
    if config is not None:
        command += ["--config", str(config)]
    try:
        code = asyncio.run(
            run_playground(
                port=settings.playground.port if port is None else port,
                open_browser=settings.playground.open_browser and not no_open,
                bot_command=command,
                bot_environment=_playground_environment(settings),
                announce=typer.echo,
            )
        )
    except PortTaken as error:
        stop(str(error), EXIT_UNAVAILABLE)
    raise SystemExit(code)


def _playground_environment(settings: Settings) -> dict[str, str]:
    """The bot's environment with its own folder, since the local Discord forgets everything when it ends."""
    directory = settings.storage.directory / "playground"
    return {**os.environ, "EASEL_STORAGE__DIRECTORY": str(directory)}


@app.command()
@with_options
def imagine(
    prompt: Annotated[str, typer.Argument(help="What you want to see.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write; several get -1, -2, …")],
    config: ConfigOption = None,
    mask: Annotated[Path | None, typer.Option(help="A picture whose white part of --image is drawn anew.")] = None,
    zoom: Annotated[float | None, typer.Option(help="Draw around --image, which becomes smaller by this.")] = None,
    pan: Annotated[str | None, typer.Option(help="Draw on: left, top, right or bottom of --image.")] = None,
    sign: Annotated[bool, typer.Option("--sign", help="Sign the files with the key of [provenance].")] = False,  # noqa: FBT002
    **typed: Any,
) -> None:
    """Draw without Discord, through the same worker and engine: one job, or each that a prompt with braces becomes."""
    from bot.cli.imagine import draw
    from bot.cli.pictures import CannotDraw, PictureOptions
    from bot.requests.given import GivenRequest
    from bot.requests.options.table import given_by

    settings, catalogue = load(config)
    fields = given_by(COMMAND_LINE, typed)
    options = PictureOptions(image=fields.pop("image"), image2=fields.pop("image2"), mask=mask, zoom=zoom, pan=pan)
    given = msgspec.structs.replace(GivenRequest(prompt=prompt), **fields)
    try:
        asyncio.run(draw(given, out, options=options, settings=settings, catalogue=catalogue, is_signed=sign))
    except CannotDraw as error:
        stop(str(error), 1)


@app.command()
def upscale(
    file: Annotated[Path, typer.Argument(help="The picture to make larger.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")],
    scale: Annotated[int | None, typer.Option(help="2 or 4; without it, as large as is possible.")] = None,
    upscaler: Annotated[str | None, typer.Option(help="Key of an upscaler of the catalogue; else the first.")] = None,
    faces: Annotated[str | None, typer.Option(help="Key of an entry of [[faces]] that repairs faces.")] = None,
    creative: Annotated[str | None, typer.Option(help="subtle or strong: draw details anew, in tiles.")] = None,
    prompt: Annotated[str | None, typer.Option(help="What the picture shows, and options; needs --creative.")] = None,
    config: ConfigOption = None,
) -> None:
    """Make a picture larger without Discord, through the same worker and engine."""
    from bot.cli.pictures import CannotDraw
    from bot.cli.upscale import UpscaleOptions, enlarge

    settings, catalogue = load(config)
    try:
        options = UpscaleOptions(scale=scale, upscaler=upscaler, faces=faces, creative=creative, prompt=prompt)
        asyncio.run(enlarge(file, out, options=options, settings=settings, catalogue=catalogue))
    except CannotDraw as error:
        stop(str(error), 1)


@app.command()
def cutout(
    file: Annotated[Path, typer.Argument(help="The picture.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write; a PNG.")],
    network: Annotated[str | None, typer.Option(help="Key of an entry of [[cutouts]]; else the first.")] = None,
    config: ConfigOption = None,
) -> None:
    """Make the background of a picture transparent without Discord, through the same worker and engine."""
    from bot.cli.cutout import cut_out
    from bot.cli.pictures import CannotDraw

    settings, catalogue = load(config)
    try:
        asyncio.run(cut_out(file, out, network=network, settings=settings, catalogue=catalogue))
    except CannotDraw as error:
        stop(str(error), 1)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="A .pth, .pt or .bin file of weights.")],
) -> None:
    """Write the weights of a pickled file as .safetensors beside it. Nothing in the file is run."""
    from bot.cli.convert import CannotConvert
    from bot.cli.convert import convert as converted

    try:
        target, sentence = converted(file)
    except CannotConvert as error:
        stop(str(error), 1)
    typer.echo(f"{target}: {sentence}.")


@app.command()
def doctor(
    config: ConfigOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only settings and database.")] = False,  # noqa: FBT002
    bundle: Annotated[Path | None, typer.Option("--bundle", help="ZIP file to write for whoever helps you.")] = None,
) -> None:
    """Check everything that Easel needs; one line each, and how to mend it."""
    from bot.cli.doctor.bundle import NotBundled
    from bot.cli.doctor.bundle import bundle as write_bundle
    from bot.cli.doctor.examining import examine

    settings, catalogue = load(config)
    report: list[str] = []

    def say(line: str) -> None:
        report.append(line)
        typer.echo(line)

    is_fine = asyncio.run(examine(settings, catalogue, is_quick=quick, say=say))
    if bundle is not None:
        try:
            write_bundle(settings, catalogue, "\n".join(report), bundle)
        except NotBundled as error:
            stop(str(error), 1)
        typer.echo(f"{bundle} has this report and what belongs to it, without secrets, prompts, pictures and ids.")
    if not is_fine:
        raise SystemExit(1)


@app.command()
def health(config: ConfigOption = None) -> None:
    """Say whether the running Easel is well; exit code 1 where it is not, or none runs."""
    from bot.process.health import complaints, version_of, warnings

    settings, _ = load(config)
    found = complaints(settings.storage.directory)
    for sentence in [*found, *(f"Warning: {sentence}" for sentence in warnings(settings.storage.directory))]:
        typer.echo(sentence)
    if found:
        raise SystemExit(1)
    typer.echo(f"Easel {version_of(settings.storage.directory)} is well.")


@words_app.command("check")
def words_check(
    rules: Annotated[Path, typer.Option("--rules", help="The rule file: plain text, or TOML.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object for each prompt.")] = False,  # noqa: FBT002
) -> None:
    """Judge prompts from standard input, one a line or as JSON strings; exit code 1 where a rule is met."""
    from bot.cli.words import CannotCheck, check

    try:
        has_hits = check(sys.stdin.buffer, rules, is_json=as_json, say=typer.echo)
    except CannotCheck as error:
        stop(str(error), EXIT_CONFIG)
    if has_hits:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
