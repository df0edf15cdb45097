"""Control nets and reference adapters of a catalogue: which models can use them, and each mistake in one sentence."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from config.catalogue import Catalogue, load_catalogue
from config.loading import ConfigError
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue import models
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.catalogue.networks import FolderSource
from pipeline.protocol.inputs import Use
from tests.control_nets import CANNY
from tests.pipeline.backends.children.speech import READY

MODELS = "".join(
    f'[[model]]\nkey = "{key}"\ntitle = "{key}"\nfamily = "{family}"\nlicense = "MIT"\n'
    'source = { kind = "folder", path = "m" }\n'
    for key, family in (("a", "sd"), ("b", "sdxl"))
)
CONTROL = """[[controls]]
key = "canny"
title = "Lines"
family = "sd"
kind = "controlnet"
use = "lines"
preprocessor = "canny"
license = "OpenRAIL"
source = { kind = "folder", path = "nets/canny" }
"""
REFERENCE = """[[references]]
key = "plus"
title = "IP-Adapter Plus"
family = "sdxl"
uses = ["style", "subject"]
license = "Apache-2.0"
source = { kind = "file", path = "nets/plus.safetensors" }
encoder = { kind = "folder", path = "nets/encoder" }
"""


def load(tmp_path: Path, text: str) -> Catalogue:
    path = tmp_path / "models.toml"
    path.write_text(MODELS + text)
    return load_catalogue(path, "a")


@pytest.fixture
def guided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Families that can heed pictures, whatever the engine can do today."""
    able = {
        family: msgspec.structs.replace(
            facts, capabilities=facts.capabilities | {Capability.CONTROL, Capability.REFERENCE}
        )
        for family, facts in FAMILY_FACTS.items()
    }
    facts: Mapping[str, Any] = MappingProxyType(able)
    monkeypatch.setattr(models, "FAMILY_FACTS", facts)


@pytest.mark.usefixtures("guided")
def test_a_model_can_what_a_network_of_its_family_gives_it(tmp_path: Path) -> None:
    catalogue = load(tmp_path, CONTROL + REFERENCE)
    a, b = catalogue.models.values()
    assert (a.can(Capability.CONTROL), a.can(Capability.REFERENCE)) == (True, False)
    assert (b.can(Capability.CONTROL), b.can(Capability.REFERENCE)) == (False, True)
    assert [each.key for each in catalogue.guides_for(a, Use.LINES)] == ["canny"]
    assert [each.key for each in catalogue.guides_for(b, Use.STYLE)] == ["plus"]
    for spec, use in ((a, Use.STYLE), (b, Use.LINES), (a, Use.POSE), (b, Use.FACE)):
        assert catalogue.guides_for(spec, use) == ()


@pytest.mark.usefixtures("guided")
def test_a_network_that_is_missing_gives_nothing(tmp_path: Path) -> None:
    catalogue = load(tmp_path, CONTROL + REFERENCE)
    ready = msgspec.structs.replace(READY, missing={"canny": "Its files are not there."})
    catalogue.heed(ready)
    a, b = catalogue.models.values()
    assert not a.can(Capability.CONTROL)
    assert catalogue.guides_for(a, Use.LINES) == ()
    assert b.can(Capability.REFERENCE)
    catalogue.heed(msgspec.structs.replace(ready, missing={}))
    assert catalogue.models["a"].can(Capability.CONTROL)


def test_without_networks_no_model_can_heed_a_picture(tmp_path: Path) -> None:
    for spec in load(tmp_path, "").models.values():
        assert not spec.can(Capability.CONTROL)
        assert not spec.can(Capability.REFERENCE)


def test_paths_are_absolute_and_defaults_are_those_of_the_publishers(tmp_path: Path) -> None:
    depth = CONTROL.replace("canny", "depth").replace('"lines"', '"depth"')
    catalogue = load(tmp_path, CONTROL + depth + 'preprocessor_model = { kind = "folder", path = "d" }\n' + REFERENCE)
    net, other = catalogue.controls.values()
    assert net.source == FolderSource(path=str((tmp_path / "nets/canny").resolve()))
    assert other.preprocessor_model == FolderSource(path=str((tmp_path / "d").resolve()))
    (reference,) = catalogue.references.values()
    assert reference.source.path == str((tmp_path / "nets/plus.safetensors").resolve())
    assert reference.encoder == FolderSource(path=str((tmp_path / "nets/encoder").resolve()))
    assert (net.scale, net.start, net.end, net.work) == (1.0, 0.0, 1.0, 0.283)
    assert (reference.scale, reference.start, reference.end) == (0.6, 0.0, 0.5)


@pytest.mark.parametrize(
    ("changes", "work"),
    [({}, 0.283), ({"family": "sdxl"}, 0.755), ({"kind": "t2i-adapter"}, 0.06), ({"cost": 0.5}, 0.5)],
)
def test_the_work_of_a_net_is_its_own_or_that_of_its_kind(changes: dict[str, Any], work: float) -> None:
    assert msgspec.structs.replace(CANNY, **changes).work == work


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (CONTROL + CONTROL, "two entries with the key 'canny'"),
        (CONTROL.replace('"canny"\ntitle', '"a"\ntitle'), "two entries with the key 'a'"),
        (CONTROL + REFERENCE.replace('"plus"', '"canny"'), "two entries with the key 'canny'"),
        (CONTROL.replace('"Lines"', '" "'), "control net 'canny' in .*title is empty"),
        (CONTROL + "start = 0.5\nend = 0.5\n", r"start 0\.5 is not below its end 0\.5"),
        (CONTROL.replace('preprocessor = "canny"', 'preprocessor = "depth"'), "depth needs a preprocessor_model"),
        (CONTROL + 'preprocessor_model = { kind = "folder", path = "d" }\n', "canny needs no model"),
        (CONTROL.replace('"controlnet"', '"controlnet-union"'), "union_type is for"),
        (CONTROL + "union_type = 3\n", "union_type is for"),
        (CONTROL.replace('"controlnet"', '"t2i-adapter"') + "guess = true\n", "no guess mode"),
        (CONTROL + "scale = 3\n", "controls"),
        (CONTROL.replace('"lines"', '"style"'), "controls"),
        (REFERENCE.replace('"plus"', '"b"'), "two entries with the key 'b'"),
        (REFERENCE.replace('["style", "subject"]', '["style", "style"]'), "reference adapter 'plus' .*a use twice"),
        (REFERENCE.replace('["style", "subject"]', "[]"), "references"),
        (REFERENCE.replace('kind = "file"', 'kind = "folder"'), "references"),
    ],
)
def test_a_wrong_network_gets_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as error:
        load(tmp_path, text)
    assert "\n" not in str(error.value)
