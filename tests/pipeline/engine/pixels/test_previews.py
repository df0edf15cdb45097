"""Pictures of what is not finished: small, in time, and better where the model has a small decoder."""

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from PIL import Image, ImageChops, ImageStat

from config.catalogue import Catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import BrokenImage, ModelUnavailable
from pipeline.engine.loop import Engine
from pipeline.engine.models.loading import LoadedModel, load_model
from pipeline.engine.pixels.previews import PREVIEW_SIDE, PreviewTurn
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FolderSource
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Finished, JobEvent, Progress, Submit
from pipeline.protocol.wire.settings import EngineOptions

PLACEMENT = choose_placement("cpu", "float32")


@pytest.fixture(scope="module")
def model(module_catalogue: Catalogue) -> LoadedModel:
    return load_model(module_catalogue.default, PLACEMENT, None, lambda: None)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def finished_picture(catalogue: Catalogue, request: GenerationRequest, previews: list[bytes]) -> Image.Image:
    """Draw with a preview at every step that has time for one."""
    events: list[JobEvent] = []
    engine = Engine(
        models=catalogue.models,
        placement=PLACEMENT,
        emit=events.append,
        activity=Activity(),
        options=EngineOptions(preview_interval_s=1e-6),
    )
    engine.submit(Submit(job_id=1, attempt=1, request=request))
    engine.run_until_idle()
    previews += [event.preview for event in events if isinstance(event, Progress) and event.preview]
    (finished,) = [event for event in events if isinstance(event, Finished)]
    return opened(finished.outputs[0].data)


@pytest.mark.usefixtures("every_preview_is_in_time")
def test_the_first_step_is_told_with_its_preview(module_catalogue: Catalogue, request_: GenerationRequest) -> None:
    events: list[JobEvent] = []
    engine = Engine(
        models=module_catalogue.models,
        placement=PLACEMENT,
        emit=events.append,
        activity=Activity(),
        options=EngineOptions(preview_interval_s=3_600.0),
    )
    engine.submit(Submit(job_id=1, attempt=1, request=msgspec.structs.replace(request_, num_inference_steps=30)))
    engine.run_until_idle()
    told = [event for event in events if isinstance(event, Progress) and event.phase == "running"]
    assert [bool(event.preview) for event in told].count(True) == 1
    assert [bool(event.preview) for event in told[:2]] == [False, True], "the first word after the start shows it"
    assert [event.step for event in told] == sorted(event.step for event in told)


@pytest.mark.usefixtures("every_preview_is_in_time")
def test_a_better_preview_is_closer_to_the_picture(module_catalogue: Catalogue, request_: GenerationRequest) -> None:
    previews: list[bytes] = []
    request = msgspec.structs.replace(request_, num_inference_steps=30)
    picture = finished_picture(module_catalogue, request, previews)
    assert len(previews) >= 3
    for data in previews:
        with Image.open(io.BytesIO(data)) as shown:
            assert (shown.format, max(shown.size)) == ("WEBP", PREVIEW_SIDE)
    last = difference(opened(previews[-1]).resize(picture.size), picture)
    assert last < difference(opened(previews[0]).resize(picture.size), picture)
    assert last < 30


def test_a_decoder_shows_forms_that_the_map_has_no_room_for(model: LoadedModel) -> None:
    assert model.preview is not None
    assert model.preview_decoder is not None
    latents = torch.randn((2, 4, 8, 12), generator=torch.Generator().manual_seed(0))
    mapped, decoded = opened(model.preview.draw(latents)), opened(model.preview_decoder.draw(latents))
    assert mapped.size == decoded.size == (PREVIEW_SIDE, 171)
    pixels = torch.cat(list(model.adapter.decode(latents)), dim=2)
    array = (pixels.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    truth = Image.fromarray(array).resize(decoded.size, Image.Resampling.BICUBIC)
    assert difference(decoded, truth) < difference(mapped, truth) / 3


def test_the_first_preview_comes_at_once_and_better_ones_later(model: LoadedModel) -> None:
    latents = torch.zeros(1, 4, 8, 8)
    assert model.preview is not None
    assert model.preview_decoder is not None
    turn = PreviewTurn(0.0)
    plain = model.preview

    def draw(*, is_coarse: bool = False) -> bytes:
        return turn.choose(plain, model.preview_decoder, is_coarse=is_coarse)(latents)

    assert draw() == model.preview.draw(latents)
    assert draw() == model.preview_decoder.draw(latents)
    assert draw(is_coarse=True) == model.preview.draw(latents, is_coarse=True)


def test_previews_never_queue_up() -> None:
    turn = PreviewTurn(0.0)
    assert not turn.begin(0.0), "an interval of 0 is never"
    assert turn.begin(1e-6)
    assert not turn.begin(1e-6), "one at a time"
    turn.end()
    assert turn.begin(3_600.0)
    turn.end()
    assert not turn.begin(3_600.0), "the next is due in an hour"


def test_a_preview_that_cannot_be_drawn_is_left_out(
    model: LoadedModel, module_catalogue: Catalogue, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **_options: object) -> bytes:
        raise BrokenImage("no numbers")

    monkeypatch.setattr(type(model.preview), "draw", broken)
    monkeypatch.setattr(type(model.preview_decoder), "draw", broken)
    previews: list[bytes] = []
    finished_picture(module_catalogue, request_, previews)
    assert previews == []


def test_a_catalogue_may_name_a_decoder(module_catalogue: Catalogue, tmp_path: Path) -> None:
    def tiny(channels: int) -> ModelSpec:
        torch.manual_seed(0)
        blocks: Any = {"encoder_block_out_channels": (8, 8, 8, 8), "decoder_block_out_channels": (8, 8, 8, 8)}
        numbers: Any = {"num_encoder_blocks": (1, 1, 1, 1), "num_decoder_blocks": (1, 1, 1, 1)}
        folder = tmp_path / str(channels)
        AutoencoderTiny(latent_channels=channels, **blocks, **numbers).save_pretrained(folder)
        return msgspec.structs.replace(module_catalogue.default, preview_decoder=FolderSource(path=str(folder)))

    loaded = load_model(tiny(4), PLACEMENT, None, lambda: None)
    assert loaded.preview is not None
    assert loaded.preview_decoder is not None
    shown = opened(loaded.preview_decoder.draw(torch.zeros(1, 4, 8, 8)))
    assert difference(shown, opened(loaded.preview.draw(torch.zeros(1, 4, 8, 8)))) > 1
    with pytest.raises(ModelUnavailable, match="made for other latents"):
        load_model(tiny(8), PLACEMENT, None, lambda: None)
    nothing = FolderSource(path=str(tmp_path / "nothing"))
    with pytest.raises(ModelUnavailable, match="preview decoder of Pocket cannot be loaded"):
        load_model(msgspec.structs.replace(tiny(4), preview_decoder=nothing), PLACEMENT, None, lambda: None)
