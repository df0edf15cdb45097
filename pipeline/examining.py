"""Looks through the files of the catalogue without a device: `python -m pipeline.examining`.

The worker looks through them at its start. The command line asks this process, since it loads no torch itself.
"""

import logging
import sys

import msgspec

from pipeline.announcing import offer_of
from pipeline.engine.models.loading import quiet_libraries
from pipeline.engine.models.sources import configuration_of
from pipeline.protocol.examining import Examined
from pipeline.protocol.wire.messages import Configure


def main() -> None:
    """Read the `Configure` from standard input, and write what was found to standard output."""
    logging.disable()  # the sentences are in the answer
    quiet_libraries()
    configure = msgspec.json.decode(sys.stdin.buffer.read(), type=Configure)
    sys.stdout.buffer.write(msgspec.json.encode(examined(configure)))


def examined(configure: Configure) -> Examined:
    """What the files of all entries show."""
    offer = offer_of(configure)
    found = {spec.key: configuration_of(spec) for spec in configure.models}
    return Examined(
        missing=offer.missing,
        remarks=offer.remarks,
        configurations={key: source for key, source in found.items() if source is not None},
    )


if __name__ == "__main__":
    main()
