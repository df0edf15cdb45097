"""The commands of provenance. Heavy imports stay inside them, so that `easel --help` is quick."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.entry import EXIT_NO_INPUT, ConfigOption, load, stop

provenance_app = typer.Typer(no_args_is_help=True, help="Look after the key that signs pictures.")

PassphraseOption = Annotated[
    Path | None, typer.Option("--passphrase-file", help="A file with the passphrase; without it you are asked.")
]


@provenance_app.command("init")
def init(
    root: Annotated[Path, typer.Argument(help="Where to write the encrypted root key, to be moved off the machine.")],
    passphrase_file: PassphraseOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a root and a key with its certificate. Easel must be stopped."""
    from bot.cli.provenance import ProvenanceFailed
    from bot.cli.provenance import init as make

    settings, _ = load(config)
    try:
        typer.echo(make(settings, root, _passphrase(passphrase_file, is_new=True)))
    except ProvenanceFailed as error:
        stop(str(error), error.code)


@provenance_app.command("rotate")
def rotate(
    root: Annotated[Path, typer.Argument(help="The root key that `init` wrote.")],
    compromised: Annotated[bool, typer.Option("--compromised", help="Others may have the old key.")] = False,  # noqa: FBT002 - as typer calls it
    passphrase_file: PassphraseOption = None,
    config: ConfigOption = None,
) -> None:
    """Replace the key by a new one of the same root. Easel must be stopped."""
    from bot.cli.provenance import ProvenanceFailed
    from bot.cli.provenance import rotate as replace

    settings, _ = load(config)
    try:
        typer.echo(replace(settings, root, _passphrase(passphrase_file, is_new=False), is_stolen=compromised))
    except ProvenanceFailed as error:
        stop(str(error), error.code)


@provenance_app.command("show")
def show(config: ConfigOption = None) -> None:
    """Print the key in use, those before it, and whom you trust."""
    from bot.cli.provenance import ProvenanceFailed
    from bot.cli.provenance import show as say

    settings, _ = load(config)
    try:
        say(settings, typer.echo)
    except ProvenanceFailed as error:
        stop(str(error), error.code)


@provenance_app.command("trust")
def trust(
    file: Annotated[Path, typer.Argument(help="Root certificates in PEM.")],
    config: ConfigOption = None,
) -> None:
    """Trust certificates of others. Their pictures stay theirs, and are vouched for."""
    from bot.cli.provenance import ProvenanceFailed
    from bot.cli.provenance import trust as keep

    settings, _ = load(config)
    try:
        typer.echo(keep(settings, file))
    except ProvenanceFailed as error:
        stop(str(error), error.code)


def verify(
    files: Annotated[list[Path], typer.Argument(help="Pictures: PNG, JPEG or WebP.")],
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a file.")] = False,  # noqa: FBT002
) -> None:
    """Say where pictures come from. Exit code: 0 ours, 1 ours and changed, 2 somebody else's, 3 nothing proves it."""
    from bot.cli.provenance import ProvenanceFailed
    from bot.cli.verify import verify as judged

    settings, _ = load(config)
    try:
        code = judged(settings, files, as_json=as_json, say=typer.echo)
    except ProvenanceFailed as error:
        stop(str(error), error.code)
    raise SystemExit(code)


def look(files: Annotated[list[Path], typer.Argument(help="Pictures: PNG, JPEG or WebP.")]) -> None:
    """Print the lines of a file of blocked pictures (`safety.image_blocks`)."""
    from bot.cli.look import print_looks
    from bot.cli.provenance import ProvenanceFailed

    try:
        print_looks(files, typer.echo)
    except ProvenanceFailed as error:
        stop(str(error), error.code)


def _passphrase(file: Path | None, *, is_new: bool) -> str:
    if file is None:
        words = str(typer.prompt("Passphrase of the root key", hide_input=True, confirmation_prompt=is_new))
    else:
        try:
            words = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            stop(f"The passphrase {file} cannot be read: {error}.", EXIT_NO_INPUT)
    if not words:
        stop("The passphrase is empty; give one.", EXIT_NO_INPUT)
    return words
