"""The owner's file of blocked pictures: a look in each line."""

from pathlib import Path
from typing import Final

from pipeline.protocol.provenance.fingerprints import BLOCKED_LOOK_BYTES

MAX_BLOCKS: Final = 5_000
"""Most blocked pictures in the file. All of them go to the worker with each job."""
_PDQ: Final = "pdq:"
_KIND: Final = "look:"


class BadBlockFile(Exception):
    """The file cannot be read; the text is one sentence with the line."""


def read_block_file(path: Path) -> tuple[bytes, ...]:
    """The looks of a file. A line is `look:` and 64 hexadecimal digits; what follows `#` is a comment.

    Raises:
        BadBlockFile: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise BadBlockFile(f"The file of blocked pictures {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadBlockFile(f"The file of blocked pictures {path} is not UTF-8.") from error
    looks = dict.fromkeys(
        _look(line, f"line {number} of {path}")
        for number, line in enumerate(lines, 1)
        if line.partition("#")[0].strip()
    )
    if len(looks) > MAX_BLOCKS:
        raise BadBlockFile(f"{path} blocks {len(looks)} pictures; {MAX_BLOCKS} are possible.")
    return tuple(looks)


def line_of(look: bytes) -> str:
    """The line that blocks a picture with this look."""
    return f"{_KIND}{look[:BLOCKED_LOOK_BYTES].hex()}"


def _look(line: str, where: str) -> bytes:
    written = line.partition("#")[0].strip()
    try:
        look = bytes.fromhex(written.removeprefix(_KIND))
    except ValueError:
        look = b""
    if written.startswith(_PDQ):
        raise BadBlockFile(
            f"In {where} is a hash of PDQ. Easel compares looks alone, since no package that computes PDQ runs with "
            "this Python. Leave the line out; `easel look` prints the line of a picture that you have."
        )
    if not written.startswith(_KIND) or len(look) != BLOCKED_LOOK_BYTES:
        raise BadBlockFile(
            f"In {where}, write {_KIND} and {2 * BLOCKED_LOOK_BYTES} hexadecimal digits, as `easel look` prints them."
        )
    return look
