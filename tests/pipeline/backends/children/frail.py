"""Draws in four steps; is hurt once in all its lives, before it says a step: `STEP KIND MARKER` on its command line."""

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

from speech import Speech, beat, finished, progress

from pipeline.protocol.wire.messages import Submit

bot = Speech()
bot.begin()
hurt_at, kind, marker = int(bot.rest[0]), bot.rest[1], Path(bot.rest[2])
said = threading.Lock()


def keep_beating() -> None:
    """As the real worker does beside its engine."""
    while True:
        with said:
            bot.say(beat("running", since_progress_s=500.0 if is_looping.is_set() else 0.0))
        time.sleep(0.05)


def be_hurt() -> None:
    marker.write_text(kind)
    match kind:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash":
            ctypes.string_at(0)
        case "exit":
            os._exit(0)
        case "loop":
            is_looping.set()
            while True:
                pass
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case _:
            sys.exit(f"nobody knows how to {kind}")


is_looping = threading.Event()
threading.Thread(target=keep_beating, daemon=True).start()
while True:
    submit = bot.hear()
    if not isinstance(submit, Submit):
        continue
    for step in range(1, 6):
        if step == hurt_at and not marker.exists():
            be_hurt()
        with said:
            bot.say(progress(submit, step) if step <= 4 else finished(submit))
