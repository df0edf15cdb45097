"""An attached file is kept as a clean picture, or refused with a sentence before anything is kept."""

import asyncio
import io
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from bot.calls.messages import Calls
from bot.calls.watching import Watch
from bot.errors import Refused
from bot.pictures import receiving
from bot.pictures.inputs import InputPictures
from bot.pictures.reading import File
from bot.pictures.receiving import Receiving
from bot.pictures.telling import refusal
from bot.presenting.texts import LANGUAGES, spoken, text
from bot.store.images import ImageStore
from bot.store.inputs import InputRepository
from pipeline.protocol.inputs import Inpaint, Input, InputRole
from pipeline.protocol.reading import MAX_FILE_BYTES, CleanPicture, PictureFault, ReadingAnswer, Unreadable, Wanted
from pipeline.protocol.requests import GenerationRequest
from pipeline.reading.answering import answer
from pipeline.reading.pictures import clean
from tests import picture_files
from tests.bot.store.conftest import Store
from tests.bot.store.conftest import database as database  # noqa: PLC0414 - fixtures, seen by these tests
from tests.bot.store.conftest import store as store  # noqa: PLC0414
from tests.pipeline.reading import files
from tests.small_cdn import SmallCdn
from tests.small_cdn import cdn as cdn  # noqa: PLC0414


@pytest.fixture
def room(cdn: SmallCdn, store: Store, tmp_path: Path) -> Receiving:
    calls = Calls(cdn.client, Watch(), pause_s=0.01)
    inputs = InputPictures(files=ImageStore(tmp_path / "inputs"), inputs=InputRepository(store.database))
    return Receiving(calls=calls, inputs=inputs)


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("inputs/**/*") if path.is_file()]


async def test_a_picture_is_kept_clean(room: Receiving, cdn: SmallCdn, tmp_path: Path) -> None:
    received = await room.receive(cdn.attachment("/a.png", files.VALID["png, alpha"]))
    _, png = clean(files.VALID["png, alpha"])
    assert received.picture.sides == files.SIZE
    assert [notice.key for notice in received.notices] == ["notice-transparent"]
    (path,) = kept(tmp_path)
    assert path.stem == received.picture.sha256
    assert picture_files.picture_in(path.read_bytes()) == picture_files.picture_in(png)
    several = await room.receive(cdn.attachment("/a.gif", files.VALID["gif, animated"]))
    assert [notice.key for notice in several.notices] == ["notice-first-frame"]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"text", "refused-picture-format"),
        (files.heic(), "refused-picture-heic"),
        (files.raw_png((20_000, 20_000), pixels=b""), "refused-picture-pixels"),
        (files.saved(files.colorful((16, 200)), "PNG"), "refused-picture-ratio"),
        (files.saved(files.colorful((8, 8)), "PNG"), "refused-picture-sides"),
        (files.VALID["jpeg"][:300], "refused-picture-unreadable"),
    ],
)
async def test_what_is_no_picture_is_refused(
    room: Receiving, cdn: SmallCdn, tmp_path: Path, data: bytes, key: str
) -> None:
    with pytest.raises(Refused) as refused:
        await room.receive(cdn.attachment("/file", data))
    assert refused.value.key == key
    assert kept(tmp_path) == []
    for language in LANGUAGES:
        with spoken(language):
            assert text(key, **refused.value.values).endswith(".")


def test_every_fault_has_a_sentence_with_its_bounds() -> None:
    for fault in PictureFault:
        refused = refusal(Unreadable(fault=fault))
        assert text(refused.key, **refused.values).endswith(".")


async def test_a_file_that_is_too_large_is_not_fetched(room: Receiving, cdn: SmallCdn) -> None:
    for method in (room.receive, room.parameters):
        with pytest.raises(Refused, match="refused-picture-large"):
            await method(cdn.attachment("/file", b"x", size=MAX_FILE_BYTES + 1))
    assert cdn.asked == []


async def test_a_file_that_is_larger_than_told_is_refused(room: Receiving, cdn: SmallCdn) -> None:
    with pytest.raises(Refused, match="refused-picture-large"):
        await room.receive(cdn.attachment("/file", bytes(MAX_FILE_BYTES + 1), size=100))


async def test_a_full_disk_is_a_sentence(room: Receiving, cdn: SmallCdn, tmp_path: Path) -> None:
    (tmp_path / "inputs").write_text("a file where the folder should be")
    with pytest.raises(Refused, match="refused-storage"):
        await room.receive(cdn.attachment("/file", files.VALID["png"]))


async def test_parameters_are_found_or_not(room: Receiving, cdn: SmallCdn) -> None:
    assert await room.parameters(cdn.attachment("/a", picture_files.png(parameters="a cat"))) == "a cat"
    for data, key in ((files.VALID["png"], "refused-no-parameters"), (files.VALID["gif"], "refused-picture-format")):
        with pytest.raises(Refused, match=key):
            await room.parameters(cdn.attachment("/b", data))


async def test_two_files_are_read_at_once(room: Receiving, cdn: SmallCdn, monkeypatch: pytest.MonkeyPatch) -> None:
    now, most = 0, 0

    async def count(file: File, wanted: Wanted) -> tuple[ReadingAnswer, bytes]:
        nonlocal now, most
        data = bytes(file if isinstance(file, bytes | bytearray) else await file())
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        return answer(data, wanted)

    monkeypatch.setattr(receiving, "read_file", count)
    attachment = cdn.attachment("/a", files.VALID["png"])
    received = await asyncio.gather(*(room.receive(attachment) for _ in range(5)))
    assert len({each.picture.sha256 for each in received}) == 1
    assert most == 2
    assert isinstance(answer(files.VALID["png"], Wanted.PICTURE)[0], CleanPicture)


async def test_an_output_a_mask_and_a_look_are_kept_or_shown(
    room: Receiving, cdn: SmallCdn, request_: GenerationRequest, tmp_path: Path
) -> None:
    sha256 = await room.adopt(files.VALID["webp"])
    copy = Image.open(io.BytesIO((tmp_path / f"inputs/{sha256[:2]}/{sha256}.png").read_bytes()), formats=("PNG",))
    copy.paste((255, 255, 255), (4, 4, 20, 20))
    mask = await room.marks(cdn.attachment("/a.png", files.saved(copy, "PNG")), sha256)
    assert {path.stem for path in kept(tmp_path)} == {sha256, mask}
    inputs = (
        Input(role=InputRole.INIT_IMAGE, sha256=sha256, strength=0.5),
        Input(role=InputRole.MASK, sha256=mask),
    )
    request = msgspec.structs.replace(request_, inputs=inputs, inpaint=Inpaint())
    look = Image.open(io.BytesIO(await room.look(request)), formats=("PNG",))
    assert look.size == files.SIZE
    assert look.getpixel((10, 10)) != look.getpixel((40, 30))
    gone = msgspec.structs.replace(request, inpaint=Inpaint(grow=-0.25))
    with pytest.raises(Refused, match="refused-region-gone"):
        await room.look(gone)
    lost = msgspec.structs.replace(request, inputs=(Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32),))
    with pytest.raises(Refused, match="refused-picture-gone"):
        await room.look(lost)
    with pytest.raises(Refused, match="refused-picture-unmarked"):
        await room.marks(cdn.attachment("/b.png", files.VALID["webp"]), sha256)
    with pytest.raises(Refused, match="refused-picture-format"):
        await room.adopt(b"no picture")
