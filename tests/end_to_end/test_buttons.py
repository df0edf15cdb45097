"""Every button, with the real bot, worker and model: by its owner, by others, after a restart, and forged."""

import asyncio
import io
import json
import signal
import sqlite3
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image, ImageChops, PngImagePlugin

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess, shared_bot

StartBot = Callable[..., BotProcess]
Message = dict[str, Any]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),  # a busy machine loads libraries slowly
    pytest.mark.asyncio(loop_scope="module"),
]


def text_of(message: Message) -> str:
    return json.dumps(message["components"], ensure_ascii=False) + message["content"]


def ids_of(message: Message) -> list[str]:
    """The ids of a message's buttons."""
    rows = [part for part in message["components"][0]["components"] if part["type"] == 1]
    return [button["custom_id"] for row in rows for button in row["components"]]


def job_of(message: Message) -> int:
    """The job that a message's buttons are about."""
    return int(ids_of(message)[0].split(":")[2])


class Studio:
    """The local Discord with a bot that draws, and short ways to ask and press."""

    def __init__(self, local: LocalDiscord, bot: BotProcess, directory: Path) -> None:
        self.local = local
        self.bot = bot
        self.directory = directory

    async def done(self, words: str) -> Message:
        """The finished message that says this."""
        return await self.local.wait_for_message(
            lambda message: words in text_of(message) and "seed " in text_of(message), 90
        )

    async def ask(self, prompt: str, **options: Any) -> Message:
        """The finished message of a prompt that nobody has asked for before."""
        await self.local.member.slash(self.local.channel, "imagine", prompt=prompt, steps=6, **options)
        return await self.done(prompt)

    async def press(self, person: Any, message: Message, custom_id: str) -> str:
        """Press a button; what only the one who pressed reads."""
        result = await person.click(message, custom_id=custom_id)
        return "" if result.response is None else str(result.response.content)

    async def picture(self, message: Message, index: int = 0) -> Image.Image:
        data = await self.local.fetch_cdn(message["attachments"][index]["url"])
        return Image.open(io.BytesIO(data)).convert("RGB")

    def files(self) -> set[Path]:
        """All pictures that are kept."""
        return set((self.directory / "data" / "images").glob("??/*.png"))

    def rows(self, sql: str, *values: int) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.directory / "data" / "easel.db") as connection:
            return connection.execute(sql, values).fetchall()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Studio]:
    directory = tmp_path_factory.mktemp("buttons")
    async with shared_bot(directory, EASEL_QUOTAS__QUEUED_PER_USER="0") as (local, bot):
        yield Studio(local, bot, directory)


