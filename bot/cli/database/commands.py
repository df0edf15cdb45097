"""`easel db`: care for the database, and the data of one person."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.entry import ConfigOption, load, stop
from config.loading import EXIT_CONFIG

database_app = typer.Typer(no_args_is_help=True, help="Look after the database.")


@database_app.command("backup")
def db_backup(
    file: Annotated[Path, typer.Argument(help="Where to write the copy; must not exist yet.")],
    config: ConfigOption = None,
) -> None:
    """Copy the database while Easel runs, and check the copy."""
    from bot.cli.database.care import CareFailed, back_up

    settings, _ = load(config)
    try:
        asyncio.run(back_up(settings.storage.database, file))
    except CareFailed as error:
        stop(str(error), 1)
    typer.echo(f"{file}: a copy of the database, checked.")


@database_app.command("restore")
def db_restore(
    file: Annotated[Path, typer.Argument(help="A copy that `easel db backup` made.")],
    config: ConfigOption = None,
) -> None:
    """Put a copy in the place of the database, and keep the present one. Easel must be stopped."""
    from bot.cli.database.care import CareFailed, restore

    settings, _ = load(config)
    try:
        aside = asyncio.run(restore(file, settings.storage.database))
    except CareFailed as error:
        stop(str(error), 1)
    typer.echo(f"{file} is the database now; the next `easel run` settles what it shows to be delivered.")
    if aside is not None:
        typer.echo(f"{aside}: what was the database before.")


@database_app.command("check")
def db_check(config: ConfigOption = None) -> None:
    """Check the file, and that every balance equals the sum of its rows."""
    from bot.cli.database.care import CareFailed, examine_database

    settings, _ = load(config)
    try:
        is_fine = asyncio.run(examine_database(settings.storage.database, say=typer.echo))
    except CareFailed as error:
        stop(str(error), 1)
    if not is_fine:
        raise SystemExit(1)


@database_app.command("forget")
def db_forget(
    user: Annotated[int | None, typer.Argument(help="The person's Discord id.")] = None,
    is_everything: Annotated[bool, typer.Option("--all", help="Replace the id by a pseudonym, too.")] = False,  # noqa: FBT002 - as typer calls it
    is_again: Annotated[bool, typer.Option("--again", help="Forget all of forgotten.jsonl again.")] = False,  # noqa: FBT002
    config: ConfigOption = None,
) -> None:
    """Delete what a person wrote, drew and attached. Easel may run. Sums of the ledger stay."""
    from bot.cli.database.care import CareFailed
    from bot.cli.database.privacy import forget

    settings, _ = load(config)
    if (user is None) is not is_again:
        stop("Name a person, or give --again.", EXIT_CONFIG)
    try:
        sentence = asyncio.run(forget(settings, user, is_everything=is_everything))
    except CareFailed as error:
        stop(str(error), 1)
    typer.echo(sentence)


@database_app.command("export")
def db_export(
    user: Annotated[int, typer.Argument(help="The person's Discord id.")],
    file: Annotated[Path, typer.Argument(help="The ZIP archive to write; must not exist yet.")],
    config: ConfigOption = None,
) -> None:
    """Write all that is kept about a person, and their pictures, into an archive. Easel may run."""
    from bot.cli.database.care import CareFailed
    from bot.cli.database.privacy import export

    settings, _ = load(config)
    try:
        count = asyncio.run(export(settings, user, file))
    except CareFailed as error:
        stop(str(error), 1)
    typer.echo(f"{file}: {count} files about {user}.")
