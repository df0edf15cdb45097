"""What `easel playground` does: run_playground with a port and a bot from the arguments."""

# ruff: noqa: T201 - the tests read what it prints

from __future__ import annotations

import asyncio
import os
import sys

from playground.launcher import run_playground


def announce(text: str) -> None:
    print(f"announced: {text}", flush=True)


code = asyncio.run(
    run_playground(
        port=int(sys.argv[1]),
        open_browser=False,
        bot_command=[sys.executable, *sys.argv[2:]],
        bot_environment=os.environ,
        announce=announce,
    )
)
print(f"returned {code}", flush=True)
sys.exit(code)
