"""Frames: every message survives the wire, however it is cut; nothing else is taken for one."""

import itertools
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import (
    ControlSpec,
    Enlarger,
    FileSource,
    FolderSource,
    HubSource,
    ReferenceSpec,
    TextMaskSpec,
)
from pipeline.protocol.errors import FailureReason, ProtocolError
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Outpaint, Use
from pipeline.protocol.limits import MAX_FRAME_BYTES
from pipeline.protocol.loras import LoraEntry
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire import codec
from pipeline.protocol.wire.codec import FrameReader, decode_from_worker, decode_to_worker, encode_frame
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Check,
    Checked,
    Configure,
    Failed,
    FindPart,
    Finished,
    FoundPart,
    FromWorker,
    Heartbeat,
    Progress,
    Ready,
    Submit,
    ToWorker,
    Unusable,
)
from pipeline.protocol.wire.outputs import ImageFile, Notice, Rating
from pipeline.protocol.wire.settings import Checking, EngineOptions

SOURCES = (
    FolderSource(path="/models/a"),
    FileSource(path="/models/b.safetensors", config="/models/b"),
    HubSource(repo_id="somebody/model", revision="abc"),
)
MODELS = tuple(
    ModelSpec(
        key=f"model-{number}",
        title="A model",
        source=source,
        family="sd",
        license="MIT",
        samplers=("Euler",),
        enlarger=Enlarger(path="/models/up.safetensors", scale=4) if number else None,
    )
    for number, source in enumerate(SOURCES)
)
REQUEST = GenerationRequest(
    prompt="a red äpple 🍎",
    negative_prompt="",
    num_inference_steps=4,
    guidance_scale=5.5,
    width=64,
    height=72,
    scheduler_name="Euler",
    seed=2**32 - 1,
    num_images=1,
    model_key="pocket",
)
TO_WORKER: tuple[ToWorker, ...] = (
    Configure(
        protocol_version=PROTOCOL_VERSION,
        device="cuda",
        dtype="float16",
        threads=2,
        models=MODELS,
        preload="model-0",
        lora_directory="/srv/loras",
        options=EngineOptions(preview_interval_s=0.5),
        controls=(
            ControlSpec(
                key="depth",
                title="Depth",
                source=SOURCES[2],
                family="sdxl",
                kind="controlnet-union",
                use="depth",
                preprocessor="depth",
                preprocessor_model=HubSource(repo_id="somebody/depth", revision="abc"),
                license="MIT",
                union_type=1,
            ),
        ),
        references=(
            ReferenceSpec(
                key="plus",
                title="Plus",
                source=FileSource(path="/models/plus.safetensors"),
                encoder=FolderSource(path="/models/encoder"),
                family="sd",
                uses=("style", "subject"),
                license="MIT",
            ),
        ),
        text_mask=TextMaskSpec(path="/srv/clipseg", license="MIT", threshold=0.3),
    ),
    FindPart(question=3, picture=b"png", words="the red hat"),
    Check(question=4, pictures=(b"png", b"other"), checking=Checking(mode="strict", blocked=(bytes(32),))),
    FinishPictures(question=5, request=REQUEST, title="Flux", pictures=(b"png",), checking=Checking(mode="hide")),
    Submit(job_id=2**62, attempt=3, request=REQUEST),
    Submit(
        job_id=1,
        attempt=1,
        request=msgspec.structs.replace(
            REQUEST, inputs=(Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.5),)
        ),
        pictures={"ab" * 32: bytes(range(256))},
    ),
    *(
        Submit(job_id=1, attempt=1, request=msgspec.structs.replace(REQUEST, inpaint=inpaint))
        for inpaint in (
            Inpaint(cells=(0, 4), grow=0.05, is_inverted=True, is_enlarged=True),
            Inpaint(outpaint=Outpaint(left=0.5, top=0.25, right=1.0)),
        )
    ),
    Submit(
        job_id=1,
        attempt=1,
        request=msgspec.structs.replace(
            REQUEST,
            inputs=(
                Input(role=InputRole.CONTROL, sha256="ab" * 32, use=Use.DEPTH, network="depth", end=0.5, is_map=True),
                Input(role=InputRole.REFERENCE, sha256="cd" * 32, use=Use.STYLE, network="plus", strength=1.5),
            ),
        ),
    ),
    Cancel(job_id=1, attempt=1),
)
IMAGE = ImageFile(index=0, data=bytes(range(256)), media_type="image/png", width=64, height=64, seed=7)
FROM_WORKER: tuple[FromWorker, ...] = (
    Ready(
        protocol_version=PROTOCOL_VERSION,
        device="cuda",
        device_name="A card",
        dtype="float16",
        vram_bytes=2**37,
        models=("pocket",),
        missing={"other": "Its files are not there."},
        capacity=2,
        versions={"torch": "2.13"},
        loras=(LoraEntry(name="fur", title="Fur", trigger_words=("furry", "soft coat"), scale=0.8, family="sd"),),
        broken_loras={"odd.safetensors": "It is cut off."},
        lacks={"pocket": (Capability.NEGATIVE_PROMPT,)},
    ),
    FoundPart(question=3, mask=b"png", is_seen=True),
    FoundPart(question=4, detail="It broke."),
    Checked(question=3, ratings=(Rating.HARMLESS, Rating.SEXUAL)),
    Checked(question=4, detail="It broke."),
    FinishedPictures(
        question=5, outputs=(IMAGE,), hidden=(Rating.SEXUAL,), scores=(0.9,), notices=(Notice(key="cut"),)
    ),
    FinishedPictures(question=6, detail="It broke."),
    Unusable(sentence="There is no CUDA device."),
    Heartbeat(phase="loading", since_progress_s=1.25, rss_bytes=2**33),
    Progress(job_id=1, attempt=2, phase="running", step=3, total_steps=4, elapsed_s=0.5, preview=b"\x00\xff"),
    Finished(
        job_id=1,
        attempt=2,
        outputs=(IMAGE, IMAGE),
        notices=(Notice(key="cut", values={"count": 3, "text": "rest"}),),
        denoise_s=1.5,
        total_s=2.5,
    ),
    *(Failed(job_id=1, attempt=2, reason=reason, detail="why") for reason in FailureReason),
)


