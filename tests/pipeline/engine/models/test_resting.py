"""Text encoders that wait in RAM: the same pictures, less memory, and a choice that says why."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from benchmarks.families import packed
from config.catalogue import Catalogue
from pipeline.announcing import placed
from pipeline.engine.device.group_offload import is_in_ram
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.models import sizes
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.memory import offload, ram_size_of, restore, size_of
from pipeline.engine.models.offering import check_models
from pipeline.engine.models.sizes import expected_bytes
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import Family, FileSource, FolderSource
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.settings import EngineOptions
from tests.lora_files import every_module, write_lora
from tests.pipeline.engine import tiny
from tests.pipeline.engine.away import Away
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.single_files import checkpoint_of, written

PLACEMENT = choose_placement("cpu", "float32")


def resting(spec: ModelSpec, *, rests: bool = True) -> Catalogue:
    changed = msgspec.structs.replace(spec, text_encoder_rests=rests)
    return Catalogue(models={spec.key: changed}, default_key=spec.key)


@pytest.mark.parametrize(
    ("make", "family", "sampler"),
    [
        (tiny.stable_diffusion, "sd", "Euler"),
        (tiny.stable_diffusion_3, "sd3", "Flow Euler"),
        (packed.klein, "flux2", "Flow Euler"),
        (tiny.pixart_sigma, "pipeline", "Model's own"),
    ],
)
def test_pictures_are_the_same(
    make: Callable[[], Any], family: Family, sampler: str, request_: GenerationRequest, tmp_path: Path, away: Away
) -> None:
    pipeline = make()
    pipeline.save_pretrained(tmp_path / "model")
    spec, loras = tiny.catalogue_of(tmp_path / "model", family, sampler).default, None
    request = msgspec.structs.replace(
        request_, model_key=spec.key, scheduler_name=sampler, num_inference_steps=2, width=64, height=64
    )
    if family == "sd":
        # The norm after the last layer but one is called outside of the encoder's own forward.
        spec, loras = msgspec.structs.replace(spec, clip_skip=2), tmp_path
        encoder = {"text_encoder": pipeline.text_encoder}
        write_lora(tmp_path / "fur.safetensors", encoder, {"text_encoder": every_module(pipeline.text_encoder)})
        request = msgspec.structs.replace(request, prompt="a (red:1.3) apple <lora:fur:0.7>")
    whole, split = Studio(resting(spec, rests=False), loras), Studio(resting(spec), loras)
    at_first = away.transferred
    expected, finished = whole.finished(request), split.finished(request)
    assert (finished.outputs, finished.recipe) == (expected.outputs, expected.recipe)
    assert away.transferred > at_first


@pytest.mark.usefixtures("away")
def test_memory_is_foreseen_and_what_rests_never_moves(small_catalogue: Catalogue) -> None:
    plain = msgspec.structs.replace(small_catalogue.default, enlarger=None)
    spec = msgspec.structs.replace(plain, text_encoder_rests=True)
    model = load_model(spec, PLACEMENT, None, lambda: None)
    (encoder,) = (each for each in model.modules if is_in_ram(each))
    on_device, before = size_of(model.modules), expected_bytes(plain, PLACEMENT, None)
    whole = sum(tensor.numel() * tensor.element_size() for tensor in encoder.parameters())
    assert ram_size_of(model.modules) == pytest.approx(whole, rel=0.01)
    assert before is not None
    # The words of the vocabulary are nearly all of so small an encoder.
    assert on_device < before - 0.05 * whole
    assert expected_bytes(spec, PLACEMENT, None) == pytest.approx(on_device, rel=0.02)
    at = [tensor.data_ptr() for tensor in encoder.parameters()]
    offload(model.modules)
    restore(model.modules, torch.device("cpu"))
    assert [tensor.data_ptr() for tensor in encoder.parameters()] == at


@pytest.mark.usefixtures("away")
def test_a_checkpoint_in_one_file_is_foreseen_too(tmp_path: Path) -> None:
    pipeline = tiny.stable_diffusion()
    pipeline.save_pretrained(tmp_path / "config")
    file = written(tmp_path / "model.safetensors", checkpoint_of(pipeline))
    spec = tiny.catalogue_of(tmp_path, "sd").default
    spec = msgspec.structs.replace(spec, source=FileSource(path=str(file), config=str(tmp_path / "config")))
    folder = msgspec.structs.replace(spec, source=FolderSource(path=str(tmp_path / "config")))
    saved = [
        (expected_bytes(each, PLACEMENT, None) or 0)
        - (expected_bytes(msgspec.structs.replace(each, text_encoder_rests=True), PLACEMENT, None) or 0)
        for each in (spec, folder)
    ]
    assert saved[0] > 0
    assert saved[0] == pytest.approx(saved[1], rel=0.01)


def test_the_budget_chooses_and_says_why(small_catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = small_catalogue.default

    def choice(memory_mb: int, **changes: Any) -> tuple[bool | None, str]:
        changed = msgspec.structs.replace(spec, **changes)
        offer = placed(check_models([changed], None), PLACEMENT, EngineOptions(model_memory_mb=memory_mb))
        return offer.models[spec.key].text_encoder_rests, offer.remarks.get(spec.key, "")

    assert choice(1) == (None, "")
    rests, sentence = choice(1, text_encoder_rests=True)
    assert (rests, "has no effect" in sentence) == (True, True)
    monkeypatch.setattr(sizes, "has_own_memory", lambda device: device.type == "cpu")
    rests, sentence = choice(1)
    assert rests
    assert re.search(r"whole model takes 0\.\d GiB and models may take 0\.0 GiB there \(text_encoder_rests\)", sentence)
    assert choice(1, text_encoder_rests=False) == (False, "")
    assert choice(4_000) == (None, "")
