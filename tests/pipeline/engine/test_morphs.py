"""Morphs: their ends are the pictures that plain jobs draw, and the frames between them are evenly apart."""

import io
import itertools
from typing import Any

import msgspec
import pytest
from PIL import Image

from pipeline.engine.finishing import finishing
from pipeline.engine.finishing.animating.morphs import MorphFinisher, durations_ms
from pipeline.engine.pixels.image_check import ImageCheck
from pipeline.engine.steps.jobs.morph_jobs import distance, halved
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, MorphRequest
from pipeline.protocol.wire.messages import Cancel, Failed, Finished, Progress, Submit
from pipeline.protocol.wire.outputs import Rated, Rating
from pipeline.protocol.wire.settings import Checking
from tests.pipeline.engine.conftest import Studio

_frames: list[list[Image.Image]] = []


class _Recorder(MorphFinisher):
    """Keeps the frames of every morph as they were drawn, without the loss of a file."""

    def decode(self) -> None:
        super().decode()
        _frames.append(self._frames)


@pytest.fixture(autouse=True)
def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finishing, "MorphFinisher", _Recorder)


def morph(request: GenerationRequest, end_prompt: str, end_seed: int, **changes: Any) -> MorphRequest:
    own: dict[str, Any] = {"end_prompt": end_prompt, "end_seed": end_seed, "frames": 8}
    return MorphRequest(**msgspec.structs.asdict(request) | own | changes)


def run(studio: Studio, *requests: GenerationRequest) -> list[Any]:
    """The last events of requests that share their forwards, in order."""
    studio.events.clear()
    _frames.clear()
    for job_id, request in enumerate(requests):
        studio.engine.submit(Submit(job_id=job_id, attempt=1, request=request))
    studio.engine.run_until_idle()
    ends = [event for event in studio.events if isinstance(event, Finished | Failed)]
    return sorted(ends, key=lambda event: event.job_id)


def picture(finished: Finished) -> bytes:
    return Image.open(io.BytesIO(finished.outputs[0].data)).convert("RGB").tobytes()


@pytest.mark.parametrize(
    ("prompt", "end_prompt", "changes"),
    [
        ("a red apple", "a [blue:green:2] star", {}),
        ("a red apple", "snow BREAK a star BREAK ice", {"negative_prompt": "rain"}),
        ("= a red apple - red + blue", "a star", {"scheduler_name": "Euler a", "guidance_end": 0.5}),
        ("a red apple", "a star", {"guidance_scale": 1.0, "scheduler_name": "Heun"}),
    ],
)
def test_both_ends_are_the_pictures_of_plain_jobs(
    studio: Studio, request_: GenerationRequest, prompt: str, end_prompt: str, changes: dict[str, Any]
) -> None:
    start = msgspec.structs.replace(request_, prompt=prompt, **changes)
    end = msgspec.structs.replace(start, prompt=end_prompt, seed=99)
    first, last, moving = run(studio, start, end, morph(start, end_prompt, 99))
    assert isinstance(moving, Finished), moving
    (frames,) = _frames
    assert len(frames) == 8
    assert frames[0].tobytes() == picture(first)
    assert frames[-1].tobytes() == picture(last)
    steps = [event for event in studio.events if isinstance(event, Progress) and event.job_id == 2]
    assert [event.step for event in steps] == sorted(event.step for event in steps)
    assert all(event.step <= event.total_steps for event in steps)
    assert {output.media_type for output in moving.outputs} == {"image/webp", "image/png"}


def test_what_cannot_be_a_morph_is_refused(studio: Studio, request_: GenerationRequest) -> None:
    (failed,) = run(studio, morph(request_, "a star AND snow", 9))
    assert (failed.reason, "single prompt" in failed.detail) == (FailureReason.INVALID_REQUEST, True)


def test_one_that_is_cancelled_between_rounds_ends(studio: Studio, request_: GenerationRequest) -> None:
    studio.events.clear()
    studio.engine.submit(Submit(job_id=1, attempt=1, request=morph(request_, "a star", 9, frames=16)))
    while not any(isinstance(event, Progress) and event.step >= 4 for event in studio.events):
        studio.engine.tick()
    studio.engine.cancel(Cancel(job_id=1, attempt=1))
    studio.engine.run_until_idle()
    assert [event.reason for event in studio.events if isinstance(event, Failed)] == [FailureReason.CANCELLED]


def test_one_hidden_frame_hides_all_of_them(
    studio: Studio, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    ratings = [Rated()] * 3 + [Rated(rating=Rating.SEXUAL, score=0.9)] + [Rated()] * 4
    for name, found in (("ratings", ratings), ("can", True), ("judges_previews", False)):
        monkeypatch.setattr(ImageCheck, name, lambda *_, found=found: found)
    studio.events.clear()
    asked = morph(request_, "a star", 9)
    studio.engine.submit(Submit(job_id=1, attempt=1, request=asked, checking=Checking(mode="hide")))
    studio.engine.run_until_idle()
    (finished,) = [event for event in studio.events if isinstance(event, Finished)]
    assert (finished.outputs, finished.hidden) == ((), (Rating.SEXUAL, Rating.SEXUAL))


def grey(level: float) -> Image.Image:
    return Image.new("RGB", (4, 4), (round(level),) * 3)


def test_frames_gather_where_most_changes() -> None:
    """A change that is sudden at equal places is spread over the frames."""
    drawn = {place: grey(0 if place < 0.5 else 200 * min(1, (place - 0.5) * 16)) for place in (0, 0.25, 0.5, 0.75, 1)}
    while len(drawn) < 17:
        drawn |= {place: grey(0 if place < 0.5 else 200 * min(1, (place - 0.5) * 16)) for place in halved(drawn, 4)}
    frames = [drawn[place] for place in sorted(drawn)]
    changes = [distance(one, other) for one, other in itertools.pairwise(frames)]
    assert max(changes) <= 26, "equal places would have one step of 200"
    assert halved({0.0: grey(0), 1.0: grey(0)}, 3) == [0.25, 0.5, 0.75]


def test_a_larger_change_is_shown_longer_and_the_ends_longest() -> None:
    assert durations_ms([grey(level) for level in (0, 10, 20, 21, 60)]) == [600, 60, 40, 200, 600]
    assert durations_ms([grey(7)] * 3) == [600, 40, 600]
