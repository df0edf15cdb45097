"""Subjects, inboxes and buckets by the names of hosts, and what a host may do with them.

The server takes a host's name from its credentials, never from a message: each host may publish and hear its own
subjects alone.
"""

from typing import Final

import msgspec

BOT: Final = "bot"
"""The bot's own name; no host may have it."""
FROM_HOSTS: Final = "easel.from.*"
FLEET: Final = "easel.fleet"
"""Where the command line tells the running bot of changes, and asks it about its hosts."""


def to_host(name: str) -> str:
    """Subject of words to a host."""
    return f"easel.to.{name}"


def from_host(name: str) -> str:
    """Subject of words of a host."""
    return f"easel.from.{name}"


def host_of(subject: str) -> str:
    """Name of the host whose words have this subject."""
    return subject.rpartition(".")[2]


def inbox_of(name: str) -> str:
    """Prefix of the subjects on which answers arrive."""
    return f"_INBOX_{name}"


def bucket_of(name: str) -> str:
    """Bucket of a host in the object store."""
    return f"easel-{name}"


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """Subjects that a client of the server may use. Answers to received requests are allowed besides."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def permissions_of(name: str) -> Permissions:
    """What a host may do: speak and hear on its own subjects, and write and read its own bucket.

    It may create no consumer, and may not use direct gets. The server sends what these find to any subject that the
    client names, so a host could speak in the name of another.
    """
    bucket, stream, api = bucket_of(name), f"OBJ_{bucket_of(name)}", "$JS.API.STREAM"
    return Permissions(
        publish=(
            from_host(name),
            f"$O.{bucket}.>",
            f"{api}.INFO.{stream}",
            f"{api}.MSG.GET.{stream}",
            f"{api}.PURGE.{stream}",
        ),
        subscribe=(to_host(name), f"{inbox_of(name)}.>"),
    )
