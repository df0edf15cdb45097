"""Entries of the catalogue that name the same network: it is read once, and each entry draws as alone."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.models import controls
from pipeline.engine.models.cache import ModelCache
from pipeline.engine.models.controls import LoadedControlNetwork, control_in
from pipeline.engine.models.memory import size_of
from pipeline.engine.models.networks import control_network_of
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import ControlSpec, FileSource, HubSource
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Finished
from pipeline.protocol.wire.settings import EngineOptions
from tests.pipeline.engine.control_nets import job, spec_of, steered, union_net
from tests.pipeline.engine.given_pictures import photo
from tests.pipeline.engine.scenes import Mixed
from tests.pipeline.engine.tiny import catalogue_of, stable_diffusion_xl

KEYS = ("depth", "lines")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("union")
    pipeline = stable_diffusion_xl()
    pipeline.vae.register_to_config(force_upcast=False)
    pipeline.save_pretrained(folder / "model")
    union_net(pipeline.unet, 2).save_pretrained(folder / "union")
    return folder


@pytest.fixture(scope="module")
def entries(folder: Path) -> dict[str, ControlSpec]:
    """A union of several kinds of pictures, listed for two of them."""
    net = union_net(stable_diffusion_xl().unet, 2)
    spec = spec_of(net, folder, "union", family="sdxl", kind="controlnet-union", union_type=1)
    return {
        key: msgspec.structs.replace(spec, key=key, title=key, union_type=kind)
        for key, kind in zip(KEYS, (1, 3), strict=True)
    }


@pytest.fixture
def tiny_request(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, model_key="tiny", width=64, height=64, num_inference_steps=3)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the entries by which a network was read."""
    read: list[str] = []

    def counted(spec: ControlSpec, *rest: Any) -> Any:
        read.append(spec.key)
        return read_network(spec, *rest)

    read_network = controls.read_network
    monkeypatch.setattr(controls, "read_network", counted)
    return read


def test_a_union_that_is_listed_twice_is_read_once_and_draws_as_each_alone(
    folder: Path,
    entries: dict[str, ControlSpec],
    tiny_request: GenerationRequest,
    reads: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue = catalogue_of(folder / "model", "sdxl")
    picture = photo(64, 64)
    jobs = [steered(job(tiny_request, number, seed=5), {key: picture}) for number, key in enumerate(KEYS, 1)]
    both = steered(job(tiny_request, 3, seed=5), dict.fromkeys(KEYS, picture))
    together = Mixed(catalogue, entries)
    drawn = dict(together.draw([*jobs, both], monkeypatch))
    assert reads == ["depth"]
    recipes = {each.job_id: [*each.recipe.networks] for each in together.of(Finished)}
    assert recipes == {1: ["depth"], 2: ["lines"], 3: ["depth", "lines"]}
    for number, key in enumerate(KEYS, 1):
        alone = Mixed(catalogue, {key: entries[key]}).draw([jobs[number - 1]], monkeypatch)
        torch.testing.assert_close(drawn[number], alone[number], rtol=0, atol=1e-12)
    assert (drawn[1] - drawn[2]).abs().max() > 1e-4
    assert (drawn[3] - drawn[1]).abs().max() > 1e-4


def test_its_memory_is_counted_once(
    folder: Path, entries: dict[str, ControlSpec], tiny_request: GenerationRequest
) -> None:
    spec = catalogue_of(folder / "model", "sdxl").default
    models: dict[str, ModelSpec | ControlSpec] = {spec.key: spec, **entries}
    cache = ModelCache(models, choose_placement("cpu", "float32"), EngineOptions(), Activity())
    request = steered(job(tiny_request), dict.fromkeys(KEYS, photo(64, 64))).request
    _, networks = cache.take_all(request)
    shared = control_network_of(entries["depth"]).key
    assert [*networks] == [*KEYS, shared]
    network = networks[shared]
    assert isinstance(network, LoadedControlNetwork)
    assert cache._bytes_of(networks) == size_of(network.modules) > 0
    one, other = (control_in(networks, Input(role=InputRole.CONTROL, sha256="", network=key)).network for key in KEYS)
    assert one is not other
    assert one.modules[0] is other.modules[0]


def test_networks_are_shared_by_place_kind_and_family(entries: dict[str, ControlSpec]) -> None:
    one, other = entries.values()
    replace = msgspec.structs.replace

    def key(spec: ControlSpec, **changes: Any) -> str:
        return control_network_of(replace(spec, **changes)).key

    assert key(one) == key(other) == key(one, preprocessor="canny", scale=0.5)
    sources = (FileSource(path="a"), FileSource(path="a", config="b"), HubSource(repo_id="a", revision="b"))
    others = [key(one, source=source) for source in sources]
    others += [
        key(one, kind="controlnet"),
        key(one, family="sd"),
        key(one, source=HubSource(repo_id="a", revision="c")),
    ]
    assert len({key(one), *others}) == 7
