"""Jobs with LoRAs of their own in one running batch: each has the picture that it has alone, bit by bit."""

import random
from collections.abc import Generator
from typing import Any

import msgspec
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from config.catalogue import Catalogue
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.steps.jobs.rows import Row, predict_rows
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed
from tests.lora_files import attention, every_module, write_lora
from tests.pipeline.engine.loaded import model_in
from tests.pipeline.engine.test_batching import Shared
from tests.pipeline.engine.tiny import POCKET

TAGS = ("", "<lora:everywhere:0.8>", "<lora:narrow:1>", "<lora:wide:-0.5>", "<lora:wide:0.5><lora:everywhere:1>")


@pytest.fixture(scope="module")
def loaded(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    folder = tmp_path_factory.mktemp("loras")
    unet: Any = UNet2DConditionModel.from_pretrained(POCKET / "unet")
    # Steps of the time's embedding have one row each, and the first convolution has few channels.
    for name, rank, names in (
        ("everywhere", 4, every_module(unet)),
        ("narrow", 6, attention(unet)),
        ("wide", 20, attention(unet)[::2]),
    ):
        write_lora(folder / f"{name}.safetensors", {"unet": unet}, {"unet": names}, rank=rank, seed=rank)
    return Shared(module_catalogue, loras=LoraFolder(folder))


@pytest.fixture
def shared(loaded: Shared, monkeypatch: pytest.MonkeyPatch) -> Shared:
    loaded.watch(monkeypatch)
    return loaded


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Generator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_mates_with_other_loras_change_no_bit(shared: Shared, request_: GenerationRequest) -> None:
    dice = random.Random(3)
    wanted = [
        msgspec.structs.replace(
            request_,
            prompt=f"an apple {tags}",
            negative_prompt=dice.choice(("", "blue")),
            num_inference_steps=dice.randint(2, 4),
            num_images=dice.choice((1, 2)),
            seed=number,
        )
        for number, tags in enumerate([*TAGS, *TAGS])
    ]
    for job_id, request in enumerate(wanted):
        shared.submit(job_id, request)
        shared.engine.run_until_idle()
    alone, alone_forwards = shared.latents.copy(), len(shared.forwards)
    assert not any(alone[number].equal(alone[0]) for number in range(1, len(TAGS)))
    shared.latents.clear()
    shared.forwards.clear()
    order = [*enumerate(wanted)]
    dice.shuffle(order)
    while order or not shared.engine.is_idle:
        for job_id, request in [order.pop() for _ in range(min(len(order), dice.randint(0, 4)))]:
            shared.submit(job_id, request)
        shared.engine.tick()
    assert not [event for event in shared.events if isinstance(event, Failed)]
    for job_id, latents in alone.items():
        assert shared.latents[job_id].equal(latents), wanted[job_id]
    assert len(shared.forwards) < 0.75 * alone_forwards, "they shared no forward"


@pytest.mark.usefixtures("threads")
def test_every_shape_gives_a_row_with_a_lora_the_same_bits(shared: Shared, request_: GenerationRequest) -> None:
    adapter = model_in(shared.engine).adapter
    texts = [adapter.encode_text(msgspec.structs.replace(request_, prompt=f"an apple {tags}")) for tags in TAGS]
    generator = torch.Generator().manual_seed(3)
    rows = [
        Row(
            latents=torch.randn(1, 4, 16, 16, generator=generator),
            timestep=torch.rand((), generator=generator) * 999,
            conditioning=texts[number % len(texts)].positive.at(1),
            lora=texts[number % len(texts)].lora,
        )
        for number in range(8)
    ]
    for own in range(len(TAGS)):
        first = predict_rows(adapter, [rows[own]], 2)[0]
        for count in (4, 8):
            mates = [row for row in rows if row is not rows[own]][: count - 1]
            assert predict_rows(adapter, [*mates, rows[own]], count)[-1].equal(first), (TAGS[own], count)
            assert predict_rows(adapter, [rows[own]], count)[0].equal(first), (TAGS[own], count)
