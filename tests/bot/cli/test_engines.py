"""What commands say of engines of others and their models."""

from pathlib import Path

import pytest
from rich.console import Console

from bot.cli.doctor.engines import engine_findings
from bot.cli.models.failing import ModelsFailed
from bot.cli.models.fetching import fetchable
from bot.cli.models.listing import sources_of
from bot.cli.working import CannotDraw, started_worker
from config.catalogue import load_catalogue
from config.loading import load_settings
from config.settings import Settings
from tests.config.test_engines import DRAWN, ENTRY, written
from tests.small_comfyui import WORKFLOW, small_comfyui


async def said(folder: Path, servers: str) -> list[str]:
    file = folder / "easel.toml"
    file.write_text(servers, encoding="utf-8")
    catalogue = load_catalogue(folder / "models.toml", "a")
    return [str(finding) async for finding in engine_findings(load_settings(file), catalogue)]


async def test_what_draws_here_alone_says_so(tmp_path: Path) -> None:
    catalogue = load_catalogue(written(tmp_path, ENTRY + DRAWN), "a")
    with pytest.raises(CannotDraw, match="choose another model"):
        async with started_worker("a", Settings(), catalogue, Console()):
            pass
    with pytest.raises(ModelsFailed, match="nothing to download"):
        fetchable(catalogue, "a")
    assert [*sources_of(catalogue.default)] == []  # not the folder that the bot was started in


async def test_each_address_is_asked(tmp_path: Path) -> None:
    written(tmp_path, ENTRY + DRAWN)
    async with small_comfyui() as server, small_comfyui("secret") as locked:
        urls = f'urls = ["{server.url}", "{locked.url}", "http://127.0.0.1:1"]'
        fine, refused, away = await said(tmp_path, f'[engines.servers.workshop]\nkind = "comfyui"\n{urls}\n')
        assert fine.startswith("ok")
        assert "ComfyUI 0.9.2" in fine
        assert "Small GPU" in fine
        assert refused.startswith("BAD")
        assert "401" in refused
        assert "cannot be reached" in away


async def test_what_the_files_say_wrongly_is_found(tmp_path: Path) -> None:
    written(tmp_path, ENTRY + DRAWN, {**WORKFLOW, "1": {"class_type": "FancyNode", "inputs": {}}})
    assert "not in engines.servers" in (await said(tmp_path, ""))[0]
    async with small_comfyui() as server:
        both = f'kind = "comfyui"\nurls = ["{server.url}"]\n'
        lines = await said(tmp_path, f"[engines.servers.workshop]\n{both}[engines.servers.spare]\n{both}")
        assert "FancyNode" in lines[0]
        assert "no model of the catalogue" in lines[1]
    missing = f'{both}key_file = "{tmp_path / "none"}"\n'
    assert "The key of the engine 'workshop'" in (await said(tmp_path, f"[engines.servers.workshop]\n{missing}"))[0]