def name_of(message: object) -> str:
    return type(message).__name__


def bodies(data: bytes, cuts: list[int] | None = None) -> list[bytes]:
    """What a reader finds in bytes that arrive in pieces."""
    reader = FrameReader()
    edges = [0, *sorted(cuts or []), len(data)]
    return [body for start, end in itertools.pairwise(edges) for body in reader.feed(data[start:end])]


@pytest.mark.parametrize("message", TO_WORKER, ids=name_of)
def test_words_to_a_worker_survive(message: ToWorker) -> None:
    (body,) = bodies(encode_frame(message))
    assert decode_to_worker(body) == message


@pytest.mark.parametrize("message", FROM_WORKER, ids=name_of)
def test_words_of_a_worker_survive(message: FromWorker) -> None:
    (body,) = bodies(encode_frame(message))
    assert decode_from_worker(body) == message


def test_every_message_is_among_them() -> None:
    assert {type(message) for message in TO_WORKER} == set(ToWorker.__args__)
    assert {type(message) for message in FROM_WORKER} == set(FromWorker.__args__)


WIRE = b"".join(encode_frame(message) for message in FROM_WORKER)


@given(st.lists(st.integers(0, len(WIRE)), max_size=40))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    assert [decode_from_worker(body) for body in bodies(WIRE, cuts)] == list(FROM_WORKER)


@given(st.lists(st.binary(max_size=50), max_size=10), st.integers(1, 5))
def test_any_bodies_come_out_as_they_went_in(parts: list[bytes], step: int) -> None:
    data = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    assert bodies(data, list(range(0, len(data), step))) == parts


@given(st.binary(max_size=200))
def test_garbage_is_an_error_of_the_protocol_or_a_message(body: bytes) -> None:
    for decode in (decode_to_worker, decode_from_worker):
        try:
            decode(body)
        except ProtocolError:
            continue


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode({"type": "Nothing"}),
        msgspec.msgpack.encode({"type": "Progress", "job_id": "one"}),
        msgspec.msgpack.encode([1, 2]),
    ],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"^Not a message for a worker: "):
        decode_to_worker(body)
    with pytest.raises(ProtocolError, match=r"^Not a message of a worker: "):
        decode_from_worker(body)


def test_each_side_takes_only_the_others_words() -> None:
    (cancel,) = bodies(encode_frame(TO_WORKER[2]))
    (unusable,) = bodies(encode_frame(FROM_WORKER[1]))
    with pytest.raises(ProtocolError):
        decode_from_worker(cancel)
    with pytest.raises(ProtocolError):
        decode_to_worker(unusable)


def test_a_length_over_the_limit_is_refused_before_its_bytes_come() -> None:
    with pytest.raises(ProtocolError, match=r"^A frame of 268435457 bytes is over the limit of 268435456\.$"):
        list(FrameReader().feed(struct.pack(">I", MAX_FRAME_BYTES + 1)))
    assert list(FrameReader().feed(struct.pack(">I", MAX_FRAME_BYTES))) == []


def test_text_is_refused() -> None:
    with pytest.raises(ProtocolError):
        list(FrameReader().feed(b"Traceback (most recent call last):"))


def test_a_message_over_the_limit_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(encode_frame(FROM_WORKER[4])) - 4
    monkeypatch.setattr(codec, "MAX_FRAME_BYTES", size)
    encode_frame(FROM_WORKER[4])
    monkeypatch.setattr(codec, "MAX_FRAME_BYTES", size - 1)
    with pytest.raises(ProtocolError, match=rf"^A message of {size} bytes is over the limit of {size - 1}\.$"):
        encode_frame(FROM_WORKER[4])


def test_half_a_pair_of_utf_16_does_not_keep_a_message_from_its_way() -> None:
    ready = next(message for message in FROM_WORKER if isinstance(message, Ready))
    style = LoraEntry(name="fur", title="Fur \ud83c", trigger_words=("\ud83cfurry",), scale=0.8, family="sd")
    said = msgspec.structs.replace(ready, loras=(style,), broken_loras={"caf\udce9": "It is cut off."})
    (body,) = bodies(encode_frame(said))
    told = msgspec.structs.replace(style, title="Fur ?", trigger_words=("?furry",))
    assert decode_from_worker(body) == msgspec.structs.replace(
        said, loras=(told,), broken_loras={"caf?": "It is cut off."}
    )
    # What else the message holds keeps its kind.
    finished = next(message for message in FROM_WORKER if isinstance(message, Finished))
    odd = msgspec.structs.replace(finished, notices=(Notice(key="cut", values={"text": "\ud83c"}),))
    (body,) = bodies(encode_frame(odd))
    assert decode_from_worker(body) == msgspec.structs.replace(
        finished, notices=(Notice(key="cut", values={"text": "?"}),)
    )


def test_a_body_nested_beyond_reason_is_garbage() -> None:
    with pytest.raises(ProtocolError):
        decode_from_worker(b"\x81\xa4type" + b"\x91" * 200_000 + b"\xc0")
    with pytest.raises(ProtocolError):
        decode_to_worker(b"\x91" * 200_000 + b"\xc0")
