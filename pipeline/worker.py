"""The worker process: it receives messages from the bot, runs the engine, and sends messages about jobs.

It has five threads. The main thread runs the engine. The second reads the socket. The third writes to it, so that a
full socket never delays a step. The fourth sends heartbeats. The fifth rates pictures that jobs are about to be given,
and finishes those that engines of others drew.
The process has no token and no database, and opens no connection.
"""

import gc
import logging
import os
import queue
import signal
import socket
import threading
from pathlib import Path
from typing import Final

import msgspec

from pipeline.announcing import offer_of, placed, preload, ready_of
from pipeline.engine.device.acceleration import AcceleratorUnavailable, check_acceleration
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.attention import AttentionUnavailable
from pipeline.engine.device.placement import DeviceUnavailable, Placement, choose_placement, rss_bytes, use_threads
from pipeline.engine.failures import DeviceLost, ModelUnavailable
from pipeline.engine.finishing.drawn import DrawnFinisher
from pipeline.engine.loop import Engine
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.loading import quiet_libraries
from pipeline.engine.pixels.image_check import ImageCheck
from pipeline.engine.pixels.safety_checker import SafetyChecker
from pipeline.engine.pixels.text_mask import TextMask
from pipeline.engine.weights.storage import is_kept_apart
from pipeline.outbox import Outbox
from pipeline.processes import die_with
from pipeline.protocol.catalogue.networks import TextMaskSpec
from pipeline.protocol.errors import ProtocolError
from pipeline.protocol.wire.codec import FrameReader, decode_to_worker
from pipeline.protocol.wire.finishing import FinishPictures
from pipeline.protocol.wire.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Check,
    Configure,
    FindPart,
    Heartbeat,
    Submit,
    Unusable,
)

EXIT_PROTOCOL: Final = 1
EXIT_DEVICE: Final = 70
"""Exit code for a lost device (EX_SOFTWARE of sysexits.h); only a new process can use the device again."""
_HEARTBEAT_S: Final = 1.0
_NICENESS: Final = 5
_READ_BYTES: Final = 1 << 16

log = logging.getLogger(__name__)

Inbox = queue.SimpleQueue[Configure | Submit | Cancel | FindPart | None]
"""Messages from the bot; None wakes the engine for a tick."""
Questions = queue.SimpleQueue[Check | FinishPictures]
"""Questions about pictures. They wait for no step, since members wait for their answers."""


def run_worker(socket_fd: int) -> int:
    """Serve the bot at the other end of an inherited socket, and return the exit code."""
    _prepare_process()
    quiet_libraries()
    stream = socket.socket(fileno=socket_fd)
    inbox: Inbox = queue.SimpleQueue()
    questions: Questions = queue.SimpleQueue()
    threading.Thread(target=_read_all, args=(stream, inbox, questions), name="read", daemon=True).start()
    outbox = Outbox(stream)
    first = inbox.get()
    if not isinstance(first, Configure):
        log.error("The first message was no Configure.")
        return EXIT_PROTOCOL
    if first.protocol_version != PROTOCOL_VERSION:
        return _refuse(
            outbox,
            f"The worker speaks version {PROTOCOL_VERSION} of the protocol and the bot {first.protocol_version}; "
            "install the same Easel on both sides.",
        )
    try:
        placement = choose_placement(first.device, first.dtype, first.acceleration)
        check_acceleration(
            placement,
            has_loras=first.lora_directory is not None or any(spec.lora for spec in first.models),
            has_stored_weights=any(map(is_kept_apart, first.models)),
            has_offload=any(spec.offload for spec in first.models),
        )
    except DeviceUnavailable as error:
        return _refuse(outbox, f"{error} Set pipeline.device to auto, or mend the driver.")
    except (AcceleratorUnavailable, AttentionUnavailable) as error:
        return _refuse(outbox, str(error))
    return _serve(first, placement, inbox, questions, outbox)


