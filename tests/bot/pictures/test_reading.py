"""The process that reads strangers' files: what it may do, and what becomes of a bad one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from bot.pictures.reading import read_file
from pipeline.protocol.reading import CleanPicture, Parameters, PictureFault, Unreadable, Wanted, joined
from pipeline.reading.answering import answer
from tests import picture_files
from tests.pipeline.reading import files

ROOT = Path(__file__).parents[3]
CHILDREN = Path(__file__).with_name("children")
MOST = 60_000_000


def child(name: str) -> tuple[str, ...]:
    return (sys.executable, str(CHILDREN / f"{name}.py"))


async def told_by(name: str) -> dict[str, object]:
    found, _ = await read_file(b"file", Wanted.PARAMETERS, command=child(name))
    assert isinstance(found, Parameters), found
    return json.loads(found.text or "")


@pytest.mark.parametrize("name", files.VALID)
async def test_a_picture_of_every_kind_comes_back_clean(name: str) -> None:
    said, data = await read_file(files.VALID[name], Wanted.PICTURE)
    expected, written = answer(files.VALID[name], Wanted.PICTURE)
    assert said == expected
    assert picture_files.picture_in(data) == picture_files.picture_in(written)


@pytest.mark.parametrize(
    "data",
    [
        picture_files.png_of({"prompt": picture_files.GRAPH}),
        picture_files.stealth(picture_files.A1111),
        picture_files.with_comment(b"UNICODE\0" + picture_files.A1111.encode("utf-16-le")),
        picture_files.with_comment(b"JIS\0\0\0\0\0" + "\u732b".encode("shift_jis")),
        picture_files.with_comment(b"JIS\0\0\0\0\0" + "\u732b".encode("iso2022_jp")),
        files.VALID["jpeg"],
        files.VALID["gif"],
    ],
)
async def test_parameters_are_read_as_in_the_process_itself(data: bytes) -> None:
    assert await read_file(data, Wanted.PARAMETERS) == answer(data, Wanted.PARAMETERS)


async def test_a_large_painted_copy_is_compared_within_the_limits() -> None:
    ours = files.colorful((2_048, 1_536))
    copy = ours.copy()
    copy.paste((255, 255, 255), (500, 400, 900, 800))
    data = bytes(joined(files.saved(ours, "PNG"), bytearray(files.saved(copy, "PNG"))))
    found, png = await read_file(data, Wanted.MARKS)
    assert (found, png) == answer(data, Wanted.MARKS)
    assert isinstance(found, CleanPicture)


async def test_it_sees_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_DISCORD__TOKEN", "secret")
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    told = await told_by("environment")
    assert told.pop("LC_CTYPE", "C.UTF-8") == "C.UTF-8"  # Python itself sets it
    assert told.keys() <= {"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"}


def test_it_loads_neither_torch_nor_numpy_nor_the_bot() -> None:
    code = "import sys, pipeline.reading.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert {"PIL", "pipeline"} <= {*done.stdout.split()}
    assert {"torch", "numpy", "bot", "config", "asyncio", "discord"}.isdisjoint(done.stdout.split())


async def test_hostile_code_could_open_and_start_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    told = await told_by("limits")
    # The kernel starts processes and threads for root whatever the limit.
    as_root = {"start a thread", "start a process"} if os.geteuid() == 0 else set[str]()
    worked = told["worked"]
    assert isinstance(worked, list)
    assert {*worked} <= as_root
    assert told["niceness"] == 10


@pytest.mark.parametrize(
    ("name", "wanted", "detail"),
    [
        ("killed", Wanted.PICTURE, "No answer"),
        ("killed", Wanted.PARAMETERS, "No answer"),
        ("silent", Wanted.PICTURE, "It took more than 2 s."),
        ("nonsense", Wanted.PICTURE, "No answer"),
        ("unbounded", Wanted.PICTURE, "No answer"),
    ],
)
async def test_a_process_that_does_not_answer_is_an_unreadable_file(name: str, wanted: Wanted, detail: str) -> None:
    large = bytes(3_000_000)  # more than a pipe holds
    found, png = await read_file(large, wanted, command=child(name), timeout_s=2)
    assert isinstance(found, Unreadable)
    assert (found.fault, png) == (PictureFault.UNREADABLE, b"")
    assert detail in found.detail


async def test_asyncio_learns_how_each_process_ended(caplog: pytest.LogCaptureFixture) -> None:
    answered = msgspec.json.encode(Unreadable(fault=PictureFault.UNREADABLE, detail="quick")).decode()
    for _ in range(150):  # each is killed in the moment in which it ends
        found, _ = await read_file(b"file", Wanted.PICTURE, command=("sh", "-c", f"echo '{answered}'"))
        assert isinstance(found, Unreadable)
        assert found.detail == "quick"
    assert caplog.messages == []


async def test_the_process_starts_while_the_file_is_fetched() -> None:
    running: list[int] = []

    async def fetch() -> bytes:
        running.extend(each.pid for each in psutil.Process().children())
        return files.VALID["png"]

    said, data = await read_file(fetch, Wanted.PICTURE)
    expected, written = answer(files.VALID["png"], Wanted.PICTURE)
    assert (said, picture_files.picture_in(data)) == (expected, picture_files.picture_in(written))
    assert len(running) == 1
    assert not psutil.pid_exists(running[0])


async def test_a_failed_fetch_ends_the_process() -> None:
    async def fetch() -> bytes:
        raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        await read_file(fetch, Wanted.PICTURE, command=child("silent"))
    assert psutil.Process().children() == []


async def test_an_endless_picture_is_cut_and_its_process_ended() -> None:
    found, png = await read_file(b"file", Wanted.PICTURE, command=child("endless"))
    assert isinstance(found, CleanPicture)
    assert len(png) == 4 * 2_048**2


@pytest.mark.slow
def test_no_file_costs_the_bot_much(tmp_path: Path) -> None:
    """One process reads them all, so that its highest memory is that of the worst. Times are seen with -s."""
    noise = os.urandom(25 * 2**20 - 1_000)
    hostile = {
        "a bomb of 20,000 x 20,000": files.raw_png((20_000, 20_000), pixels=files.zeros(20_000 * 60_001)),
        "many pixels of one bit": files.raw_png((6_324, 6_324), depth=1, color=0, pixels=files.zeros(6_324 * 792)),
        "a text of 200 MB": files.raw_png(
            (64, 64), pixels=files.zeros(64 * 193), extra=files.chunk(b"zTXt", b"a\0\0" + files.zeros(200_000_000))
        ),
        "noise after a picture": files.VALID["png"] + noise,
        "noise": b"\x89PNG\r\n\x1a\n" + noise,
        "a large WebP": files.saved(files.colorful((6_000, 6_000)), "WEBP"),
    }
    paths: list[str] = []
    for number, data in enumerate(hostile.values()):
        path = tmp_path / f"{number}"
        path.write_bytes(data)
        paths.append(str(path))
    command = [sys.executable, str(Path(__file__).with_name("reader.py")), *paths]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    sys.stdout.write("".join(f"{name}: {line}\n" for name, line in zip(hostile, lines, strict=True)))
    costs = {name: int(line[0]) for name, line in zip(hostile, lines, strict=True)}
    assert max(costs.values()) <= MOST, costs
