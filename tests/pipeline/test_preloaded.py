"""What forks of the warm starter need not make anew."""

import os
import socket
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import cast

from pipeline.backends.starter import Starter
from tests.shared_worker import warm_starter


async def test_a_fork_has_all_schedulers_and_the_patterns_of_transformers() -> None:
    starter = Starter(Path(warm_starter()))
    command = (sys.executable, "-m", "tests.pipeline.preloaded_program")
    try:
        with TemporaryFile("w+") as said, TemporaryFile("w+") as complaints:
            # of which `fork` takes the descriptors
            files = cast("socket.socket", complaints), cast("socket.socket", said)
            assert await (await starter.fork(command, os.environ, *files)).wait() == 0
            said.seek(0)
            assert said.readline() == "[] True\n"  # libraries may tell more at their end
    finally:
        await starter.close()
