"""What is believed of a host about the end of an attempt, and what is not."""

import io
from typing import Any

import msgspec
import pytest
from PIL import Image

from pipeline.backends.hosts import ends
from pipeline.backends.hosts.ends import EndRefused, checked_end, checked_progress
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.codec import encode_body
from pipeline.protocol.wire.hosts import Done
from pipeline.protocol.wire.messages import Finished, Progress
from pipeline.protocol.wire.outputs import ImageFile, Rating
from tests.picture_files import raw_png

SIDE = 32
DONE = Done(job_id=7, attempt=2, boot="a", parcel="p")


def file_of(kind: str, **how: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE)).save(file, kind, **how)
    return file.getvalue()


def image(data: bytes, kind: str = "png", index: int = 0, side: int = SIDE) -> ImageFile:
    return ImageFile(index=index, data=data, media_type=f"image/{kind}", width=side, height=side, seed=7)


def end_of(*outputs: ImageFile, **changes: Any) -> bytes:
    facts: dict[str, Any] = {"job_id": 7, "attempt": 2, "outputs": outputs, "notices": (), "denoise_s": 1, "total_s": 1}
    return encode_body(Finished(**(facts | changes)))


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_what_was_asked_for_is_taken(request_: GenerationRequest, kind: str) -> None:
    data = file_of(kind.upper())
    assert checked_end(end_of(image(data, kind)), DONE, request_).outputs[0].data == data


PNG = file_of("PNG")
MOVING = file_of("WEBP", save_all=True, append_images=[Image.new("RGB", (SIDE, SIDE), "red")])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (end_of(image(PNG), job_id=8), "another attempt"),
        (end_of(image(PNG), attempt=1), "another attempt"),
        (end_of(image(PNG), image(PNG, index=1)), "more files"),
        (end_of(image(PNG), hidden=(Rating.SEXUAL,)), "more files"),
        (end_of(image(PNG, "jpeg")), "no image/jpeg"),
        (end_of(image(PNG, "svg+xml")), "no image/svg"),
        (end_of(image(PNG[:20])), "no image/png"),
        (end_of(image(PNG, side=SIDE + 1)), "not the still one"),
        (end_of(image(MOVING, "webp")), "not the still one"),
        (end_of(image(raw_png(size=(9_000, 9_000), pixels=b""), side=9_000)), "pixels"),
    ],
)
def test_what_was_not_asked_for_is_refused(request_: GenerationRequest, body: bytes, why: str) -> None:
    with pytest.raises(EndRefused, match=why):
        checked_end(body, DONE, request_)


def test_two_files_in_one_place_and_large_files_are_refused(
    request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = msgspec.structs.replace(request_, num_images=2)
    with pytest.raises(EndRefused, match="one place"):
        checked_end(end_of(image(PNG), image(PNG)), DONE, two)
    monkeypatch.setattr(ends, "MAX_FILE_BYTES", len(PNG) - 1)
    with pytest.raises(EndRefused, match="at most"):
        checked_end(end_of(image(PNG)), DONE, two)


def test_a_preview_that_is_none_is_left_out() -> None:
    def seen(preview: bytes) -> bytes:
        progress = Progress(
            job_id=1, attempt=1, phase="running", step=1, total_steps=4, elapsed_s=0.1, preview=preview
        )  # fmt: skip
        return checked_progress(progress).preview

    webp = file_of("WEBP")
    assert seen(webp) == webp
    assert seen(b"") == b""
    assert seen(PNG) == b""
    assert seen(webp + bytes(ends.MAX_PREVIEW_BYTES)) == b""