@pytest.fixture
def studio(shared: Studio) -> Studio:
    """Where other tests may have drawn before; what a test counts, it counts from its own first job."""
    return shared


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean of the differences of all pixels, 0 to 255."""
    histogram = ImageChops.difference(one.convert("L"), other.convert("L")).histogram()
    return sum(value * count for value, count in enumerate(histogram)) / sum(histogram)


async def test_pictures_are_upscaled_varied_and_drawn_anew(studio: Studio) -> None:
    local = studio.local
    two = await studio.ask("two red apples", images=2, seed=5)
    job = job_of(two)
    assert [part.split(":")[1] for part in ids_of(two)] == [
        *("upscale", "upscale", "reroll", "vary-strong", "vary-strong", "remix"),
        *("star", "copy", "details", "delete"),
    ]
    await studio.press(local.friend, two, f"easel:upscale:{job}:1")
    larger = await studio.done(f"Upscale of [#{job}, image 2]")
    assert f"for <@{local.friend.id}>" in text_of(larger)
    first, second = [await studio.picture(two, index) for index in range(2)]
    upscaled = await studio.picture(larger)
    assert upscaled.size == (512, 512)
    assert difference(upscaled.resize((256, 256)), second) < difference(upscaled.resize((256, 256)), first) / 2
    assert not any("upscale" in custom_id for custom_id in ids_of(larger))

    await studio.press(local.member, two, f"easel:vary-strong:{job}:0")
    strong = await studio.done(f"Variation (strong) of [#{job}, image 1]")
    await studio.press(local.member, larger, f"easel:vary-subtle:{job + 1}:0")
    subtle = await studio.done(f"Variation (subtle) of [#{job + 1}]")
    assert len(strong["attachments"]) == 2
    near = difference(await studio.picture(subtle), second)
    far = difference(await studio.picture(strong), first)
    assert 0 < near < far
    sql = "SELECT started_by, parent_job_id, parent_image_index, price FROM jobs WHERE job_id >= ? ORDER BY job_id"
    assert studio.rows(sql, job) == [
        ("imagine", None, None, 2),
        ("upscale", job, 1, 1),
        ("vary-strong", job, 0, 2),
        ("vary-subtle", job + 1, None, 1),
    ]

    await studio.press(local.member, subtle, f"easel:making-of:{job_of(subtle)}:0")
    shown = await local.wait_for_message(lambda message: "Left is what the model gets" in text_of(message), 90)
    moving, still = shown["attachments"]
    assert (moving["content_type"], still["content_type"]) == ("image/webp", "image/png")
    animation = Image.open(io.BytesIO(await local.fetch_cdn(moving["url"])))
    assert animation.n_frames == 7, "six steps and the picture"  # pyright: ignore[reportAttributeAccessIssue]
    assert (await studio.picture(shown, 1)).tobytes() == (await studio.picture(subtle)).tobytes()
    assert studio.rows("SELECT kind, width, height FROM outputs WHERE job_id = ?", job + 4) == [
        ("animation", 520, 280),
        ("animation", 256, 256),
    ]
    assert studio.rows("SELECT price FROM jobs WHERE job_id = ?", job + 4) == [(1,)]


async def test_a_morph_is_asked_about_then_goes_from_one_picture_to_the_other(studio: Studio) -> None:
    local = studio.local
    first = await studio.ask("a yellow star", seed=7)
    last = await studio.ask("a star", seed=8)
    job = job_of(last)
    form = await local.member.click(first, custom_id=f"easel:morph:{job_of(first)}:0")
    assert form.modal is not None
    asked = await local.member.submit_modal(form, {"prompt": "a star", "seed": "8"})
    assert asked.response is not None
    question = str(asked.response.components)
    assert "Draw 16 pictures from “a yellow star” to “a star”" in question
    assert "It costs 16" in question
    assert studio.rows("SELECT count(*) FROM jobs WHERE job_id > ?", job) == [(0,)], "it was not asked first"
    ((number,),) = studio.rows("SELECT max(expansion_id) FROM expansions")
    await local.member.click(asked.response, custom_id=f"easel:start:{number}")
    shown = await local.wait_for_message(lambda message: "16 frames, 6 steps each" in text_of(message), 90)
    assert f"Morph of [#{job_of(first)}]" in text_of(shown)
    assert "seeds 7 to 8" in text_of(shown)
    keys = await studio.picture(shown, 1)
    for left, message in ((0, first), (keys.width - 256, last)):
        key = keys.crop((left, 0, left + 256, 256))
        assert key.tobytes() == (await studio.picture(message)).tobytes(), "an end is not its picture"
    assert studio.rows("SELECT price, started_by FROM jobs WHERE job_id > ?", job) == [(16, "morph-into")]


async def test_a_remix_keeps_what_is_not_changed_and_survives_a_restart(studio: Studio) -> None:
    local = studio.local
    old = await studio.ask("a red apple", negative="rain", seed=5)
    job = job_of(old)
    form = await local.friend.click(old, custom_id=f"easel:remix:{job}")
    assert form.modal is not None
    await studio.bot.stop(signal.SIGKILL)
    await studio.bot.start()
    values = {
        "prompt": "a blue star --steps 7",
        "negative": "rain",
        "size": ["wide"],
        "sampler": ["DDIM"],
        "seed": ["kept"],
    }
    await local.friend.submit_modal(form, values)
    new = await studio.done(f"Remix of [#{job}]")
    assert "a blue star" in text_of(new)
    (row,) = studio.rows("SELECT request FROM jobs WHERE started_by = 'remix' AND job_id > ?", job)
    request = json.loads(row[0])
    assert (request["prompt"], request["negative_prompt"], request["seed"]) == ("a blue star", "rain", 5)
    assert (request["num_inference_steps"], request["scheduler_name"]) == (7, "DDIM")
    assert (request["width"], request["height"]) == (112, 64)


async def test_pictures_are_kept_sent_explained_and_deleted(studio: Studio) -> None:
    local = studio.local
    before = studio.files()
    one = await studio.ask("a red apple with @everyone and `ticks`", seed=5)
    job, drawn = job_of(one), studio.files() - before
    assert drawn
    assert "are kept: their files stay for ever" in await studio.press(local.friend, one, f"easel:star:{job}")
    assert studio.rows("SELECT job_id, user_id FROM stars") == [(job, local.friend.id)]
    assert "no longer than others" in await studio.press(local.friend, one, f"easel:star:{job}")

    await studio.press(local.friend, one, f"easel:copy:{job}")
    sent = await local.wait_for_message(
        lambda message: bool(message["attachments"]), channel=local.friend.user.dm_channel
    )
    assert "as they were drawn" in sent["content"]
    original = await local.fetch_cdn(one["attachments"][0]["url"])
    assert await local.fetch_cdn(sent["attachments"][0]["url"]) == original

    shown = await local.friend.click(one, custom_id=f"easel:details:{job}")
    assert shown.response is not None
    assert shown.response.ephemeral
    details = str(shown.response.components)
    assert "/imagine prompt: a red apple with @everyone" in details
    assert "seed: 5" in details

    menu = await local.friend.context_menu(local.channel, "Easel: details", one)
    assert menu.response is not None
    assert menu.response.ephemeral
    assert "seed: 5" in str(menu.response.components)
    form = await local.friend.context_menu(local.channel, "Easel: use as reference", one)
    assert form.modal is not None
    assert form.modal["custom_id"] == f"easel:remix:{job}"

    refused = await studio.press(local.friend, one, f"easel:delete:{job}")
    assert "Only the person who asked for this" in refused
    await studio.press(local.member, one, f"easel:delete:{job}")
    async with asyncio.timeout(60):
        while any(message["id"] == one["id"] for message in local.messages()):
            await asyncio.sleep(0.05)
        while drawn & studio.files():
            await asyncio.sleep(0.05)
    assert "Traceback" not in studio.bot.log


async def test_forged_presses_are_refused_and_double_ones_make_one_job_each(studio: Studio) -> None:
    local = studio.local
    one = await studio.ask("a yellow pear", seed=5)
    other = await studio.ask("a pink fish", seed=6)
    job, another = job_of(one), job_of(other)
    for name in (f"upscale:{another}:0", f"upscale:{job}:3", "delete:9999", f"paint:{job}", f"copy:{another}"):
        custom_id = f"easel:{name}"
        payload = local._backend.messages[local.channel.id][int(one["id"])]
        before = json.dumps(payload.components)
        payload.components = json.loads(before.replace(f"easel:reroll:{job}", custom_id))
        forged = next(found for found in local.messages() if found["id"] == one["id"])
        assert "no longer knows" in await studio.press(local.member, forged, custom_id), custom_id
        payload.components = json.loads(before)
    results = await asyncio.gather(*(local.friend.click(other, custom_id=f"easel:reroll:{another}") for _ in range(2)))
    assert len(results) == 2
    # A client sends a form once; who opened it in two windows and sends both asks for two jobs, as with two presses.
    forms = [await local.member.click(one, custom_id=f"easel:remix:{job}") for _ in range(2)]
    values = {"prompt": "a green frog", "size": ["kept"], "sampler": ["Euler"], "seed": ["new"]}
    sent = await asyncio.gather(*(local.member.submit_modal(form, values) for form in forms))
    assert all(result.acknowledged for result in sent)
    async with asyncio.timeout(60):
        while studio.rows("SELECT count(*) FROM jobs WHERE status = 'succeeded' AND job_id >= ?", job) != [(6,)]:
            await asyncio.sleep(0.1)
    sql = "SELECT count(*), count(DISTINCT interaction_id) FROM jobs WHERE started_by = 'remix' AND job_id > ?"
    assert studio.rows(sql, job) == [(2, 2)]
    assert "Traceback" not in studio.bot.log


@pytest.mark.asyncio(loop_scope="function")  # where its bot's fixtures live
async def test_presses_without_quota_and_during_a_shutdown_are_answered(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="1")
    await bot.start()
    await bot.wait_for_log("worker ready")
    studio = Studio(local, bot, tmp_path)
    one = await studio.ask("a red apple", seed=5)
    for action in ("reroll:1", "upscale:1:0", "vary-subtle:1:0"):
        assert "you have 0 of 1 left" in await studio.press(local.member, one, f"easel:{action}")
    form = await local.member.click(one, custom_id="easel:remix:1")
    values = {"prompt": "a blue star", "size": ["kept"], "sampler": ["Euler"], "seed": ["kept"]}
    refused = await local.member.submit_modal(form, values)
    assert refused.response is not None
    assert "you have 0 of 1 left" in refused.response.content
    assert "Your prompt: a blue star" in refused.response.content
    await local.friend.slash(local.channel, "imagine", prompt="a long one", steps=50)
    await local.wait_for_message(lambda message: "Drawing" in text_of(message))
    assert bot.process is not None
    bot.process.send_signal(signal.SIGTERM)
    await bot.wait_for_log("stopping")
    assert "Easel is about to restart" in await studio.press(local.admin, one, "easel:reroll:1")
    assert await bot.stop() == 0
    (first,), (second,) = studio.rows("SELECT status FROM jobs ORDER BY job_id")
    assert first == "succeeded"
    assert second in {"succeeded", "queued"}, "what a shutdown does not wait for, the next start draws"


async def test_a_picture_of_somebody_else_says_how_it_was_made(studio: Studio) -> None:
    local = studio.local

    def picture(parameters: str) -> bytes:
        text, file = PngImagePlugin.PngInfo(), io.BytesIO()
        if parameters:
            text.add_text("parameters", parameters)
        Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=text)
        return file.getvalue()

    def answers(result: Any) -> list[Any]:
        found = [answer for answer in (result.response, *result.followups) if answer is not None]
        assert all(answer.ephemeral for answer in found)
        return found

    async def asked(menu: str, *attachments: tuple[str, bytes]) -> str:
        message = await local.friend.send(local.channel, "look", attachments=attachments)
        result = await local.member.context_menu(local.channel, menu, message)
        async with asyncio.timeout(60):
            while not (
                said := "".join(str(answer.content) + str(answer.components or "") for answer in answers(result))
            ):
                await asyncio.sleep(0.05)
        return said

    told = await asked("Easel: details", ("a.png", picture("a lighthouse\nSteps: 20, Sampler: Euler a, Seed: 3")))
    assert "a lighthouse" in told
    assert "Sampler: Euler a" in told
    assert "says of itself that it was made with AI" in told
    told = await asked("Easel: details", ("a.png", picture("")))
    assert "does not say how it was made" in told
    assert "Nothing found" in told
    assert "as PNG, JPEG or WebP" in await asked("Easel: details", ("a.png", b"GIF89a" + bytes(20)))
    assert "has no picture" in await asked("Easel: details")
    assert "has no picture" in await asked("Easel: use as reference")
    assert "Traceback" not in studio.bot.log
