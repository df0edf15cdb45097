"""Pays for the imports once, and forks one life of a bot for each line that it reads.

Nothing runs here but this loop: no thread and no event loop that a fork could tear.
"""

import contextlib
import gc
import os
import re
import signal
import sys
import time
import traceback
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
import structlog

from bot.presenting import texts
from bot.presenting.texts import LANGUAGES, spoken
from bot.safety.hard_rule import shipped_rule
from tests.kill_points.engine import picture_of
from tests.kill_points.life import Order, live, shipped_catalogue

LONGEST_LIFE_S: Final = 60
_GLANCE_S: Final = 0.000_5
_KEYS: Final = re.compile(r"^([a-z][a-z0-9-]*) =", re.MULTILINE)


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a life ended: its exit code (negative: the signal), and its steps where it came to an end of its own."""

    code: int
    steps: int


def be_born(order: Order) -> int:
    """The child: everything that it says goes to a file, since our standard output speaks to the test."""
    log = os.open(Path(order.directory) / "bot.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    signal.alarm(LONGEST_LIFE_S)
    processors = [structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    factory = structlog.WriteLoggerFactory(os.fdopen(log, "w", buffering=1))
    structlog.configure(processors=processors, logger_factory=factory)
    try:
        steps = live(order)
    except BaseException:  # noqa: BLE001 - whatever it was, this process may not go on as a second zygote
        os.write(log, traceback.format_exc().encode())
        return 1
    (Path(order.directory) / "steps").write_text(str(steps))
    return 0


def outlive(child: int, kill_after_s: float) -> int:
    """Wait for the end of a life, and bring it about after so many seconds; 0 is never. Gives its exit code."""
    end_at = time.monotonic() + kill_after_s
    while kill_after_s:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= end_at:
            os.kill(child, signal.SIGKILL)
            break
        time.sleep(_GLANCE_S)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    """One line in, one life, one line out."""
    for language in LANGUAGES:  # parsing and compiling the catalogue of texts would be most of a life
        keys = _KEYS.findall((files(texts) / f"{language}.ftl").read_text(encoding="utf-8"))
        for key in keys:
            with spoken(language), contextlib.suppress(KeyError):  # a text that needs values is compiled all the same
                texts.text(key)
    picture_of("a")  # Pillow imports the modules of its formats when it first writes a file
    shipped_rule()  # what never changes is kept by its own function, so each life finds it
    shipped_catalogue()
    gc.freeze()
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        child = os.fork()
        if child == 0:
            os._exit(be_born(order))
        code = outlive(child, order.kill_after_s)
        steps = int((Path(order.directory) / "steps").read_text()) if code == 0 else 0
        sys.stdout.write(msgspec.json.encode(Ended(code=code, steps=steps)).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
