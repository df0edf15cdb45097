"""CPU time from finished pixels to a file in the bot, against the path of A1111 and its Discord bots.

On their path, Pillow writes a PNG and base64 packs it in JSON. The bot decodes both, and Pillow writes a PNG again for
Discord. (AIYA encodes a third time for the disk, and sends the picture back to have its text read; neither is counted.)
Both sides transfer the data through a local socket. A second figure is the time that encoding takes on the thread of
the step loop, in the real engine.
"""

import base64
import io
import json
import socket
import statistics
import threading
import time
from collections.abc import Callable
from typing import Final
from unittest.mock import patch

from matplotlib import cbook
from PIL import Image, PngImagePlugin

from benchmarks.report import Report
from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.finishing.finisher import Finisher
from pipeline.engine.loop import Engine
from pipeline.engine.models.loading import quiet_libraries
from pipeline.images.encode import encode
from pipeline.images.parameters import parameters_text
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.codec import FrameReader, decode_from_worker, encode_frame
from pipeline.protocol.wire.messages import Finished, JobEvent, Submit
from pipeline.protocol.wire.settings import EngineOptions, ImageOutput

GOAL: Final = 10.0
PAIRS: Final = 9
SIDE: Final = 1_024
_READ_BYTES: Final = 1 << 16
_REQUEST: Final = GenerationRequest(
    model_key="pocket",
    prompt="a red apple on a green hill",
    negative_prompt="blue",
    num_inference_steps=12,
    guidance_scale=5.0,
    width=64,
    height=64,
    scheduler_name="Euler a",
    seed=3,
    num_images=1,
)
_PARAMETERS: Final = parameters_text(_REQUEST, "Pocket")

Transfer = Callable[[Image.Image], bytes]


def run() -> Report:
    """Measure the pairs for a photo and for a drawing; the worse of the two counts."""
    drawing, step_loop_s = _draw()
    pictures = {"photo": _photo(), "drawing": drawing}
    detail: dict[str, float | int | str] = {"encode_on_step_loop_s": step_loop_s}
    ratios: dict[str, list[float]] = {}
    for name, picture in pictures.items():
        ours, peers = _pairs(picture)
        ratios[name] = [theirs / own for own, theirs in zip(ours, peers, strict=True)]
        detail |= {
            f"{name}_ratio": statistics.median(ratios[name]),
            f"{name}_ours_ms": statistics.median(ours) * 1_000,
            f"{name}_ours_min_ms": min(ours) * 1_000,
            f"{name}_peers_ms": statistics.median(peers) * 1_000,
            f"{name}_bytes_to_pillow": len(_encoded(picture)) / len(_pillow_png(picture)),
        }
    worst = min(ratios, key=lambda name: statistics.median(ratios[name]))
    value = statistics.median(ratios[worst])
    return Report(
        name="encode",
        goal=f"CPU of the peers' path / ours >= {GOAL:.0f} at {SIDE}x{SIDE}, and 0 s on the step loop",
        value=value,
        holds=value >= GOAL and step_loop_s == 0,
        median=value,
        minimum=min(ratios[worst]),
        pairs=PAIRS,
        detail=detail,
    )


def _pairs(picture: Image.Image) -> tuple[list[float], list[float]]:
    """CPU seconds of both sides, in turn; the first pair warms up the caches and is dropped."""
    ours: list[float] = []
    peers: list[float] = []
    for _ in range(PAIRS + 1):
        ours.append(_cpu_s(_ours, picture))
        peers.append(_cpu_s(_peers, picture))
    return ours[1:], peers[1:]


def _cpu_s(transfer: Transfer, picture: Image.Image) -> float:
    """CPU seconds of one transfer, of all threads, since another thread sends."""
    began = time.process_time()
    data = transfer(picture)
    spent = time.process_time() - began
    with Image.open(io.BytesIO(data)) as arrived:
        if arrived.tobytes() != picture.tobytes() or arrived.info["parameters"] != _PARAMETERS:
            raise RuntimeError("The picture changed on its way.")
    return spent


def _ours(picture: Image.Image) -> bytes:
    image = encode(picture, _PARAMETERS, ImageOutput(), index=0, seed=3)
    finished = Finished(job_id=1, attempt=1, outputs=(image,), notices=(), denoise_s=1.0, total_s=1.0)
    frames = FrameReader()
    for part in _through_a_socket(encode_frame(finished)):
        for body in frames.feed(part):
            message = decode_from_worker(body)
            if isinstance(message, Finished):
                return message.outputs[0].data
    raise RuntimeError("Nothing arrived.")


def _peers(picture: Image.Image) -> bytes:
    answer = json.dumps({"images": [base64.b64encode(_pillow_png(picture)).decode()], "info": _PARAMETERS}).encode()
    arrived = json.loads(b"".join(_through_a_socket(answer)))
    with Image.open(io.BytesIO(base64.b64decode(arrived["images"][0]))) as opened:
        return _pillow_png(opened)


def _pillow_png(picture: Image.Image) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", _PARAMETERS)
    data = io.BytesIO()
    picture.save(data, "PNG", pnginfo=text)
    return data.getvalue()


def _encoded(picture: Image.Image) -> bytes:
    return encode(picture, _PARAMETERS, ImageOutput(), index=0, seed=3).data


def _through_a_socket(data: bytes) -> list[bytes]:
    """Send bytes through a socket; return the parts that arrive."""
    near, far = socket.socketpair()
    with near, far:

        def send() -> None:
            near.sendall(data)
            near.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        parts = list(iter(lambda: far.recv(_READ_BYTES), b""))
        sender.join()
    return parts


def _draw() -> tuple[Image.Image, float]:
    """A picture of the shipped model, enlarged, and the seconds of its encoding on the thread of the step loop."""
    on_step_loop_s: list[float] = []
    step_loop = threading.get_ident()
    original = Finisher.encode

    def timed(finisher: Finisher) -> Finished:
        began = time.thread_time()
        finished = original(finisher)
        on_step_loop_s.append(time.thread_time() - began if threading.get_ident() == step_loop else 0.0)
        return finished

    quiet_libraries()
    events: list[JobEvent] = []
    engine = Engine(
        models=load_catalogue(PipelineSettings().catalogue, "pocket").models,
        placement=choose_placement("cpu", "float32"),
        emit=events.append,
        activity=Activity(),
        options=EngineOptions(),
    )
    with patch.object(Finisher, "encode", timed):
        engine.submit(Submit(job_id=1, attempt=1, request=_REQUEST))
        while engine.has_work:
            engine.tick()
        engine.close()
    (finished,) = [event for event in events if isinstance(event, Finished)]
    with Image.open(io.BytesIO(finished.outputs[0].data)) as picture:
        enlarged = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return enlarged, sum(on_step_loop_s)


def _photo() -> Image.Image:
    """The photo in matplotlib's sample data, enlarged."""
    with Image.open(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))) as picture:
        side = min(picture.size)
        return picture.convert("RGB").crop((0, 0, side, side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
