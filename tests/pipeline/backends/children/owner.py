"""A bot that is about to be killed: starts the worker named on its command line and says its process id."""

import asyncio
import signal
import sys

from pipeline.backends.process import ProcessBackend
from pipeline.protocol.messages import PROTOCOL_VERSION, Configure


async def main() -> None:
    configure = Configure(
        protocol_version=PROTOCOL_VERSION,
        device="cpu",
        dtype="auto",
        threads=0,
        preview_interval_s=0,
        models=(),
        preload=None,
        cache_directory=None,
    )
    backend = ProcessBackend(configure=configure, command=(sys.executable, sys.argv[1]))
    await backend.start()
    ready = await backend.wait_ready(30)
    sys.stdout.write(f"{ready.device_name}\n")
    sys.stdout.flush()
    signal.pause()


asyncio.run(main())
