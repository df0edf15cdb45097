"""The line that an owner gives to a new host: all that its agent needs to reach the bot."""

import base64
import binascii
import re
from typing import Final

import msgspec

MAX_NAME: Final = 32
_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_NAME - 1}}}")
_PREFIX: Final = "easel1."


class BadLine(Exception):
    """The text is no line of `easel hosts invite`; the message is a sentence."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Address and credentials of one host.

    Attributes:
        address: host and port of the NATS server, as the host reaches it.
        name: the host's name.
        seed: private key of the host, as NATS writes nkeys.
        fingerprint: SHA-256 of the server's certificate in hexadecimal digits.
    """

    address: str
    name: str
    seed: str
    fingerprint: str

    def __str__(self) -> str:
        """One word that can be copied."""
        body = base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()
        return _PREFIX + body.rstrip("=")


def read_line(text: str) -> Line:
    """Read a line again; space around and inside it does not matter, since mails and chats break lines.

    Raises:
        BadLine: it is none, or was cut.
    """
    word = "".join(text.split())
    if not word.startswith(_PREFIX):
        raise BadLine("This is no line of `easel hosts invite`; copy all of it, from easel1 to its end.")
    body = word.removeprefix(_PREFIX)
    try:
        line = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Line)
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadLine("The line is not whole; copy all of it, or invite the host again.") from error
    if not is_name(line.name):
        raise BadLine("The line names no host; invite the host again.")
    return line


def is_name(text: str) -> bool:
    """Whether a text can be a host's name. It becomes a part of subjects, so it has no dots, stars or spaces."""
    return _NAME.fullmatch(text) is not None
