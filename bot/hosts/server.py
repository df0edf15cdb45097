"""The configuration of the NATS server, which follows from the roster."""

import json
from pathlib import Path
from typing import Any, Final

from bot.hosts.roster import Roster, RosterFault
from pipeline.link.parcels import BUCKET_BYTES
from pipeline.link.subjects import Permissions, permissions_of
from pipeline.protocol.wire.hosts import MAX_WORD_BYTES

CONFIGURATION: Final = "server.conf"
OLDEST_SERVER: Final = "2.11"
EVERYWHERE: Final = "0.0.0.0:4222"
_RESPONSES: Final = {"max": 1, "expires": "2m"}
"""A host may answer each question of the bot once, for as long as the longest question waits."""


_MOST_HOSTS: Final = 256
"""Buckets for which the server reserves room. It never reads a smaller figure again while it runs."""


def write_configuration(roster: Roster, listen: str) -> None:
    """Write the server's configuration for the present members of a roster.

    JSON is also NATS's own format. Each host has a key of its own and may use its own subjects and bucket alone.

    Args:
        roster: the invited hosts.
        listen: host and port on which the server listens.

    Raises:
        RosterFault: the roster cannot be read, or the file not be written.
    """
    bot_key, system_key = roster.public_keys
    users: list[dict[str, Any]] = [{"nkey": bot_key}]
    users += [
        {"nkey": member.public_key, "permissions": _written(permissions_of(name))}
        for name, member in roster.members.items()
    ]
    configuration = {
        "server_name": "easel",
        "listen": listen,
        "max_payload": MAX_WORD_BYTES,
        "tls": {
            "cert_file": str(roster.certificate),
            "key_file": str(roster.certificate_key),
            "handshake_first": True,
        },
        "jetstream": {
            "store_dir": str(roster.folder / "streams"),
            "max_file_store": _MOST_HOSTS * BUCKET_BYTES,
        },
        "accounts": {"EASEL": {"jetstream": "enabled", "users": users}, "SYS": {"users": [{"nkey": system_key}]}},
        "system_account": "SYS",
    }
    file = roster.folder / CONFIGURATION
    try:
        file.write_text(json.dumps(configuration, indent=2), encoding="utf-8")
    except OSError as error:
        raise RosterFault(f"{file} cannot be written ({error.strerror}).") from error


def listening(roster: Roster) -> str:
    """The address on which the server listens, as its configuration says; all of the computer's if there is none."""
    try:
        return str(json.loads((roster.folder / CONFIGURATION).read_text(encoding="utf-8"))["listen"])
    except (OSError, ValueError, KeyError):
        return EVERYWHERE


def prepare_server(roster: Roster, listen: str) -> Path:
    """Make keys and certificate if there are none, write the configuration, and return its file.

    Raises:
        RosterFault: a file cannot be read or written.
    """
    roster.begin()
    write_configuration(roster, listen)
    return roster.folder / CONFIGURATION


def _written(permissions: Permissions) -> dict[str, Any]:
    return {
        "publish": {"allow": list(permissions.publish)},
        "subscribe": {"allow": list(permissions.subscribe)},
        "allow_responses": _RESPONSES,
    }
