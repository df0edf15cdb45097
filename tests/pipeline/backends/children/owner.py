"""A bot that is about to be killed: starts the worker named on its command line and says its process id.

The second word is the way: `exec`, `fork`, or the socket of a starter that others use too.
"""

import asyncio
import signal
import sys
from pathlib import Path

from pipeline.backends.process import ProcessBackend
from pipeline.backends.starter import Starter
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Configure
from pipeline.protocol.wire.settings import EngineOptions


async def main() -> None:
    configure = Configure(
        protocol_version=PROTOCOL_VERSION,
        device="cpu",
        dtype="auto",
        threads=0,
        models=(),
        preload=None,
        options=EngineOptions(),
    )
    _, program, way = sys.argv
    path = None if way in {"exec", "fork"} else Path(way)
    starter = None if way == "exec" else Starter(path, preloaded=["pipeline.protocol.wire.messages"])
    backend = ProcessBackend(configure=configure, command=(sys.executable, program), starter=starter)
    await backend.start()
    ready = await backend.wait_ready(30)
    sys.stdout.write(f"{ready.device_name}\n")
    sys.stdout.flush()
    signal.pause()


asyncio.run(main())
