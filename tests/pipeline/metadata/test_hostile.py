"""No file costs whoever reads it more than 60 MB, its own bytes included."""

import functools
import json
import math
import os
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.metadata import reading
from pipeline.metadata.stealth import hidden_text
from pipeline.metadata.tools import parameters_from
from tests import picture_files as files
from tests.conftest import IS_THOROUGH
from tests.picture_files import parameters_in

ROOT = Path(__file__).parents[3]
MOST = 60_000_000
MANY = 5_000
"""Odd values in a table from which on only every seventh is tried: the nodes of a large table resemble each other."""
FILE_BYTES = 25 * 1024 * 1024
"""The largest that the bot looks at."""


@functools.cache
def bomb(size: int) -> bytes:
    """So many bytes, deflated to a thousandth."""
    packer = zlib.compressobj(1)
    piece = bytes(1_000_000)
    return b"".join([*(packer.compress(piece) for _ in range(-(-size // len(piece)))), packer.flush()])


def padded(begin: bytes, part: bytes) -> bytes:
    """As many parts as the largest file has room for."""
    return begin + part * ((FILE_BYTES - len(begin)) // len(part))


def exif_of_overlaps(size: int, tags: int) -> bytes:
    """EXIF data whose every tag points at all of it."""
    entries = b"".join(struct.pack("<HHII", tag, 7, size - 8, 8) for tag in range(0xFFFF - tags, 0xFFFF))
    wanted = b"".join(struct.pack("<HHII", tag, 7, size - 8, 8) for tag in (0x010E, 0x010F, 0x0110, 0x9286, 0x9C9C))
    begin = b"II*\0" + struct.pack("<IH", 8, tags + 5) + wanted + entries
    return begin.ljust(size, b"A")


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def graph_of_many() -> str:
    """A megabyte of nodes that all lead to each other, and twenty samplers before them."""
    sampler = {"positive": ["0", 0], "negative": ["1", 0], "model": ["2", 0], "seed": 1, "steps": 2}
    everywhere = [[str(number), 0] for number in range(240)]
    nodes = {str(number): {"inputs": {str(k): link for k, link in enumerate(everywhere)}} for number in range(200)}
    return json.dumps({**nodes, **{f"s{k}": {"class_type": "KSampler", "inputs": sampler} for k in range(20)}})


BEGIN = b"\x89PNG\r\n\x1a\n" + files.chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
MEGABYTE = 1_000_000
XMP = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "&{a};&{a};&{a};&{a};">' for a, b in zip("abcdefghi", "bcdefghij"))  # noqa: B905 - the last has no next
    + "]><exif:UserComment>"
    + "&j;" * 300_000
    + "</exif:UserComment>"
)

HOSTILE: dict[str, Callable[[], bytes]] = {
    "13,300 x 13,300 pixels": lambda: files.raw_png(size=(13_300, 13_300), pixels=bomb(13_300 * 39_901)),
    "as many pixels as are looked at": lambda: files.raw_png(size=(8_192, 1_024), pixels=bomb(1_024 * 24_577)),
    "more pixels than the header says": lambda: files.raw_png(size=(512, 512), pixels=bomb(100 * MEGABYTE)),
    "zTXt": lambda: files.raw_png(files.chunk(b"zTXt", b"parameters\0\0" + bomb(100 * MEGABYTE))),
    "iTXt": lambda: files.raw_png(files.chunk(b"iTXt", b"parameters\0\1\0\0\0" + bomb(100 * MEGABYTE))),
    "iCCP": lambda: files.raw_png(files.chunk(b"iCCP", b"profile\0\0" + bomb(100 * MEGABYTE))),
    "many small bombs": lambda: padded(BEGIN, files.chunk(b"zTXt", b"prompt\0\0" + bomb(MEGABYTE))),
    "one text of 25 MB": lambda: files.raw_png(files.chunk(b"tEXt", b"parameters\0".ljust(FILE_BYTES - 200, b"x"))),
    "many texts of a megabyte": lambda: (
        BEGIN + b"".join(files.chunk(b"tEXt", f"k{k}\0".encode().ljust(MEGABYTE, b"\xfc")) for k in range(25))
    ),
    "many empty texts": lambda: padded(BEGIN, files.chunk(b"tEXt", b"parameters\0")),
    "many empty pieces of pixels": lambda: padded(BEGIN, files.chunk(b"IDAT", b"")),
    "many frames of an APNG": lambda: padded(BEGIN, files.chunk(b"fcTL", bytes(26)) + files.chunk(b"fdAT", bytes(4))),
    "a small table of many tables": lambda: files.png(parameters='{"a":[' + ",".join(['{"":0}'] * 140_000) + "]}"),
    "tables as large as are read": lambda: (
        files.png_of(dict.fromkeys("abc", '{"a":[' + ",".join(['{"":0}'] * 51_000) + "]}")) + bytes(24 * MEGABYTE)
    ),
    "all that is kept, in wide letters": lambda: files.png_of(dict.fromkeys("abc", "\U0001f34e".ljust(MEGABYTE, "x"))),
    "a table of many keys": lambda: files.png(
        Comment=json.dumps({f"{k:x}": 0 for k in range(99_000)}, separators=(",", ":")), Description="a"
    ),
    "a deep table": lambda: files.png(parameters='{"a":' * 200_000),
    "a deep list": lambda: files.png(prompt='{"a":' + "[" * 900_000),
    "a graph that leads everywhere": lambda: files.png(prompt=graph_of_many()),
    "a number of many digits": lambda: files.png(parameters='{"prompt":"a","seed":' + "9" * 4_000 + ',"steps":1e999}'),
    "XMP that grows": lambda: files.png_of({"XML:com.adobe.xmp": XMP}),
    "overlapping tags in a JPEG": lambda: JPEG + b"\xff\xe1\xff\xff" + (b"Exif\0\0" + exif_of_overlaps(65_527, 5_400)),
    "overlapping tags in a WebP": lambda: riff(
        b"EXIF" + struct.pack("<I", 20 * MEGABYTE) + exif_of_overlaps(20 * MEGABYTE, 65_000)
    ),
    "many frames of a WebP": lambda: padded(riff(b"VP8X\x0a\0\0\0" + bytes(10)), b"ANMF\0\0\0\0"),
    "many empty segments": lambda: padded(JPEG, b"\xff\xe1\x00\x02"),
    "a JPEG of fill bytes": lambda: padded(JPEG, b"\xff"),
    "many comments": lambda: padded(JPEG, b"\xff\xfe\xff\xff" + bytes(65_533)),
    "several pictures in a JPEG": lambda: padded(files.with_comment(b"ASCII\0\0\0a cat"), JPEG),
    "a bomb in the pixels": lambda: files.stealth("0" * 20 * MEGABYTE, size=(512, 512)),
    "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 30000 30000\n%%EndComments\nshowpage\n",
    "a large TIFF": lambda: b"II*\0" + struct.pack("<IH", 8, 9) + bytes(FILE_BYTES - 20),
    "a GIF": lambda: files.saved(Image.new("P", (4_000, 4_000)), "GIF"),
}


@pytest.mark.system
@pytest.mark.slow
def test_no_file_costs_much(tmp_path: Path) -> None:
    """One process reads them all, so that its highest memory is that of the worst."""
    paths: list[Path] = []
    for number, make in enumerate(HOSTILE.values()):
        paths.append(tmp_path / f"{number}.png")
        assert paths[-1].write_bytes(make()) <= FILE_BYTES
        # Whatever else it is, it is as large as a file may be.
        os.truncate(paths[-1], FILE_BYTES)
    command = [sys.executable, str(Path(__file__).with_name("reader.py")), *map(str, paths)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=True)
    told = [line.split("\t") for line in done.stdout.splitlines()]
    # Seen with -s; the time decides nothing here.
    sys.stdout.write("".join(f"{name}: {line}\n" for name, line in zip(HOSTILE, told, strict=True)))
    costs = {name: int(line[0]) for name, line in zip(HOSTILE, told, strict=True)}
    assert max(costs.values()) <= MOST, next(name for name, cost in costs.items() if cost > MOST)
    assert "'a cat'" in done.stdout


def wholes() -> Iterator[bytes]:
    yield files.png_of({"prompt": files.GRAPH, "workflow": files.WORKFLOW})
    yield files.png_of(files.NOVELAI)
    yield files.stealth(files.A1111)
    yield files.with_comment(b"UNICODE\0" + files.A1111.encode("utf-16-le"))
    yield files.with_tags({0x0110: f"prompt:{json.dumps(files.GRAPH)}"})


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a table, and in the tables in it."""
    yield before
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*before, key))


def with_odd(value: Any, place: tuple[Any, ...], odd: object) -> Any:
    """A copy with something else at a place."""
    if not place:
        return odd
    copy = value.copy()
    copy[place[0]] = with_odd(value[place[0]], place[1:], odd)
    return copy


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("prompt", files.GRAPH),
        ("prompt", files.FLUX),
        ("workflow", files.WORKFLOW),
        ("parameters", files.SWARMUI),
        ("parameters", files.FOOOCUS),
        ("sd-metadata", files.SD_METADATA),
        ("invokeai_metadata", files.INVOKEAI),
        ("usercomment", files.DRAW_THINGS),
        ("comment", {"uc": "a", "v4_prompt": {"caption": {"char_captions": [{"char_caption": "b"}]}}}),
    ],
)
def test_odd_values_in_a_table_break_nothing(key: str, table: dict[str, Any]) -> None:
    odd: list[object] = [None, 5, True, math.inf, 10**400, "a", [], {}, [[]], [[], 0], {"a": []}, {"prompt": 5}]
    every = [(place, value) for place in places(table) for value in odd]
    # A stride that shares no factor with the number of values leaves out none of them.
    stride = (7 if len(every) > MANY else 1) if IS_THOROUGH else 13
    for place, value in every[::stride]:
        parameters_from({key: json.dumps(with_odd(table, place, value)), "description": "a cat"})


@pytest.mark.parametrize("depth", [5, 500, 900, 5_000])
def test_words_in_lists_of_lists_are_read_as_deep_as_anybody_writes_them(depth: int) -> None:
    told = parameters_from({"comment": '{"steps":3,"seed":1,"prompt":' + "[" * depth + '"a cat"' + "]" * depth + "}"})
    assert told is not None
    assert told.startswith("a cat\n") is (depth == 5)


@pytest.mark.parametrize("filter_number", [5, 255])
def test_pixels_with_an_unknown_filter_hide_nothing(filter_number: int) -> None:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    rows = (bytes([filter_number]) + bytes(8 * 3)) * 8
    assert hidden_text(memoryview(header), [memoryview(zlib.compress(rows))]) is None


def test_half_a_file_and_a_spoiled_one_break_nothing() -> None:
    """Not even what would be caught: the readers themselves expect any bytes."""
    chance = random.Random(7)
    for whole in wholes():
        for length in range(0, len(whole), max(1, len(whole) // 60)):
            if reading.is_picture(whole[:length]):
                reading.read_parameters(whole[:length])
        for _ in range(200):
            spoiled = bytearray(whole)
            for _ in range(chance.randint(1, 8)):
                spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
            if reading.is_picture(bytes(spoiled)):
                reading.read_parameters(bytes(spoiled))
    assert parameters_in(b"\x89PNG\r\n\x1a\n") is None
