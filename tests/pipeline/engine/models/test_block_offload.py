"""Networks that wait in RAM and come block by block: the same bits, less memory, and fewer bytes for each picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.families import grids, packed
from config.catalogue import Catalogue
from pipeline.engine.device.acceleration import AcceleratorUnavailable, check_acceleration
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models import memory
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.weights.storage import check_parts
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import Family, FolderSource
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Finished, Submit
from pipeline.protocol.wire.settings import Acceleration
from tests.pipeline.engine import tiny
from tests.pipeline.engine.away import Away
from tests.pipeline.engine.conftest import Studio

PLACEMENT = choose_placement("cpu", "float32")
KINDS: dict[str, tuple[Callable[[], Any], Family, str]] = {
    "U-Net": (tiny.stable_diffusion, "sd", "Euler"),
    "SD 3": (tiny.stable_diffusion_3, "sd3", "Flow Euler"),
    "Z-Image": (grids.z_image, "z-image", "Flow Euler"),
    "klein": (packed.klein, "flux2", "Flow Euler"),
    "FLUX.1": (packed.flux_dev, "flux", "Flow Euler"),
    "Chroma": (packed.chroma, "flux", "Flow Euler"),
    "whole pipeline": (tiny.pixart_sigma, "pipeline", "Model's own"),
}

# diffusers' own transformer of Chroma makes a class by its old name.
pytestmark = pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning")


def saved(name: str, folder: Path) -> ModelSpec:
    make, family, sampler = KINDS[name]
    make().save_pretrained(folder)
    return tiny.catalogue_of(folder, family, sampler).default


def opened(spec: ModelSpec, **changes: Any) -> Studio:
    changed = msgspec.structs.replace(spec, **changes)
    return Studio(Catalogue(models={spec.key: changed}, default_key=spec.key))


def asked(request: GenerationRequest, spec: ModelSpec, **changes: Any) -> GenerationRequest:
    usual = {"model_key": spec.key, "scheduler_name": spec.defaults.sampler, "num_inference_steps": 2}
    return msgspec.structs.replace(request, width=64, height=64, **{**usual, **changes})


@pytest.mark.parametrize("name", KINDS)
def test_pictures_are_the_same_and_memory_is_foreseen(
    name: str, request_: GenerationRequest, tmp_path: Path, away: Away
) -> None:
    spec = saved(name, tmp_path)
    whole, split = opened(spec), opened(spec, offload="blocks")
    at_first, request = away.transferred, asked(request_, spec)
    expected, finished = whole.finished(request), split.finished(request)
    assert (finished.outputs, finished.recipe) == (expected.outputs, expected.recipe)
    assert away.transferred > at_first
    offloaded = msgspec.structs.replace(spec, offload="blocks")
    on_device = memory.size_of(load_model(offloaded, PLACEMENT, None, lambda: None).modules)
    assert expected_bytes(offloaded, PLACEMENT, None) == pytest.approx(on_device, rel=0.02)


@pytest.mark.usefixtures("away")
def test_of_many_blocks_two_are_on_the_device(tmp_path: Path) -> None:
    pipeline = packed.klein()
    pipeline.transformer = type(pipeline.transformer).from_config({**pipeline.transformer.config, "num_layers": 12})
    pipeline.save_pretrained(tmp_path)
    spec = tiny.catalogue_of(tmp_path, "flux2", "Flow Euler").default
    block = memory.size_of([pipeline.transformer.transformer_blocks[0]])
    sizes = [
        (memory.size_of(load_model(each, PLACEMENT, None, lambda: None).modules), expected_bytes(each, PLACEMENT, None))
        for each in (spec, msgspec.structs.replace(spec, offload="blocks"))
    ]
    assert sizes[0][0] - sizes[1][0] >= 10 * block
    assert sizes[1][1] == pytest.approx(sizes[1][0], rel=0.02)


def test_company_changes_no_bit_and_makes_a_picture_cheaper(
    request_: GenerationRequest, tmp_path: Path, away: Away
) -> None:
    """One of its networks is kept in float8 too."""
    spec = saved("Z-Image", tmp_path)
    studio = opened(spec, offload="blocks", weights={"transformer": "float8"})
    studio.engine._max_running = 3
    jobs = [
        asked(request_, spec, num_inference_steps=2 + seed, seed=seed, guidance_scale=(1.0, 4.0, 3.0)[seed])
        for seed in range(3)
    ]
    at_first = away.transferred
    alone = [studio.finished(job).outputs for job in jobs]
    alone_bytes = away.transferred - at_first
    studio.events.clear()
    for number, job in enumerate(jobs):
        studio.engine.submit(Submit(job_id=number, attempt=1, request=job))
    studio.engine.run_until_idle()
    together = {event.job_id: event.outputs for event in studio.events if isinstance(event, Finished)}
    assert [together[number] for number in range(3)] == alone
    assert away.transferred - at_first - alone_bytes <= 0.5 * alone_bytes


@pytest.mark.usefixtures("away")
def test_row_counts_are_learnt_anew_for_a_network_in_ram(tmp_path: Path) -> None:
    spec = saved("U-Net", tmp_path)
    ways = (spec, msgspec.structs.replace(spec, offload="blocks"))
    assert len({load_model(way, PLACEMENT, None, lambda: None).network_name for way in ways}) == len(ways)


def test_what_does_not_go_together_is_a_sentence() -> None:
    placement = choose_placement("cpu", "float32", Acceleration(accelerator="compile"))
    with pytest.raises(AcceleratorUnavailable, match=r"accelerator to none, or leave offload out"):
        check_acceleration(placement, has_loras=False, has_offload=True)
    spec = ModelSpec(key="a", title="Blind", source=FolderSource(path="/"), family="pipeline", license="")
    for changes, components, said in (
        ({"text_encoder_rests": True}, ["unet", "tokenizer"], "text_encoder_rests in its entry, and no text encoder"),
        ({"offload": "blocks"}, ["text_encoder"], "Blind has offload in its entry, and no transformer or U-Net"),
        ({"offload": "blocks", "weights": {"unet": "nf4"}}, ["unet"], "leave in floats; leave offload out"),
    ):
        with pytest.raises(ModelUnavailable, match=said):
            check_parts(msgspec.structs.replace(spec, **changes), components)
