"""A part of a picture is drawn anew, and what lies around it, by whoever presses."""

import asyncio
import io
import json
import signal
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image, ImageChops

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess, shared_bot
from tests.pipeline.reading import files
from tests.text_masks import save_text_mask

pytestmark = pytest.mark.asyncio(loop_scope="module")

Message = dict[str, Any]
ROOT = Path(__file__).parents[2]


class Studio:
    """A bot that draws, its channel, and its database."""

    def __init__(self, local: LocalDiscord, bot: BotProcess, directory: Path) -> None:
        self.local = local
        self.bot = bot
        self.directory = directory

    def rows(self, sql: str, *values: int) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.directory}/data/easel.db?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    async def done(self, *words: str) -> Message:
        """The message of a finished job."""

        def fits(message: Message) -> bool:
            shown = json.dumps(message["components"], ensure_ascii=False)
            return all(each in shown for each in ("seed ", *words))

        return await self.local.wait_for_message(fits, 120)

    async def ask(self, prompt: str, **options: Any) -> tuple[int, Message]:
        await self.local.member.slash(self.local.channel, "imagine", prompt=prompt, steps=16, **options)
        message = await self.done(prompt)
        ((job_id,),) = self.rows("SELECT max(job_id) FROM jobs")
        return job_id, message

    async def picture(self, message: Message) -> Image.Image:
        data = await self.local.fetch_cdn(message["attachments"][0]["url"])
        return Image.open(io.BytesIO(data)).convert("RGB")

    async def file(self, message: Message) -> bytes:
        return await self.local.fetch_cdn(message["attachments"][0]["url"])


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Studio]:
    directory = tmp_path_factory.mktemp("studio")
    shipped = (ROOT / "config/models.toml").read_text().replace("../models/", f"{ROOT}/models/")
    marker = f'[text_mask]\npath = "{save_text_mask(directory / "clipseg")}"\nlicense = "MIT"\nthreshold = 0.01\n'
    catalogue = directory / "models.toml"
    catalogue.write_text(f"{shipped}\n{marker}")
    async with shared_bot(directory, EASEL_PIPELINE__CATALOGUE=str(catalogue)) as (local, bot):
        yield Studio(local, bot, directory)


async def private(result: Any) -> Any:
    """The last private answer, however late."""
    async with asyncio.timeout(60):
        while not (found := [each for each in (result.response, *result.followups) if each and each.ephemeral]):
            await asyncio.sleep(0.05)
    return found[-1]


async def test_a_part_is_shown_with_its_price_changed_after_a_restart_and_then_drawn(studio: Studio) -> None:
    local = studio.local
    job, old = await studio.ask("a red apple", seed=5)
    form = await local.friend.click(old, custom_id=f"easel:region:{job}:0")
    assert form.modal is not None
    values = {"where": ["4", "5"], "prompt": "a blue star", "strength": ["strong"]}
    answered = await local.friend.submit_modal(form, values)
    question = await private(answered)
    said = json.dumps(question.components, ensure_ascii=False)
    assert "a blue star" in said
    assert "It costs 1." in said or "you have" in said
    assert studio.rows("SELECT count(*) FROM jobs WHERE job_id > ?", job) == [(0,)]
    assert studio.rows("SELECT sum(price) FROM jobs WHERE job_id > ?", job) == [(None,)]

    await studio.bot.stop(signal.SIGKILL)
    await studio.bot.start()
    ((expansion,),) = studio.rows("SELECT max(expansion_id) FROM expansions")
    await local.friend.click(question, custom_id=f"easel:larger:{expansion}")
    await local.friend.click(question, custom_id=f"easel:invert:{expansion}")
    await local.friend.click(question, custom_id=f"easel:invert:{expansion}")
    await local.friend.click(question, custom_id=f"easel:smaller:{expansion}")
    ((jobs,),) = studio.rows("SELECT jobs FROM expansions WHERE expansion_id = ?", expansion)
    (wanted,) = json.loads(jobs)
    assert wanted["request"]["inpaint"]["cells"] == [4, 5]
    await local.friend.click(question, custom_id=f"easel:start:{expansion}")
    new = await studio.done(f"Region of [#{job}]", "exactly as it was")
    assert f"<@{local.friend.id}>" in str(new["components"])
    before, after = await studio.picture(old), await studio.picture(new)
    assert after.size == before.size
    third = before.width // 3
    box = ImageChops.difference(before, after).getbbox()
    assert box is not None
    assert box[0] >= third - 10
    assert third - 10 <= box[1]
    assert box[3] <= 2 * third + 12
    sql = "SELECT started_by, parent_job_id, requester_id FROM jobs WHERE job_id = ?"
    assert studio.rows(sql, job + 1) == [("region", job, local.friend.id)]
    assert studio.rows("SELECT role FROM inputs WHERE job_id = ?", job + 1) == [("init-image",)]
    assert "Traceback" not in studio.bot.log


