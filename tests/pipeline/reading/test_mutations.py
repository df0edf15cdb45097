"""No file whatever ends the process in another way than with an answer."""

import asyncio
import io
import os
import struct
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.pictures.reading import read_file
from pipeline.protocol.limits import MAX_INPUT_SIDE
from pipeline.protocol.reading import CleanPicture, ReadingAnswer, Unreadable, Wanted
from tests import picture_files
from tests.conftest import IS_THOROUGH
from tests.pipeline.reading import files

ROOT = Path(__file__).parents[3]
WHOLES = [*files.VALID.values(), files.heic(), picture_files.png_of({"prompt": picture_files.GRAPH})]


class Answerer:
    """A process that answers about one file after another."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("answerer.py"))]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=ROOT
        )

    def ask(self, data: bytes, *, is_picture: bool) -> tuple[ReadingAnswer, bytes]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(struct.pack(">I?", len(data), is_picture) + data)
        self.process.stdin.flush()
        head = self.process.stdout.read(8)
        assert len(head) == 8, f"it ended: {self.process.wait(10)}"
        line, png = (self.process.stdout.read(length) for length in struct.unpack(">II", head))
        return msgspec.json.decode(line, type=ReadingAnswer), png


@pytest.fixture(scope="module")
def answerer() -> Generator[Answerer]:
    one = Answerer()
    yield one
    one.process.kill()
    one.process.communicate()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid file with some bytes changed, left out, doubled, or taken from another one."""
    data = bytearray(draw(st.sampled_from(WHOLES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(1, 40))
        match draw(st.sampled_from(["change", "change", "change", "cut", "drop", "double", "splice", "number"])):
            case "change":
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=4))
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + length]
            case "double":
                data[at:at] = data[at : at + length]
            case "splice":
                other = draw(st.sampled_from(WHOLES))
                data[at : at + length] = other[at : at + length]
            case _:  # a length or a size that is very large, or none
                number = draw(st.sampled_from([0, 2**31, 2**32 - 1]))
                data[at : at + 4] = struct.pack(draw(st.sampled_from("<>")) + "I", number)
    return bytes(data)


def is_whole(found: ReadingAnswer, png: bytes | bytearray) -> bool:
    """Whether an answer is one that the bot can use."""
    if not isinstance(found, CleanPicture):
        return not png
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        picture.load()
        return picture.size == (found.width, found.height) and max(picture.size) <= MAX_INPUT_SIDE


@pytest.mark.slow
@settings(
    max_examples=4_000 if IS_THOROUGH else 200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=mutated(), is_picture=st.booleans())
def test_a_mutated_file_gets_an_answer(answerer: Answerer, data: bytes, is_picture: bool) -> None:
    assert is_whole(*answerer.ask(data, is_picture=is_picture))


@pytest.mark.slow
@settings(max_examples=100 if IS_THOROUGH else 10)
@given(data=mutated(), wanted=st.sampled_from(Wanted))
def test_a_mutated_file_gets_an_answer_of_the_real_process(data: bytes, wanted: Wanted) -> None:
    found, png = asyncio.run(read_file(data, wanted))
    assert is_whole(found, png)
    assert not isinstance(found, Unreadable) or "No answer" not in found.detail


def test_every_valid_file_is_read_in_the_limits(answerer: Answerer) -> None:
    for name, data in files.VALID.items():
        found, png = answerer.ask(data, is_picture=True)
        assert isinstance(found, CleanPicture), name
        assert is_whole(found, png)
