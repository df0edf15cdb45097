"""The archive for whoever helps: what matters is in it, and nothing that is nobody else's business."""

import asyncio
import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from pydantic import SecretStr

from bot.cli.doctor.bundle import NotBundled, bundle
from bot.process.health import Health, write_health
from bot.process.logs import ERRORS, set_up_logging
from config.areas.discord import DiscordSettings
from config.catalogue import Catalogue
from config.settings import LoggingSettings, Settings, StorageSettings
from pipeline.backends.base import WorkerState

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.aBcDeFgHiJkLmNoPqRsTuVwXyZ012345678901"
MEMBER = 987_654_321_098_765_432


@pytest.fixture
def here(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(
        update={
            "storage": StorageSettings(directory=tmp_path),
            "discord": DiscordSettings(token=SecretStr(TOKEN)),
        }
    )


def pages_of(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def test_it_tells_much_and_no_secrets(
    here: Settings, catalogue: Catalogue, tmp_path: Path, store: Any, new_job: Callable[..., Any]
) -> None:
    new = new_job(1, user=MEMBER)
    await store.accept(msgspec.structs.replace(new, request=msgspec.structs.replace(new.request, prompt="my secret")))
    health = Health(at=1.0, version="1", away_since=None, worker=WorkerState.READY, detail="", is_dispatching=True)
    write_health(tmp_path, health)
    (tmp_path / ERRORS).write_text(json.dumps({"error_id": "0123abcd", "user": MEMBER, "at": TOKEN}))
    (tmp_path / f"{ERRORS}.2026-11-28").write_text("yesterday")
    report = f"BAD  token {TOKEN} of {MEMBER}"
    await asyncio.to_thread(bundle, here, catalogue, report, tmp_path / "out.zip")
    pages = pages_of(tmp_path / "out.zip")
    everything = "\n".join(pages.values())
    for hidden in (TOKEN, str(MEMBER), "my secret"):
        assert hidden not in everything
    assert {"doctor.txt", "settings.json", "health.json", f"{ERRORS}.2026-11-28"} <= {*pages}
    assert "0123abcd" in pages[ERRORS]
    assert "<id>" in pages[ERRORS]
    found = json.loads(pages["database.json"])
    assert found["rows"]["jobs"] == 1
    assert found["ends"][0][1:] == ["pocket", "queued", None, 1]
    assert any(package.startswith("discord.py ") for package in json.loads(pages["computer.json"])["packages"])
    assert json.loads(pages["models.json"])[0]["key"] == "pocket"


def test_without_a_database_it_says_so(here: Settings, catalogue: Catalogue, tmp_path: Path) -> None:
    bundle(here, catalogue, "", tmp_path / "out.zip")
    assert json.loads(pages_of(tmp_path / "out.zip")["database.json"]) == {"missing": True}
    (tmp_path / "easel.db").write_text("no database at all, but a text that is long enough to be read as one")
    bundle(here, catalogue, "", tmp_path / "again.zip")
    assert "easel.db" in json.loads(pages_of(tmp_path / "again.zip")["database.json"])["unusable"]


def test_nothing_is_written_over(here: Settings, catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_text("mine")
    with pytest.raises(NotBundled, match="exists"):
        bundle(here, catalogue, "", tmp_path / "out.zip")
    with pytest.raises(NotBundled, match="cannot be written"):
        bundle(here, catalogue, "", tmp_path / "none" / "out.zip")
    assert (tmp_path / "out.zip").read_text() == "mine"


def test_errors_are_kept_beside_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LoggingSettings(), tmp_path)
    try:
        log = structlog.get_logger("bot.test")
        log.warning("not yet an error")
        log.error("it fell", error_id="0123abcd", token=TOKEN)
        (line,) = (tmp_path / ERRORS).read_text().splitlines()
        kept = json.loads(line)
        assert (kept["event"], kept["error_id"], kept["token"]) == ("it fell", "0123abcd", "<hidden>")
        logging.getLogger().handlers[1].close()
        (tmp_path / ERRORS).unlink()
        (tmp_path / ERRORS).mkdir()
        log.error("there is no file")
        said = capsys.readouterr().err
        assert "there is no file" in said
        assert "Logging error" not in said
    finally:
        for handler in logging.getLogger().handlers:
            handler.close()
