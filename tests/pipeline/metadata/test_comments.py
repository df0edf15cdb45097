"""The user's comment of EXIF data, in every way that tools write it."""

import pytest

from pipeline.metadata.reading import read_parameters
from tests.picture_files import A1111, with_comment

GERMAN = f"Käse über Äpfeln, {A1111}"
CHINESE = "一只红苹果，水彩画"
JAPANESE = f"赤いりんご\n{A1111}"


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("mark", "encoding", "words"),
    [
        *((b"UNICODE\0", encoding, A1111) for encoding in ("utf-16-be", "utf-16-le", "utf-8", "ascii")),
        *((b"UNICODE\0", encoding, GERMAN) for encoding in ("utf-16-be", "utf-16-le", "utf-8", "latin-1")),
        *((b"UNICODE\0", encoding, JAPANESE) for encoding in ("utf-16-be", "utf-16-le", "utf-8")),
        # With a byte order mark.
        *((b"UNICODE\0", encoding, CHINESE) for encoding in ("utf-16", "utf-8-sig", "utf-8")),
        *((b"ASCII\0\0\0", encoding, GERMAN) for encoding in ("utf-8", "latin-1", "utf-16-le")),
        *((b"JIS\0\0\0\0\0", encoding, JAPANESE) for encoding in ("iso2022_jp", "shift_jis", "euc_jp", "utf-8")),
        *((bytes(8), encoding, GERMAN) for encoding in ("utf-8", "latin-1", "utf-16-be")),
        *((b"", encoding, GERMAN) for encoding in ("utf-8", "latin-1")),
    ],
)
def test_a_comment_is_read(mark: bytes, encoding: str, words: str, endian: str, kind: str) -> None:
    assert read_parameters(with_comment(mark + words.encode(encoding), kind, endian=endian)) == words


@pytest.mark.parametrize(("endian", "encoding"), [("<", "utf-16-le"), (">", "utf-16-be")])
def test_where_nothing_else_tells_the_byte_order_of_the_file_does(endian: str, encoding: str) -> None:
    assert read_parameters(with_comment(b"UNICODE\0" + CHINESE.encode(encoding), endian=endian)) == CHINESE


def test_zeros_at_the_end_are_no_words() -> None:
    assert read_parameters(with_comment(b"ASCII\0\0\0" + A1111.encode() + bytes(9))) == A1111
    assert read_parameters(with_comment(b"UNICODE\0" + A1111.encode("utf-16-le") + bytes(4))) == A1111
    assert read_parameters(with_comment(b"ASCII\0\0\0" + bytes(20))) is None
