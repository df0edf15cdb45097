"""What is done when the device is full, breaks, hangs, or gives numbers that are no picture; faults are injected."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch.nn.functional import interpolate

from config.catalogue import Catalogue
from pipeline.engine.device import fallbacks
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import BrokenImage, DeviceLost, drop_tracebacks
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.loop import Engine
from pipeline.engine.pixels import upscaler
from pipeline.engine.pixels.previews import PreviewMap
from pipeline.engine.pixels.upscaler import LoadedEnlarger
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, Upscale
from pipeline.protocol.wire.messages import Cancel, Failed, Finished, Progress
from tests.pipeline.engine.loaded import model_in
from tests.pipeline.engine.test_batching import Shared
from tests.pipeline.engine.tiny import autoencoder

FULL = "CUDA out of memory. Tried to allocate 2.00 GiB"


def give_decoder(engine: Engine, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder of a new process, which knows what is in the folder `state`."""
    decoder = Decoder(choose_placement("cpu", "float32"), str(state))
    monkeypatch.setattr(engine, "_decoder", decoder)
    monkeypatch.setattr(engine._finishing, "_decoder", decoder)


@pytest.fixture(scope="module")
def loaded(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    return Shared(module_catalogue, state_directory=str(tmp_path_factory.mktemp("learnt")))


@pytest.fixture
def shared(loaded: Shared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shared:
    """Nothing was said and nothing is known of what the device has no room for."""
    loaded.events.clear()
    give_decoder(loaded.engine, tmp_path, monkeypatch)
    return loaded


@pytest.fixture
def vae(shared: Shared) -> Any:
    return model_in(shared.engine).adapter._autoencoder._vae


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch, vae: Any) -> None:
    """Tiles of 32 pixels, so that the shipped model's pictures have some."""
    monkeypatch.setattr(fallbacks, "TILE_SIDE", 32)
    monkeypatch.setattr(upscaler, "TILE_SIDE", 32)
    monkeypatch.setattr(vae, "tile_sample_min_size", 32)
    monkeypatch.setattr(vae, "tile_latent_min_size", 8)
    monkeypatch.setattr(vae, "tile_overlap_factor", 0.25)


def picture_of(shared: Shared, job_id: int, request: GenerationRequest) -> bytes:
    shared.submit(job_id, request)
    shared.engine.run_until_idle()
    assert not shared.of(Failed, job_id), shared.of(Failed, job_id)
    (finished,) = shared.of(Finished, job_id)
    return finished.outputs[0].data


def full_over(module: Any, side: int, sides: list[int]) -> Callable[..., torch.Tensor]:
    """The module's forward on a device that has room for inputs of so many pixels a side."""
    forward = module.forward

    def limited(numbers: torch.Tensor) -> torch.Tensor:
        sides.append(max(numbers.shape[2:]))
        if sides[-1] > side:
            raise torch.OutOfMemoryError(FULL)
        return forward(numbers)

    return limited


@pytest.mark.usefixtures("small_tiles")
def test_a_full_device_decodes_in_tiles_and_remembers(
    shared: Shared, vae: Any, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sides: list[int] = []
    monkeypatch.setattr(vae.decoder, "forward", full_over(vae.decoder, 8, sides))
    first = picture_of(shared, 1, request_)
    assert sides[0] == 16
    assert set(sides[1:]) <= set(range(9))
    sides.clear()
    assert picture_of(shared, 2, request_) == first
    assert 16 not in sides, "it is tried once"
    # A new process knows it too.
    give_decoder(shared.engine, tmp_path, monkeypatch)
    assert picture_of(shared, 3, request_) == first
    assert 16 not in sides
    assert not vae.use_tiling, "previews are drawn with it as well"


@pytest.mark.usefixtures("small_tiles")
def test_tiles_make_nearly_the_same_picture(shared: Shared) -> None:
    adapter = model_in(shared.engine).adapter
    latents = torch.randn((1, 4, 16, 24), generator=torch.Generator().manual_seed(0)) * 0.3
    whole, tiled = (adapter.decode(latents, way) for way in ("direct", "tiled"))
    assert tiled.shape == whole.shape == (1, 3, 64, 96)
    assert 0 < (whole - tiled).abs().mean().item() < 0.02
    encoded = [adapter.encode(whole, way) for way in ("direct", "tiled")]
    assert encoded[1].shape == encoded[0].shape == latents.shape
    assert (encoded[0] - encoded[1]).abs().mean().item() < 0.05


def test_what_no_tile_helps_is_done_on_the_processor(
    shared: Shared, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    upscaled = msgspec.structs.replace(request_, upscale=Upscale(scale=2, strength=0.5))
    expected = picture_of(shared, 1, upscaled)
    tried: list[str] = []

    def full(_: Any, way: str, *work: object) -> torch.Tensor:
        del work
        tried.append(way)
        raise torch.OutOfMemoryError(FULL)

    monkeypatch.setattr(Autoencoder, "fallbacks", lambda *_: ("direct", "tiled", "cpu"))
    monkeypatch.setattr(Autoencoder, "_on_device", full)
    assert picture_of(shared, 2, upscaled) == expected
    # Decoded and encoded for the second pass, and decoded at the larger size.
    assert tried == ["direct", "tiled"] * 3


def test_what_fits_nowhere_is_refused_and_its_mate_drawn(
    shared: Shared, request_: GenerationRequest, vae: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vae.decoder, "forward", full_over(vae.decoder, 16, []))
    shared.submit(1, msgspec.structs.replace(request_, width=96))
    picture_of(shared, 2, request_)
    (failed,) = shared.of(Failed, 1)
    assert failed.reason is FailureReason.OUT_OF_MEMORY


@pytest.mark.usefixtures("small_tiles")
def test_a_full_device_enlarges_in_tiles(module_catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = module_catalogue.default.enlarger
    assert spec is not None
    enlarger = LoadedEnlarger(spec, choose_placement("cpu", "float32"))
    pixels = torch.rand((1, 3, 40, 72), generator=torch.Generator().manual_seed(0))
    whole = enlarger.enlarge(pixels)
    assert enlarger.fallbacks(40, 72) == ("direct", "tiled")
    assert (enlarger.enlarge(pixels, "tiled") - whole).abs().max().item() < 1e-4
    assert enlarger.enlarge(pixels, "cpu").equal(whole)
    monkeypatch.setattr(
        enlarger._model.model, "forward", lambda numbers: interpolate(numbers, scale_factor=4) * torch.nan
    )
    with pytest.raises(BrokenImage):
        enlarger.enlarge(pixels, "tiled")


def test_a_vae_that_leaves_its_range_runs_in_float32_from_then_on() -> None:
    vae: Any = autoencoder()
    vae.to(torch.bfloat16)
    coder = Autoencoder(vae, choose_placement("cpu", "bfloat16"))
    forward, seen = vae.decoder.forward, list[torch.dtype]()

    def breaking(numbers: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(numbers.dtype)
        return forward(numbers, *rest) * (1.0 if numbers.dtype is torch.float32 else torch.inf)

    vae.decoder.forward = breaking
    latents = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(0))
    first = coder.decode(latents)
    assert first.isfinite().all()
    assert coder.decode(latents).equal(first)
    assert seen == [torch.bfloat16, torch.float32, torch.float32]


@pytest.mark.parametrize("color", [torch.nan, torch.inf, -1.0, 0.3])
def test_what_is_no_picture_in_float32_either_is_broken(color: float) -> None:
    vae: Any = autoencoder()
    vae.to(torch.bfloat16)
    coder = Autoencoder(vae, choose_placement("cpu", "bfloat16"))
    vae.decoder.forward = lambda numbers, *_: torch.full((1, 3, 32, 32), color, dtype=numbers.dtype)
    with pytest.raises(BrokenImage):
        coder.decode(torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(0)))


def test_a_picture_may_be_black() -> None:
    vae: Any = autoencoder()
    coder = Autoencoder(vae, choose_placement("cpu", "float32"))
    noise = torch.rand((1, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    vae.decoder.forward = lambda *_: -1.0 - noise / 100
    latents = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(0))
    assert coder.decode(latents).max().item() == 0.0
    vae.decoder.forward = lambda *_: torch.full((1, 3, 32, 32), -1.0)
    assert coder.decode(torch.zeros_like(latents)).max().item() == 0.0, "nothing else is in flat latents"


@pytest.mark.parametrize("where", ["decode", "enlarge"])
def test_a_device_that_breaks_beside_the_steps_ends_the_process(
    shared: Shared, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    upscale = Upscale(scale=2, strength=0.5) if where == "enlarge" else None
    shared.submit(1, msgspec.structs.replace(request_, num_inference_steps=60))
    shared.submit(2, msgspec.structs.replace(request_, num_inference_steps=2, upscale=upscale))

    def break_down(*_: object) -> torch.Tensor:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(shared.engine._decoder, "decode", break_down)
    with pytest.raises(DeviceLost, match="illegal memory access"):
        shared.engine.run_until_idle()
    # The supervisor tells the others when the process has ended, and nobody is told twice.
    assert [(event.job_id, event.reason) for event in shared.events if isinstance(event, Failed)] == [
        (2, FailureReason.DEVICE_ERROR)
    ]
    clear(shared, 1)


def test_a_device_that_breaks_over_a_preview_ends_the_process(
    shared: Shared, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> bytes:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(shared.engine._preview_jobs, "_interval_s", 0.001)
    monkeypatch.setattr(PreviewMap, "draw", break_down)
    shared.submit(1, msgspec.structs.replace(request_, num_inference_steps=60))
    with pytest.raises(DeviceLost, match="device-side assert"):
        shared.engine.run_until_idle()
    assert not [event for event in shared.events if isinstance(event, Failed)]
    clear(shared, 1)


def clear(shared: Shared, job_id: int) -> None:
    """The device did not really break, so that the engine can be used on."""
    shared.engine.cancel(Cancel(job_id=job_id, attempt=1))
    shared.engine.run_until_idle()


def test_a_decoding_that_hangs_is_seen_while_steps_go_on(
    shared: Shared, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, decode = threading.Event(), shared.engine._decoder.decode

    def hang(*given: Any) -> torch.Tensor:
        go_on.wait(60)
        return decode(*given)

    monkeypatch.setattr(shared.engine._decoder, "decode", hang)
    activity = shared.engine._activity
    shared.submit(1, msgspec.structs.replace(request_, num_inference_steps=1))
    shared.submit(2, msgspec.structs.replace(request_, num_inference_steps=150))
    while not shared.engine._finishing.jobs:
        shared.engine.tick()
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        shared.engine.tick()
    steps = shared.of(Progress, 2)[-1].step
    phase, quiet_s = activity.read()
    assert phase == "running"
    assert quiet_s > 0.4
    assert steps > 2
    go_on.set()
    clear(shared, 2)
    assert shared.of(Finished, 1)
    assert activity.read() == ("idle", 0.0)


def test_a_failure_without_tracebacks_keeps_no_tensor() -> None:
    def fail() -> None:
        held = torch.zeros(3)
        try:
            held.reshape(2)
        except RuntimeError as error:
            raise torch.OutOfMemoryError(FULL) from error

    with pytest.raises(torch.OutOfMemoryError) as caught:
        fail()
    failure = caught.value
    assert failure.__traceback__ is not None
    drop_tracebacks(failure)
    assert failure.__traceback__ is None
    assert failure.__cause__ is not None
    assert failure.__cause__.__traceback__ is None
