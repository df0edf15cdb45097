"""`easel doctor --bundle`: one archive for whoever helps, without secrets, prompts, pictures or ids of members."""

import asyncio
import contextlib
import os
import re
import sqlite3
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

import msgspec

from bot.process.health import FILE as HEALTH_FILE
from bot.process.logs import ERRORS, hide_secrets
from bot.store.sqlite.database import Database, DatabaseUnusable
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.program import easel_version

_SNOWFLAKE: Final = re.compile(r"(?<![0-9A-Fa-f])[0-9]{17,20}(?![0-9A-Fa-f])")
"""An id of Discord: of a member, a server, a channel or a message."""
_ENDS: Final = (
    "SELECT date(created_at / 1000, 'unixepoch') AS day, model_key, status, failure, count(*)"
    " FROM jobs GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC LIMIT 500"
)


class NotBundled(Exception):
    """The archive was not written; the text is one sentence."""


def bundle(settings: Settings, catalogue: Catalogue, report: str, target: Path) -> None:
    """Write the archive.

    Args:
        settings: the settings, whose secrets are replaced.
        catalogue: the models.
        report: what the doctor said.
        target: the archive, which must not exist.

    Raises:
        NotBundled: the archive exists or cannot be written.
    """
    if target.exists():
        raise NotBundled(f"The file {target} exists; name one that does not, so that nothing is lost.")
    pages = {
        "doctor.txt": report,
        "computer.json": _json(_computer()),
        "settings.json": settings.model_dump_json(indent=2),
        "models.json": _json(_models(catalogue)),
        "database.json": _json(_database(settings.storage.database)),
    }
    directory = settings.storage.directory
    files = [directory / HEALTH_FILE, *sorted(directory.glob(f"{ERRORS}*")), *sorted(directory.glob("worker/*.json"))]
    for path in files:
        with contextlib.suppress(OSError):
            pages[path.name] = path.read_text(encoding="utf-8", errors="replace")
    try:
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
            for name, page in pages.items():
                archive.writestr(name, _cleaned(page))
    except OSError as error:
        target.unlink(missing_ok=True)
        raise NotBundled(f"{target} cannot be written: {error.strerror}.") from error


def _cleaned(page: str) -> str:
    """A page without secrets and without ids of Discord."""
    return _SNOWFLAKE.sub("<id>", str(hide_secrets(None, "", {"page": page})["page"]))


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _computer() -> dict[str, Any]:
    computer = os.uname()
    packages = sorted({f"{package.name} {package.version}" for package in distributions()})
    return {
        "easel": easel_version(),
        "python": sys.version,
        "system": f"{computer.sysname} {computer.release} {computer.machine}",
        "sqlite": sqlite3.sqlite_version,
        "packages": packages,
    }


def _models(catalogue: Catalogue) -> list[dict[str, Any]]:
    """What each model is, without its texts."""
    return [
        {
            "key": key,
            "family": spec.family,
            "source": msgspec.to_builtins(spec.source)["kind"] if spec.drawn_by is None else "engine",
            "defaults": msgspec.to_builtins(spec.defaults),
        }
        for key, spec in catalogue.models.items()
    ]


def _database(path: Path) -> dict[str, Any]:
    """Size, version, rows of each table, and how jobs ended on each day."""
    if not path.exists():
        return {"missing": True}
    return {"bytes": path.stat().st_size, **asyncio.run(_tables(path))}


async def _tables(path: Path) -> dict[str, Any]:
    try:
        database = await Database.open_to_read(path)
    except DatabaseUnusable as error:
        return {"unusable": str(error)}
    try:
        tables = await database.fetch_all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        rows: dict[str, int] = {}
        for (name,) in tables:
            row = await database.fetch_one(f'SELECT count(*) FROM "{name}"')  # noqa: S608 - a name of our schema
            rows[str(name)] = 0 if row is None else int(row[0])
        ends = [tuple(row) for row in await database.fetch_all(_ENDS)]
        return {"version": await database.version(), "rows": rows, "ends": ends}
    except sqlite3.Error as error:
        return {"unreadable": str(error)}
    finally:
        await database.close()
