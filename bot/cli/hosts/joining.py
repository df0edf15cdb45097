"""`easel worker --join`: the agent of this computer."""

import asyncio
import signal

from bot.configure import follow, make_configure, make_starter
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.agent.agent import Agent
from pipeline.backends.process import ProcessBackend
from pipeline.link.line import Line
from pipeline.protocol.wire.hosts import Policy


async def run_agent(line: Line, settings: Settings, catalogue: Catalogue, *, easel: str, drain_s: float) -> None:
    """Draw until SIGINT, SIGTERM or SIGHUP; then end what is running, for `drain_s` seconds at most."""
    configure = make_configure(settings, catalogue)

    def make_backend(policy: Policy) -> ProcessBackend:
        return ProcessBackend(configure=follow(policy, configure), starter=make_starter(settings, is_lasting=True))

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    await Agent(line, make_backend=make_backend, easel=easel).run(stopping, drain_s)
