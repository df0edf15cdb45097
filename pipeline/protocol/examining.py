"""Work and answer of the process that looks through the files of the catalogue, `python -m pipeline.examining`.

The command line writes a `Configure` to its standard input, as msgspec's JSON. The process answers with a line of JSON.
"""

import msgspec

from pipeline.protocol.catalogue.networks import HubSource


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of the catalogue's entries show.

    Attributes:
        missing: why an entry cannot be offered, by its key.
        remarks: sentences for the owner, by key.
        configurations: repositories with the configurations of checkpoints whose entries name none, by key.
    """

    missing: dict[str, str] = {}
    remarks: dict[str, str] = {}
    configurations: dict[str, HubSource] = {}
