"""The shipped model's pictures against those that were kept: a library's update must be told from a fault of ours."""

import io
import math
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image, ImageChops, ImageStat

from config.catalogue import Catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.loop import Engine
from pipeline.protocol.requests import GenerationRequest, Upscale, Variation
from pipeline.protocol.wire.messages import Finished, JobEvent, Submit
from pipeline.protocol.wire.settings import EngineOptions

FOLDER = Path(__file__).parent / "references"
LEAST_DB = 35.0
REQUESTS: dict[str, dict[str, Any]] = {
    "apple": {"prompt": "a red apple", "seed": 7},
    "weighted": {"prompt": "(two green leaves:1.3), [snow]", "negative_prompt": "red", "scheduler_name": "Euler a"},
    "varied": {"prompt": "a house, night", "variations": (Variation(seed=5, strength=0.3),), "guidance_scale": 7.5},
    "upscaled": {"prompt": "a blue fish", "upscale": Upscale(scale=2, strength=0.3), "scheduler_name": "Heun"},
}


@pytest.fixture(scope="module")
def drawn(module_catalogue: Catalogue) -> dict[str, Image.Image]:
    events: list[JobEvent] = []
    engine = Engine(
        models=module_catalogue.models,
        placement=choose_placement("cpu", "float32"),
        emit=events.append,
        activity=Activity(),
        options=EngineOptions(max_running=len(REQUESTS)),
    )
    plain = GenerationRequest(
        prompt="",
        negative_prompt="",
        num_inference_steps=20,
        guidance_scale=5.0,
        width=64,
        height=64,
        scheduler_name="DPM++ 2M Karras",
        seed=1,
        num_images=1,
        model_key="pocket",
    )
    for job_id, changes in enumerate(REQUESTS.values()):
        engine.submit(Submit(job_id=job_id, attempt=1, request=msgspec.structs.replace(plain, **changes)))
    engine.run_until_idle()
    finished = {event.job_id: event.outputs[0].data for event in events if isinstance(event, Finished)}
    return {name: Image.open(io.BytesIO(finished[number])) for number, name in enumerate(REQUESTS)}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_picture_is_the_one_that_was_kept(drawn: dict[str, Image.Image], name: str) -> None:
    path = FOLDER / f"{name}.png"
    if os.environ.get("SAVE_REFERENCES"):
        drawn[name].save(path)
    with Image.open(path) as kept:
        assert kept.size == drawn[name].size
        near = decibels(kept.convert("RGB"), drawn[name].convert("RGB"))
    print(f"{name}: {near:.1f} dB, at least {LEAST_DB} are wanted")  # noqa: T201 - the README says so
    assert near >= LEAST_DB


def test_other_pictures_are_far_off(drawn: dict[str, Image.Image]) -> None:
    assert decibels(drawn["apple"].convert("RGB"), drawn["varied"].convert("RGB")) < 20


def decibels(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise of two RGB pictures; infinite where they are equal."""
    squares = ImageStat.Stat(ImageChops.difference(one, other)).sum2
    mean = sum(squares) / (3 * one.width * one.height)
    return math.inf if mean == 0 else 10 * math.log10(255**2 / mean)
