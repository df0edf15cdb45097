"""`easel models`: the commands."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.entry import ConfigOption, load, stop

if TYPE_CHECKING:
    from rich.console import Console

models_app = typer.Typer(no_args_is_help=True, help="Get, list, check and remove models.")
YesOption = Annotated[bool, typer.Option("--yes", help="Agree to the terms and to everything else that is asked.")]


@models_app.command("list")
def models_list(config: ConfigOption = None) -> None:
    """Show every entry of the catalogue: family, size on the disk, license, and what is wrong with it."""
    from bot.cli.models.listing import list_models

    settings, catalogue = load(config)
    _end(lambda: list_models(settings, catalogue, typer.echo, _console()))


@models_app.command("check")
def models_check(config: ConfigOption = None) -> None:
    """Check that the files of every entry are whole, and that those of a hub have their hashes."""
    from bot.cli.models.listing import check_models

    settings, catalogue = load(config)
    _end(lambda: check_models(settings, catalogue, typer.echo, _console()))


@models_app.command("fetch")
def models_fetch(
    key: Annotated[str, typer.Argument(help="Key of an entry of the catalogue.")],
    yes: YesOption = False,  # noqa: FBT002 - as typer calls it
    config: ConfigOption = None,
) -> None:
    """Download what an entry names on a hub. A download that was cut off goes on where it was."""
    from bot.cli.models.fetching import fetch

    settings, catalogue = load(config)

    def fetched() -> bool:
        fetch(key, settings, catalogue, _agreeing(is_yes=yes), _console())
        return True

    _end(fetched)
    typer.echo(f"{key} is here and whole.{_restart(settings.storage.database)}")


@models_app.command("add")
def models_add(
    what: Annotated[str, typer.Argument(help="REPO or REPO@REVISION of the hub, a file or folder, or urn:air:….")],
    key: Annotated[str, typer.Option("--key", help="Key of the entry; else made from the name.")] = "",
    title: Annotated[str, typer.Option("--title", help="Name that members see; else made from the name.")] = "",
    terms: Annotated[str, typer.Option("--license", help="Its licence; needed where nothing else tells it.")] = "",
    rest: Annotated[
        Path | None, typer.Option("--rest", help="Diffusers folder with the rest, for a transformer in a file.")
    ] = None,
    yes: YesOption = False,  # noqa: FBT002 - as typer calls it
    config: ConfigOption = None,
) -> None:
    """Download a model if need be, and write its entry into your catalogue."""
    from bot.cli.models.adding import Adding, Named
    from bot.cli.models.trying import try_out
    from bot.store.sqlite.database import is_in_use

    settings, catalogue = load(config)
    named = Named(key=key, title=title, license=terms, rest=rest)

    def added() -> bool:
        new, files = Adding(settings, config, catalogue, named, _agreeing(is_yes=yes), _console()).add(what)
        for file in files:
            typer.echo(f"{file} was written.")
        typer.echo(f"{new} is here and whole.{_restart(settings.storage.database)}")
        # A second worker beside that of a running Easel might find no memory.
        asks = None if yes or is_in_use(settings.storage.database) else typer.confirm
        try_out(new, *load(config), agree=asks, say=typer.echo)
        return True

    _end(added)


@models_app.command("remove")
def models_remove(
    key: Annotated[str, typer.Argument(help="Key of an entry of the catalogue.")],
    yes: YesOption = False,  # noqa: FBT002 - as typer calls it
    config: ConfigOption = None,
) -> None:
    """Take an entry out of your catalogue, and delete its download. Files elsewhere stay."""
    from bot.cli.models.removing import remove

    settings, catalogue = load(config)

    def removed() -> bool:
        remove(key, settings, config, catalogue, _agreeing(is_yes=yes), typer.echo)
        return True

    _end(removed)


@models_app.command("prune")
def models_prune(
    yes: YesOption = False,  # noqa: FBT002 - as typer calls it
    config: ConfigOption = None,
) -> None:
    """Delete downloads that no entry of the catalogue reads."""
    from bot.cli.models.removing import prune

    settings, catalogue = load(config)

    def pruned() -> bool:
        prune(settings, catalogue, _agreeing(is_yes=yes), typer.echo)
        return True

    _end(pruned)


def _restart(database: Path) -> str:
    from bot.store.sqlite.database import is_in_use

    return " Easel runs: reload it (SIGHUP), and members are offered this." if is_in_use(database) else ""


def _agreeing(*, is_yes: bool) -> Callable[[str], bool]:
    return (lambda _: True) if is_yes else typer.confirm


def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


def _end(command: Callable[[], bool]) -> None:
    """Run a command; a failure ends the program with one sentence, and False without one."""
    from bot.cli.models.failing import ModelsFailed

    try:
        is_fine = command()
    except ModelsFailed as error:
        stop(str(error), 1)
    except KeyboardInterrupt:
        stop("Stopped; what is here is kept for the next time.", 1)
    if not is_fine:
        raise SystemExit(1)
