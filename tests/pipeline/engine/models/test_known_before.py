"""What the bot knows of whole pipelines before a worker has looked at them: the same as the worker finds."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture
from bot.requests.resolving import resolve
from config.capabilities import lacks_of_files
from config.catalogue import Catalogue, load_catalogue
from config.settings import LimitSettings
from pipeline.engine.families.pipeline_blocks import class_named, is_of_blocks
from pipeline.engine.families.pipeline_classes import facts_of_class, lacks_of_class, takes_scale_as_input
from pipeline.engine.families.registry import FAMILIES
from pipeline.engine.models.capabilities import lacks_of
from pipeline.protocol.catalogue.pipelines import GUIDED_BY_COMPONENT, LACKED_BY_CLASS, SCALE_AS_INPUT
from pipeline.protocol.inputs import Use
from tests.pipeline.backends.children.speech import READY


@pytest.mark.parametrize("name", LACKED_BY_CLASS)
def test_the_table_says_what_a_class_says(name: str) -> None:
    some_class = class_named(name)
    assert {*LACKED_BY_CLASS[name]} == {*lacks_of_class(some_class)}
    assert (name in GUIDED_BY_COMPONENT) == (facts_of_class(some_class).has_guider and not is_of_blocks(some_class))
    assert (name in SCALE_AS_INPUT) == takes_scale_as_input(some_class)


def catalogue_of(tmp_path: Path, index: dict[str, Any], transformer: dict[str, Any], family: str) -> Catalogue:
    """A catalogue with one model, of which only these configurations are there."""
    folder = tmp_path / "model"
    for name, content in {
        "model_index.json": index,
        "transformer/config.json": transformer,
        "unet/config.json": transformer,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    file = tmp_path / "models.toml"
    sampler = '\nsamplers = []\ndefaults = { sampler = "Model\'s own" }' if family == "pipeline" else ""
    file.write_text(
        f"[[model]]\nkey = 'm'\ntitle = 'M'\nfamily = '{family}'\nlicense = '-'{sampler}\n"
        "source = { kind = 'folder', path = 'model' }\n"
    )
    return load_catalogue(file, "m")


@pytest.mark.parametrize(
    ("index", "configuration", "family"),
    [
        ({"_class_name": "FluxPipeline"}, {"guidance_embeds": False}, "pipeline"),
        ({"_class_name": "FluxKontextPipeline"}, {"guidance_embeds": True}, "pipeline"),
        ({"_class_name": "Flux2KleinPipeline", "is_distilled": True}, {}, "pipeline"),
        ({"_class_name": "HunyuanImagePipeline", "guider": [None, None]}, {}, "pipeline"),
        ({"_class_name": "HunyuanImagePipeline", "guider": ["diffusers", "MixGuidance"]}, {}, "pipeline"),
        ({"_class_name": "QwenImageEditPlusPipeline"}, {}, "pipeline"),
        ({"_class_name": "HunyuanImagePipeline"}, {}, "pipeline"),
        ({}, {"time_cond_proj_dim": 256}, "sd"),
        ({}, {"time_cond_proj_dim": None}, "sdxl"),
    ],
)
def test_the_bot_reads_what_the_worker_reads(
    tmp_path: Path, index: dict[str, Any], configuration: dict[str, Any], family: Any
) -> None:
    spec = catalogue_of(tmp_path, index, configuration, family).default
    assert {*lacks_of_files(spec)} == {*lacks_of(tmp_path / "model", FAMILIES[family])}


def test_a_request_before_the_worker_is_ready_is_that_after_it(tmp_path: Path) -> None:
    """A distilled FLUX Kontext: it edits, and a scale means nothing to it."""
    index = {"_class_name": "FluxKontextPipeline"}
    catalogue = catalogue_of(tmp_path, index, {"guidance_embeds": False}, "pipeline")
    given = GivenRequest(prompt="a star --cfg 5", seed=1, image=GivenPicture(sha256="ab" * 32, sides=(512, 512)))
    before = resolve(given, catalogue=catalogue, limits=LimitSettings())
    assert [notice.key for notice in before.notices] == ["notice-option-unused"]
    assert [each.use for each in before.request.inputs] == [Use.EDIT]
    lacks = {"m": lacks_of(tmp_path / "model", FAMILIES["pipeline"])}
    catalogue.heed(msgspec.structs.replace(READY, lacks=lacks))
    assert resolve(given, catalogue=catalogue, limits=LimitSettings()) == before


def test_what_the_files_said_before_is_forgotten_when_the_worker_has_read_them(tmp_path: Path) -> None:
    """A folder may be filled anew while the bot waits for its worker."""
    catalogue = catalogue_of(tmp_path, {"_class_name": "FluxPipeline"}, {"guidance_embeds": False}, "pipeline")
    assert catalogue.default.lacks
    catalogue.heed(READY)
    assert not {*LACKED_BY_CLASS["FluxPipeline"]} & {*catalogue.default.lacks}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"_class_name": 3}', "\x00"])
def test_files_that_say_nothing_take_nothing(tmp_path: Path, content: str) -> None:
    spec = catalogue_of(tmp_path, {}, {}, "pipeline").default
    (tmp_path / "model" / "model_index.json").write_text(content)
    assert lacks_of_files(spec) == ()