async def test_a_part_is_named_in_words(studio: Studio) -> None:
    local = studio.local
    job, old = await studio.ask("a yellow apple", seed=6)
    form = await local.friend.click(old, custom_id=f"easel:region:{job}:0")
    values = {"where": ["4"], "words": "the apple", "prompt": "a blue moon", "strength": ["strong"]}
    question = await private(await local.friend.submit_modal(form, values))
    assert "The words say where" in json.dumps(question.components, ensure_ascii=False)
    ((expansion, jobs),) = studio.rows("SELECT expansion_id, jobs FROM expansions ORDER BY expansion_id DESC LIMIT 1")
    (wanted,) = json.loads(jobs)
    assert [each["role"] for each in wanted["request"]["inputs"]] == ["init-image", "mask"]
    await local.friend.click(question, custom_id=f"easel:start:{expansion}")
    new = await studio.done(f"Region of [#{job}]", "a blue moon")
    assert (await studio.picture(new)).size == (await studio.picture(old)).size
    assert "Traceback" not in studio.bot.log


async def test_a_painted_copy_says_where(studio: Studio) -> None:
    local = studio.local
    job, old = await studio.ask("a green pear", seed=6)
    picture = await studio.picture(old)
    copy = picture.copy()
    copy.paste((255, 0, 255), (20, 30, 110, 120))
    file = io.BytesIO()
    copy.save(file, "JPEG", quality=80)
    form = await local.member.click(old, custom_id=f"easel:region:{job}:0")
    values = {"prompt": "a yellow star", "strength": ["strong"], "copy": ("copy.jpg", file.getvalue())}
    question = await private(await local.member.submit_modal(form, values))
    ((expansion, jobs),) = studio.rows("SELECT expansion_id, jobs FROM expansions ORDER BY expansion_id DESC LIMIT 1")
    (wanted,) = json.loads(jobs)
    assert [each["role"] for each in wanted["request"]["inputs"]] == ["init-image", "mask"]
    await local.member.click(old, custom_id=f"easel:delete:{job}")
    await local.member.click(question, custom_id=f"easel:start:{expansion}")
    new = await studio.done("a yellow star", "exactly as it was")
    box = ImageChops.difference(picture, await studio.picture(new)).getbbox()
    assert box is not None
    assert box[0] >= 0
    assert 90 <= box[2] <= 132
    assert 100 <= box[3] <= 142


async def test_a_picture_from_elsewhere_changes_only_where_its_copy_is_painted(studio: Studio) -> None:
    """A mask in black and white says it as well as paint; the size has the picture's shape."""
    local = studio.local
    picture = files.colorful((256, 256))
    posted = await local.friend.send(local.channel, "look", attachments=[("a.png", files.saved(picture, "PNG"))])
    mask = Image.new("RGB", picture.size)
    mask.paste("white", (96, 96, 176, 176))
    values = {"prompt": "a star --seed 6 --steps 8", "strength": ["strong"], "size": ["kept"]}
    before = studio.rows("SELECT max(job_id) FROM jobs")

    async def asked(**more: Any) -> Any:
        form = await local.friend.context_menu(local.channel, "Easel: use as reference", posted)
        return await private(await local.friend.submit_modal(form, {**values, **more}))

    other = Image.new("RGB", (300, 100), "red")
    refused = await asked(copy=("other.png", files.saved(other, "PNG")))
    assert "costs" not in json.dumps(refused.components)
    question = await asked(copy=("mask.png", files.saved(mask, "PNG")))
    assert "costs" in json.dumps(question.components)
    assert studio.rows("SELECT max(job_id) FROM jobs") == before
    ((expansion,),) = studio.rows("SELECT max(expansion_id) FROM expansions")
    await local.friend.click(question, custom_id=f"easel:start:{expansion}")
    drawn = await studio.picture(await studio.done("seed 6 ", "Kept everything outside"))
    assert drawn.size == picture.size
    below = (0, 200, 256, 256)
    assert drawn.crop(below).tobytes() == picture.crop(below).tobytes()
    assert difference(drawn.crop((96, 96, 176, 176)), picture.crop((96, 96, 176, 176))) > 5
    assert "Traceback" not in studio.bot.log


