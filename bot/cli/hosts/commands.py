"""`easel hosts` and `easel worker`: other computers that draw for the bot."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.entry import EXIT_UNAVAILABLE, ConfigOption, load, stop
from config.loading import EXIT_CONFIG
from config.settings import Settings
from pipeline.protocol.program import easel_version

if TYPE_CHECKING:  # its packages are those of the extra `hosts`
    from bot.hosts.roster import Roster

hosts_app = typer.Typer(no_args_is_help=True, help="Look after other computers that draw for this bot.")

_NO_PACKAGES = "the packages for hosts are not installed ({name}); install Easel with its extra `hosts`."


def _opened(config: Path | None) -> "tuple[Settings, Roster]":
    from bot.cli.working import quiet

    quiet()
    settings, _ = load(config)
    if not settings.hosts.server:
        stop("set hosts.server in easel.toml to the address of the NATS server first; see docs/hosts.md.", EXIT_CONFIG)
    try:
        from bot.hosts.roster import Roster
    except ModuleNotFoundError as error:
        stop(_NO_PACKAGES.format(name=error.name), EXIT_CONFIG)
    return settings, Roster(settings.storage.hosts)


@hosts_app.command("invite")
def hosts_invite(
    name: Annotated[str, typer.Argument(help="A name for the host: small letters, digits and hyphens.")],
    config: ConfigOption = None,
) -> None:
    """Invite a computer, and print the line that it joins with. The line is a secret: `invite attic > line.txt`."""
    settings, roster = _opened(config)
    from bot.cli.hosts.telling import change
    from bot.hosts.roster import RosterFault

    try:
        line = roster.invite(name, settings.hosts.dialed)
        told = change(settings, roster)
    except RosterFault as error:
        stop(str(error), 1)
    # The line alone is the output, so that it can be sent to a file without being seen.
    typer.echo("On the host, run: easel worker --join LINE\n", err=True)
    typer.echo(line)
    typer.echo(f"\n{told}", err=True)


@hosts_app.command("list")
def hosts_list(config: ConfigOption = None) -> None:
    """List the invited computers, and how each is."""
    settings, roster = _opened(config)
    from bot.cli.hosts.telling import lines_of
    from bot.hosts.roster import RosterFault

    try:
        lines = lines_of(settings, roster)
    except RosterFault as error:
        stop(str(error), 1)
    for line in lines:
        typer.echo(line)


@hosts_app.command("drain")
def hosts_drain(
    name: Annotated[str, typer.Argument(help="The host's name.")],
    undo: Annotated[bool, typer.Option("--undo", help="Give it jobs again.")] = False,  # noqa: FBT002 - as typer calls it
    config: ConfigOption = None,
) -> None:
    """Give a computer no more jobs. It ends those that it has."""
    settings, roster = _opened(config)
    from bot.cli.hosts.telling import change
    from bot.hosts.roster import RosterFault

    try:
        roster.drain(name, is_draining=not undo)
        told = change(settings, roster)
    except RosterFault as error:
        stop(str(error), 1)
    typer.echo(f"{name} gets {'jobs again' if undo else 'no more jobs'}. {told}")


@hosts_app.command("remove")
def hosts_remove(
    name: Annotated[str, typer.Argument(help="The host's name.")],
    config: ConfigOption = None,
) -> None:
    """Cut a computer off at once. Others draw what it had."""
    settings, roster = _opened(config)
    from bot.cli.hosts.telling import change
    from bot.hosts.roster import RosterFault

    try:
        roster.remove(name)
        told = change(settings, roster)
    except RosterFault as error:
        stop(str(error), 1)
    typer.echo(f"{name} is no host any more. {told}")


@hosts_app.command("server")
def hosts_server(
    listen: Annotated[str, typer.Option(help="Address on which the server listens.")] = "0.0.0.0:4222",
    config: ConfigOption = None,
) -> None:
    """Write the configuration of the NATS server, and print the command that starts it."""
    _, roster = _opened(config)
    from bot.hosts.roster import RosterFault
    from bot.hosts.server import OLDEST_SERVER, prepare_server

    try:
        file = prepare_server(roster, listen)
    except RosterFault as error:
        stop(str(error), 1)
    typer.echo(f"nats-server --config {file}")
    typer.echo(f"It needs nats-server {OLDEST_SERVER} or later, from https://nats.io; docs/hosts.md has a unit for it.")


def worker(
    join: Annotated[str, typer.Option(help="The line of `easel hosts invite`, or a file that holds it.")],
    drain_s: Annotated[float, typer.Option(help="Seconds that its jobs get to end when it is stopped.")] = 60.0,
    config: ConfigOption = None,
) -> None:
    """Draw for a bot on another computer, with this computer's models and settings."""
    settings, catalogue = load(config)
    try:
        from bot.cli.hosts.joining import run_agent
        from pipeline.link.line import BadLine, read_line
    except ModuleNotFoundError as error:
        stop(_NO_PACKAGES.format(name=error.name), EXIT_CONFIG)
    from bot.process.logs import set_up_logging

    set_up_logging(settings.logging)
    try:
        line = read_line(_line(join))
    except BadLine as error:
        stop(str(error), EXIT_CONFIG)
    asyncio.run(run_agent(line, settings, catalogue, easel=easel_version(), drain_s=drain_s))


def _line(join: str) -> str:
    """The line itself. In a file it is hidden from who lists processes."""
    try:
        return Path(join).read_text(encoding="utf-8") if len(join) < 200 and Path(join).is_file() else join  # noqa: PLR2004 - lines are longer than names of files
    except OSError as error:
        stop(f"{join} cannot be read ({error.strerror}).", EXIT_UNAVAILABLE)
