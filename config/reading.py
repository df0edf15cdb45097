"""Read text files of owners: UTF-8, with or without the byte order mark of Windows editors."""

import tomllib
from pathlib import Path
from typing import Any, Final

UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


class NotReadable(Exception):
    """The file cannot be read in the expected format. The message is the end of a sentence after the file's name."""


def read_text(path: Path) -> str:
    """Read a text file.

    Raises:
        NotReadable: the file is missing, a folder, forbidden or not UTF-8.
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
    """Read a TOML file.

    Raises:
        NotReadable: see `read_text`; or the file is not valid TOML.
    """
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise NotReadable(f"is not valid TOML: {error}") from error