async def test_what_cannot_be_changed_is_a_sentence_and_costs_nothing(studio: Studio) -> None:
    local = studio.local
    job, old = await studio.ask("a yellow moon", seed=7)
    untouched = ("copy.png", await studio.file(old))
    tall = io.BytesIO()
    Image.new("RGB", (60, 200)).save(tall, "PNG")
    for values, sentence in (
        ({}, "Nothing is marked"),
        ({"copy": untouched}, "Nothing is painted"),
        ({"copy": ("a.png", tall.getvalue())}, "another shape"),
        ({"copy": ("a.png", b"no picture")}, "cannot be read"),
        ({"where": ["0"], "prompt": "a star --steps x"}, "x"),
    ):
        form = await local.member.click(old, custom_id=f"easel:region:{job}:0")
        given = {"prompt": "a blue star", "strength": ["strong"], **values}
        answer = await private(await local.member.submit_modal(form, given))
        assert sentence in str(answer.content), sentence
    assert studio.rows("SELECT count(*) FROM jobs WHERE job_id > ?", job) == [(0,)]
    assert "Traceback" not in studio.bot.log


async def test_a_picture_is_zoomed_out_and_panned(studio: Studio) -> None:
    local = studio.local
    job, old = await studio.ask("a house in a meadow", seed=8)
    picture = await studio.picture(old)
    form = await local.friend.click(old, custom_id=f"easel:zoom-out:{job}:0")
    assert "It costs" in str(form.modal)
    await local.friend.submit_modal(form, {"zoom": ["2"], "prompt": "a house in the snow"})
    zoomed = await studio.done(f"Zoom out of [#{job}]", "a house in the snow")
    wide = await studio.picture(zoomed)
    assert wide.size == picture.size
    side = picture.width
    inner = wide.crop((side // 4 + 16, side // 4 + 16, side * 3 // 4 - 16, side * 3 // 4 - 16))
    small = picture.resize((side // 2, side // 2), Image.Resampling.LANCZOS).crop(
        (16, 16, side // 2 - 16, side // 2 - 16)
    )
    assert difference(inner, small) < 12

    choice = await private(await local.friend.click(old, custom_id=f"easel:pan:{job}:0"))
    assert "costs" in str(choice.components)
    await local.friend.click(choice, custom_id=f"easel:pan-right:{job}:0")
    message = await studio.done(f"Pan of [#{job}]")
    panned = await studio.picture(message)
    assert panned.size == (picture.width * 3 // 2, picture.height)
    kept = (0, 0, side - 8, side)
    assert panned.crop(kept).tobytes() == picture.crop(kept).tobytes()
    sql = "SELECT started_by, parent_job_id, requester_id FROM jobs WHERE job_id > ? ORDER BY job_id"
    assert studio.rows(sql, job) == [("zoom-out", job, local.friend.id), ("pan", job, local.friend.id)]

    ((pan,),) = studio.rows("SELECT max(job_id) FROM jobs")
    told = json.dumps(
        (await private(await local.member.click(message, custom_id=f"easel:details:{pan}"))).components,
        ensure_ascii=False,
    )
    assert f"{panned.width}×{panned.height}" in told
    assert "Only a window was drawn, at 64×64" in told
    choice = await private(await local.friend.click(message, custom_id=f"easel:pan:{pan}:0"))
    await local.friend.click(choice, custom_id=f"easel:pan-up:{pan}:0")
    higher = await studio.picture(await studio.done(f"Pan of [#{pan}]"))
    below = (0, higher.height - panned.height + 8, panned.width, higher.height)
    assert higher.crop(below).tobytes() == panned.crop((0, 8, *panned.size)).tobytes()
    form = await local.friend.click(message, custom_id=f"easel:zoom-out:{pan}:0")
    await local.friend.submit_modal(form, {"zoom": ["1.5"], "prompt": "a meadow"})
    zoomed = await studio.done(f"Zoom out of [#{pan}]")
    wide = await studio.picture(zoomed)
    assert wide.width / wide.height > 1.3, "it has not the shape of the longer picture"
    assert "cut off" not in json.dumps(zoomed["components"])
    await local.friend.click(message, custom_id=f"easel:reroll:{pan}")
    again = await studio.picture(await studio.done(f"Reroll of [#{pan}]"))
    assert again.size == panned.size
    assert again.crop(kept).tobytes() == picture.crop(kept).tobytes()
    assert again.tobytes() != panned.tobytes()
    assert studio.rows("SELECT DISTINCT price FROM jobs WHERE job_id >= ?", pan) == [(1,)]
    assert "Traceback" not in studio.bot.log


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean of the differences of all pixels, 0 to 255."""
    histogram = ImageChops.difference(one.convert("L"), other.convert("L")).histogram()
    return sum(value * count for value, count in enumerate(histogram)) / sum(histogram)