def _serve(configure: Configure, placement: Placement, inbox: Inbox, questions: Questions, outbox: Outbox) -> int:
    threads = use_threads(configure.threads)
    activity = Activity()
    threading.Thread(target=_send_heartbeats, args=(activity, outbox), name="beat", daemon=True).start()
    try:
        image_check = _image_check(configure, placement)
    except ModelUnavailable as error:
        return _refuse(outbox, f"{error} Set pipeline.safety_checker to another folder, or leave it out.")
    finisher = DrawnFinisher(image_check, configure.options.output)
    threading.Thread(
        target=_answer_all, args=(questions, image_check, finisher, outbox), name="check", daemon=True
    ).start()
    text_mask, text_mask_fault = _text_mask(configure.text_mask)
    offer = placed(offer_of(configure), placement, configure.options)
    picture_networks = (*configure.upscalers, *configure.faces, *configure.cutouts)
    networks = (*picture_networks, *configure.controls, *configure.references)
    directory = None if configure.lora_directory is None else Path(configure.lora_directory)
    loras = LoraFolder(directory, {spec.family for spec in configure.models})
    engine = Engine(
        models={**offer.models, **{spec.key: spec for spec in networks}},
        placement=placement,
        options=configure.options,
        image_check=image_check,
        text_mask=text_mask,
        loras=loras,
        emit=outbox.put,
        wake=lambda: inbox.put(None),
        activity=activity,
    )
    try:
        preload(configure.preload, engine, offer)
    except DeviceLost as error:
        log.critical("The device is lost: %s", error)
        return EXIT_DEVICE
    ready = ready_of(configure, placement, offer, loras)
    outbox.put(msgspec.structs.replace(ready, text_mask_fault=text_mask_fault))
    # Objects of the libraries live for ever. Garbage collection of them would take half the time of a model switch.
    gc.freeze()
    log.info("Ready on %s in %s with %d threads.", placement.name, placement.dtype_name, threads)
    return _run(engine, inbox, outbox)


def _run(engine: Engine, inbox: Inbox, outbox: Outbox) -> int:
    """Receive messages and run the engine until the device is lost; the end of the stream ends the process itself."""
    try:
        while True:
            _receive(inbox, outbox, engine, is_waiting=not engine.has_work)
            engine.tick()
    except DeviceLost as error:
        log.critical("The device is lost: %s", error)
        gc.unfreeze()
        outbox.flush(_HEARTBEAT_S)
        return EXIT_DEVICE


def _image_check(configure: Configure, placement: Placement) -> ImageCheck:
    """The image check. Where the owner wants none, it still has the mode `strict`.

    Raises:
        ModelUnavailable: the safety checker cannot be used.
    """
    folder = configure.safety_checker
    safety_checker = None if folder is None else SafetyChecker(Path(folder), placement)
    return ImageCheck(configure.classifier, safety_checker, placement)


def _text_mask(spec: TextMaskSpec | None) -> tuple[TextMask | None, str]:
    """The text mask model, and why it cannot be used. Without it, everything else works."""
    try:
        return (None if spec is None else TextMask(spec)), ""
    except ModelUnavailable as error:
        return None, str(error)


def _receive(inbox: Inbox, outbox: Outbox, engine: Engine, *, is_waiting: bool) -> None:
    """Give received messages to the engine; if `is_waiting`, wait for the first one. None is only a wake-up."""
    while is_waiting or not inbox.empty():
        message = inbox.get()
        is_waiting = False
        match message:
            case Submit():
                engine.submit(message)
            case Cancel():
                engine.cancel(message)
            case FindPart():
                engine.find_part(message, outbox.put)
            case Configure():
                log.warning("A second Configure was passed over.")
            case None:
                pass


def _refuse(outbox: Outbox, sentence: str) -> int:
    log.error("%s", sentence)
    outbox.put(Unusable(sentence=sentence))
    outbox.flush(_HEARTBEAT_S)
    return EXIT_PROTOCOL


def _answer_all(questions: Questions, image_check: ImageCheck, finisher: DrawnFinisher, outbox: Outbox) -> None:
    """Answer questions about pictures, one at a time."""
    while True:
        asked = questions.get()
        outbox.put(image_check.answer(asked) if isinstance(asked, Check) else finisher.answer(asked))


def _read_all(stream: socket.socket, inbox: Inbox, questions: Questions) -> None:
    """Read messages until the bot is gone; then end the process at once, even in the middle of a step."""
    frames = FrameReader()
    try:
        while data := stream.recv(_READ_BYTES):
            for body in frames.feed(data):
                message = decode_to_worker(body)
                if isinstance(message, Check | FinishPictures):
                    questions.put(message)
                else:
                    inbox.put(message)
    except ProtocolError as error:
        log.critical("The bot sent garbage: %s", error)
        os._exit(EXIT_PROTOCOL)
    except OSError:
        pass
    os._exit(0)


def _send_heartbeats(activity: Activity, outbox: Outbox) -> None:
    while True:
        phase, since_progress_s = activity.read()
        outbox.put(Heartbeat(phase=phase, since_progress_s=since_progress_s, rss_bytes=rss_bytes()))
        threading.Event().wait(_HEARTBEAT_S)


def _prepare_process() -> None:
    """Ignore Ctrl-C, lower the process's priority, and tie its life to the bot's.

    The bot handles Ctrl-C. The lower priority keeps the bot responsive while all cores denoise. The end of the socket
    ends this process too, but only while its threads can run.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    die_with(os.getppid())
