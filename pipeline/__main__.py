"""Entry point of the worker, `python -m pipeline --socket-fd N`. The bot starts it; people use `easel`."""

import argparse
import gc
import logging
import os
import sys

from pipeline.processes import set_name, set_variables


def main() -> None:
    """Parse the arguments and run the worker."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="Easel's worker; the bot starts it.")
    parser.add_argument("--socket-fd", type=int, required=True, help="an inherited, connected stream socket")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    set_name("easel-worker")
    set_variables()
    # Objects of imported modules live for ever. Garbage collection of them would take a quarter of the import time.
    gc.disable()
    from pipeline.worker import run_worker  # noqa: PLC0415 - after the libraries' variables are set

    gc.freeze()
    gc.enable()
    sys.stderr.flush()
    os._exit(run_worker(arguments.socket_fd))


if __name__ == "__main__":
    main()
