"""Entries of the catalogue that engines of others draw."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.configure import make_backend, make_configure
from bot.errors import Refused
from bot.requests.derived.deriving import making_of, upscale
from bot.requests.given import GivenRequest
from bot.requests.options.sizes import read_size
from bot.requests.resolving import resolve
from config.catalogue import load_catalogue
from config.loading import ConfigError, load_settings
from config.settings import Settings
from pipeline.backends.engines.joined import JoinedBackend
from pipeline.protocol.capabilities import Capability
from tests.small_comfyui import WORKFLOW

ENTRY = '[[model]]\nkey = "a"\ntitle = "A"\nlicense = "none"\n'
DRAWN = 'drawn_by = { engine = "workshop", workflow = "flux.json" }\n'
OURS = '[[model]]\nkey = "b"\ntitle = "B"\nlicense = "none"\nfamily = "sd"\nsource = { kind = "folder", path = "b" }\n'
SERVER = '[engines.servers.workshop]\nkind = "comfyui"\nurls = ["http://127.0.0.1:1/"]\n'


def written(folder: Path, catalogue: str, workflow: Any = WORKFLOW) -> Path:
    text = workflow if isinstance(workflow, str) else json.dumps(workflow)
    (folder / "flux.json").write_text(text, encoding="utf-8")
    (folder / "models.toml").write_text(catalogue, encoding="utf-8")
    return folder / "models.toml"


def test_a_model_can_what_its_workflow_has_places_for(tmp_path: Path) -> None:
    every = load_catalogue(written(tmp_path, ENTRY + DRAWN), "a").default
    assert every.can(Capability.NEGATIVE_PROMPT)
    assert every.can(Capability.SEED)
    assert not every.can(Capability.INIT_IMAGE)
    assert "DPM++ 2M Karras" in every.offered_samplers
    assert "PLMS" not in every.offered_samplers  # ComfyUI has none
    few = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a photo of {prompt}"}}}
    least = load_catalogue(written(tmp_path, ENTRY + DRAWN, few), "a").default
    missing = (Capability.NEGATIVE_PROMPT, Capability.GUIDANCE, Capability.STEPS, Capability.SAMPLER, Capability.SEED)
    assert not any(map(least.can, missing))
    assert least.defaults.sampler == "Model's own"
    assert least.defaults.cfg == 1.0


@pytest.mark.parametrize(
    ("entry", "workflow", "words"),
    [
        (ENTRY, WORKFLOW, "neither a source and a family"),
        (ENTRY + DRAWN + 'family = "sd"\n', WORKFLOW, "leave out source and family"),
        (ENTRY + DRAWN + "clip_skip = 2\n", WORKFLOW, "leave out clip_skip"),
        (ENTRY + DRAWN + 'samplers = ["PLMS"]\ndefaults = { sampler = "PLMS" }\n', WORKFLOW, "leave out samplers"),
        (ENTRY + DRAWN, "{", "no JSON"),
        (ENTRY + DRAWN, {"nodes": [], "links": []}, "Export (API)"),
        (ENTRY + DRAWN, {"1": {"class_type": "A", "inputs": {"text": "a cat"}}}, '"{prompt}"'),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, entry: str, workflow: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_catalogue(written(tmp_path, entry, workflow), "a")
    assert words in str(caught.value)


def test_an_engine_that_the_settings_lack_is_named(tmp_path: Path) -> None:
    catalogue = load_catalogue(written(tmp_path, ENTRY + DRAWN), "a")
    file = tmp_path / "easel.toml"
    file.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="'workshop'"):
        make_backend(load_settings(file), catalogue)


async def test_the_worker_hears_nothing_of_models_that_others_draw(tmp_path: Path) -> None:
    catalogue = load_catalogue(written(tmp_path, ENTRY + DRAWN + OURS), "a")
    file = tmp_path / "easel.toml"
    file.write_text(SERVER, encoding="utf-8")
    settings = load_settings(file)
    configure = make_configure(settings, catalogue)
    assert [spec.key for spec in configure.models] == ["b"]
    assert configure.preload is None
    assert isinstance(make_backend(settings, catalogue), JoinedBackend)


def test_a_key_is_read_from_its_file_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("very-secret\n", encoding="utf-8")
    file = tmp_path / "easel.toml"
    file.write_text(f'{SERVER}key_file = "{tmp_path / "key"}"\n', encoding="utf-8")
    engine = load_settings(file).engines.servers["workshop"]
    assert engine.read_key("workshop") == "very-secret"
    assert engine.urls == ("http://127.0.0.1:1",)
    file.write_text(f'{SERVER}key = "open sesame"\n', encoding="utf-8")
    settings = load_settings(file)
    assert "sesame" not in settings.model_dump_json()
    with pytest.raises(Exception, match="not one word") as caught:
        settings.engines.servers["workshop"].read_key("workshop")
    assert "sesame" not in str(caught.value)


SERVICE = 'drawn_by = { engine = "cloud", model = "gpt-image-2", sizes = ["1024x1024", "1536x1024"], price = 0.04 }\n'
SQUARE = "defaults = { width = 1024, height = 1024 }\n"


def test_a_service_draws_its_own_sizes_and_members_are_told(tmp_path: Path) -> None:
    spec = load_catalogue(written(tmp_path, ENTRY + SERVICE + SQUARE), "a").default
    limits = Settings().limits
    assert read_size("wide", spec, limits)[:2] == (1536, 1024)
    width, height, notice = read_size("700x700", spec, limits)
    assert (width, height) == (1024, 1024)
    assert notice is not None
    assert read_size("3:2", spec, limits) == (1536, 1024, None)
    assert not spec.facts.has_weights
    assert not spec.can(Capability.SEED)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (ENTRY + SERVICE, "default size is not among"),
        (ENTRY + 'drawn_by = { engine = "cloud" }\n', "either a workflow or a model"),
        (ENTRY + DRAWN.replace(" }", ', takes = ["seed"] }'), "leave out takes"),
    ],
)
def test_a_mistake_about_a_service_is_one_sentence(tmp_path: Path, entry: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_catalogue(written(tmp_path, entry), "a")
    assert words in str(caught.value)


def test_an_engine_of_the_other_kind_is_told(tmp_path: Path) -> None:
    catalogue = load_catalogue(written(tmp_path, ENTRY + SERVICE.replace("cloud", "workshop") + SQUARE), "a")
    file = tmp_path / "easel.toml"
    file.write_text(f"[engines]\nmonthly_budget = 1.0\n{SERVER}", encoding="utf-8")
    with pytest.raises(ConfigError, match="needs a workflow"):
        make_backend(load_settings(file), catalogue)


def test_a_price_needs_a_budget(tmp_path: Path) -> None:
    catalogue = load_catalogue(written(tmp_path, ENTRY + SERVICE + SQUARE), "a")
    file = tmp_path / "easel.toml"
    server = '[engines.servers.cloud]\nkind = "openai"\nurls = ["http://127.0.0.1:1/v1"]\n'
    file.write_text(server, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"engines\.monthly_budget"):
        make_backend(load_settings(file), catalogue)


def test_what_another_program_cannot_do_is_told_or_not_offered(tmp_path: Path) -> None:
    catalogue = load_catalogue(written(tmp_path, ENTRY + SERVICE + SQUARE), "a")
    spec, limits = catalogue.default, Settings().limits
    given = GivenRequest(prompt="a star <lora:fur:1>", seed=3, scheduler_name="Heun", num_inference_steps=9)
    resolved = resolve(given, catalogue=catalogue, limits=limits)
    assert resolved.request.prompt == "a star"
    told = {str(notice.values.get("option", notice.key)) for notice in resolved.notices}
    assert {"seed", "sampler", "steps", "notice-tags-elsewhere"} <= told
    with pytest.raises(Refused, match="refused-upscale-seed"):
        upscale(resolved.request, 0, spec, limits)
    with pytest.raises(Refused):
        making_of(resolved.request, 0, spec)
