"""A host in a process of its own: `host.py LINE FOLDER CAPACITY MODELS`. SIGTERM ends it as it ends `easel worker`."""

import asyncio
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))
from tests.hosts.computers import make_agent


async def main() -> None:
    line, folder, capacity, models = sys.argv[1:]
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    agent = make_agent(line, Path(folder), int(capacity), models)
    await agent.run(stopping, 30)


asyncio.run(main())
