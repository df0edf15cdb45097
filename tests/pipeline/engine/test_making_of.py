"""The making-of of a picture: its steps as an animation, and the picture itself as the still."""

import io
import random
from typing import Any

import msgspec
import pytest
from PIL import Image

from pipeline.engine.pixels.image_check import ImageCheck
from pipeline.images.animation import animated
from pipeline.protocol import passes
from pipeline.protocol.provenance.source_types import GENERATED
from pipeline.protocol.requests import GenerationRequest, MakingOfRequest, Upscale
from pipeline.protocol.samplers.table import SAMPLERS
from pipeline.protocol.wire.messages import Failed, Finished, Submit
from pipeline.protocol.wire.outputs import Rated, Rating
from pipeline.protocol.wire.settings import AnimationFormat, Checking
from tests.pipeline.engine.conftest import Studio


def making_of(request: GenerationRequest, **changes: Any) -> MakingOfRequest:
    return MakingOfRequest(**msgspec.structs.asdict(request) | changes)


def frames_of(data: bytes) -> list[tuple[Image.Image, int]]:
    """Each frame of an animation, and the milliseconds that it is shown."""
    with Image.open(io.BytesIO(data)) as opened:
        found: list[tuple[Image.Image, int]] = []
        for number in range(getattr(opened, "n_frames", 1)):
            opened.seek(number)
            frame = opened.convert("RGB")
            found.append((frame, int(opened.info["duration"])))
        return found


def shown_ms(data: bytes) -> int:
    """Milliseconds of a whole animation; the encoder joins frames that are equal."""
    return sum(duration for _, duration in frames_of(data))


def drawn(studio: Studio, *requests: GenerationRequest) -> list[Finished]:
    """The files of requests that share their forwards, in order."""
    studio.events.clear()
    for job_id, request in enumerate(requests):
        studio.engine.submit(Submit(job_id=job_id, attempt=1, request=request))
    studio.engine.run_until_idle()
    assert not [event for event in studio.events if isinstance(event, Failed)]
    return sorted((e for e in studio.events if isinstance(e, Finished)), key=lambda finished: finished.job_id)


def test_every_sampler_draws_the_same_picture_and_shows_each_step(studio: Studio, request_: GenerationRequest) -> None:
    samplers = [*{each.scheduler_class: name for name, each in SAMPLERS.items() if each.kind == "diffusion"}.values()]
    requests = [msgspec.structs.replace(request_, scheduler_name=name, num_inference_steps=3) for name in samplers]
    finished = drawn(studio, *requests, *map(making_of, requests))
    for name, plain, shown in zip(samplers, finished, finished[len(samplers) :], strict=False):
        animation, still = shown.outputs
        assert still.fingerprint == plain.outputs[0].fingerprint, name
        assert (animation.media_type, animation.index, still.index) == ("image/webp", 0, 1)
        assert shown_ms(animation.data) == 3 * 250 + 2000, name
        assert shown.recipe == plain.recipe


def test_a_second_pass_and_many_steps_are_shown(
    studio: Studio, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = msgspec.structs.replace(request_, upscale=Upscale(scale=2, strength=0.5))
    plain, shown = drawn(studio, request, making_of(request))
    assert shown.outputs[1].fingerprint == plain.outputs[0].fingerprint
    assert shown_ms(shown.outputs[0].data) == (4 + 2) * 250 + 2000
    monkeypatch.setattr(passes, "MAX_SHOWN_STEPS", 3)
    (shown,) = drawn(studio, making_of(request))
    assert shown_ms(shown.outputs[0].data) == 3 * 250 + 2000


def test_a_hidden_picture_has_no_making_of_and_a_hidden_step_is_left_out(
    studio: Studio, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    ratings: list[list[Rated]] = []
    sexual = Rated(rating=Rating.SEXUAL)
    for name, found in (("ratings", lambda: ratings.pop(0)), ("can", lambda: True), ("judges_previews", lambda: False)):
        monkeypatch.setattr(ImageCheck, name, lambda *_, found=found: found())
    ratings[:] = [[Rated()], [sexual, *[Rated()] * 3]]
    checking = Checking(mode="hide")

    def of(job_id: int) -> Finished:
        studio.events.clear()
        studio.engine.submit(Submit(job_id=job_id, attempt=1, request=making_of(request_), checking=checking))
        studio.engine.run_until_idle()
        (finished,) = [event for event in studio.events if isinstance(event, Finished)]
        return finished

    assert shown_ms(of(1).outputs[0].data) == 3 * 250 + 2000
    ratings[:] = [[sexual]]
    finished = of(2)
    assert (finished.outputs, finished.hidden) == ((), (Rating.SEXUAL, Rating.SEXUAL))
    assert [notice.values for notice in finished.notices] == [{"count": 2, "asked": 2}]


@pytest.mark.parametrize("kind", ["webp", "gif"])
def test_an_animation_keeps_its_times_and_becomes_small_enough(kind: AnimationFormat) -> None:
    dice = random.Random(3)
    frames = [Image.frombytes("RGB", (128, 96), dice.randbytes(128 * 96 * 3)) for _ in range(3)]
    whole = animated(frames, [40, 120, 200], kind, parameters="a cat", source_type=GENERATED)
    assert [duration for _, duration in frames_of(whole)] == [40, 120, 200]
    small = animated(frames, [40, 120, 200], kind, source_type=GENERATED, most_bytes=len(whole) // 3)
    assert len(small) <= len(whole) // 3
    assert [duration for _, duration in frames_of(small)] == [40, 120, 200]
