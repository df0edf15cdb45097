"""`python -m pipeline --socket-fd N`: the worker. The bot starts it; people use `easel`."""

import argparse
import gc
import logging
import os
import sys


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="Easel's worker; the bot starts it.")
    parser.add_argument("--socket-fd", type=int, required=True, help="an inherited, connected stream socket")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    # Read by OpenMP when torch is imported: threads that spin for work slow the bot's process down.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What imports make is kept for ever: looking through it again and again would be a quarter of their time.
    gc.disable()
    from pipeline.worker import run_worker  # noqa: PLC0415 - after OMP_WAIT_POLICY is set

    gc.freeze()
    gc.enable()
    sys.stderr.flush()
    os._exit(run_worker(arguments.socket_fd))


if __name__ == "__main__":
    main()
