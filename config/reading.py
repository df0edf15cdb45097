"""Reading what owners write: UTF-8, with or without the mark that Windows' editors put before it."""

import tomllib
from pathlib import Path
from typing import Any, Final

UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


class NotReadable(Exception):
    """The file cannot be read as what it should be; the text says why, to follow its name."""


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        NotReadable: it is not there, a folder, not ours to read, or not UTF-8.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotReadable("does not exist") from error
    except IsADirectoryError as error:
        raise NotReadable("is a folder; name a file") from error
    except OSError as error:
        raise NotReadable(f"cannot be read: {error.strerror}") from error
    if data.startswith(UTF_16):
        raise NotReadable("is written in UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotReadable(
            f"is not written in UTF-8 (byte 0x{data[error.start]:02x} in line {line}); save it as UTF-8"
        ) from error


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        NotReadable: as with `read_text`, or it is no TOML.
    """
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise NotReadable(f"is not valid TOML: {error}") from error
