"""Any picture in larger: attached to /upscale, a stranger's by its menu, and one of ours after a restart."""

import io
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_pictures_in import rows, said, with_words
from tests.pipeline.engine.pixels.test_faces import large_portrait, portrait, tiny_network, write_nearest
from tests.pipeline.reading import files

ROOT = Path(__file__).parents[2]
StartBot = Callable[..., BotProcess]


async def picture_of(local: LocalDiscord, message: Any) -> Image.Image:
    return Image.open(io.BytesIO(await local.fetch_cdn(message["attachments"][0]["url"]))).convert("RGB")


def apart(larger: Image.Image, original: Image.Image) -> float:
    """Mean difference of two pictures at the size of the second, of 255."""
    shrunk = larger.resize(original.size, Image.Resampling.BOX)
    pairs = zip(shrunk.tobytes(), original.tobytes(), strict=True)
    return sum(abs(first - second) for first, second in pairs) / len(original.tobytes())


async def test_an_attached_picture_is_made_larger_and_explained_after_a_restart(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    original = files.colorful((60, 40))
    await local.member.slash(local.channel, "upscale", image=("a.png", files.saved(original, "PNG")), scale=4)
    done = await local.wait_for_message(with_words("60×40 → 240×160", "Made larger for"), 90)
    larger = await picture_of(local, done)
    assert larger.size == (240, 160)
    assert apart(larger, original.convert("RGB")) < 12
    labels = [button.get("label") for row in _rows(done) for button in row["components"]]
    assert labels == ["Remix", *[None] * 4]
    assert rows(tmp_path, "SELECT kind, width, height, seed FROM outputs") == [("upscaled", 240, 160, None)]
    assert rows(tmp_path, "SELECT role FROM inputs") == [("source",)]
    assert rows(tmp_path, "SELECT reserved FROM ledger WHERE kind = 'reserve'") == [(1,)]
    assert await bot.stop() == 0
    await bot.start()
    explained = await local.friend.click(done, custom_id="easel:details:1")
    words = await said(explained)
    assert "Made 4 times larger, from 60×40 to 240×160" in words
    assert "BSD" in words
    # One of ours comes from the store, and needs no address.
    await local.friend.context_menu(local.channel, "Easel: upscale", done)
    again = await local.wait_for_message(with_words("240×160 → 960×640", "Upscale of"), 90)
    assert (await picture_of(local, again)).size == (960, 640)
    assert "Traceback" not in bot.log


async def test_what_cannot_be_made_larger_is_a_private_sentence_and_costs_nothing(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    wide = files.saved(Image.new("RGB", (2_048, 1_400)), "PNG")
    for data, scale, sentence in (
        (files.saved(Image.new("RGB", (2_049, 300)), "PNG"), 2, "longer than 2048 pixels"),
        (wide, 4, "Choose 2 as the scale"),
        (b"no picture", 4, "cannot be read here"),
    ):
        result = await local.member.slash(local.channel, "upscale", image=("a.png", data), scale=scale)
        assert sentence in await said(result)
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(0,)]
    assert [message for message in local.messages() if message["author"].get("bot")] == []
    assert "Traceback" not in bot.log


def _rows(message: Any) -> list[Any]:
    (container,) = message["components"]
    return [item for item in container["components"] if item["type"] == 1]


async def test_the_menu_of_a_strangers_message_takes_its_first_picture(
    local: LocalDiscord, start_bot: StartBot
) -> None:
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    picture = files.saved(files.colorful((40, 40)), "JPEG", quality=95)
    await local.friend.send(local.channel, "look", attachments=[("a.jpg", picture), ("b.jpg", picture)])
    look = await local.wait_for_message(lambda message: message["content"] == "look")
    await local.member.context_menu(local.channel, "Easel: upscale", look)
    done = await local.wait_for_message(with_words("40×40 → 160×160", "several pictures"), 90)
    assert (await picture_of(local, done)).size == (160, 160)
    await local.friend.send(local.channel, "bare")
    bare = await local.wait_for_message(lambda message: message["content"] == "bare")
    assert "has no picture" in await said(await local.member.context_menu(local.channel, "Easel: upscale", bare))
    assert "Traceback" not in bot.log


async def test_a_drawn_picture_starts_from_an_enlarged_one(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.member.slash(local.channel, "imagine", prompt="a star", steps=4)
    drawn = await local.wait_for_message(with_words("a star", "seed "), 90)
    await local.member.context_menu(local.channel, "Easel: upscale", drawn)
    larger = await local.wait_for_message(with_words("Upscale of", "1024×1024"), 90)
    await local.member.click(larger, custom_id="easel:vary-strong:2")
    await local.wait_for_message(with_words("a star", "Variation (strong) of", "strength 0.75"), 90)
    assert rows(tmp_path, "SELECT role FROM inputs WHERE job_id = 3") == [("init-image",)]
    form = await local.member.click(larger, custom_id="easel:remix:2")
    assert form.modal is not None
    assert "a star" in str(form.modal)
    await local.member.submit_modal(form, {"prompt": "a red star", "strength": ["subtle"], "size": ["kept"]})
    await local.wait_for_message(with_words("a red star", "Remix of", "strength 0.3"), 90)
    assert "Traceback" not in bot.log


async def test_a_creative_upscale_draws_details_by_the_prompt_of_the_file_or_of_the_member(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    import psutil  # noqa: PLC0415 - only here

    # With this starter, the worker descends from the bot.
    bot = start_bot(EASEL_PIPELINE__STARTER="own")
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.member.slash(local.channel, "imagine", prompt="a star", steps=4)
    star = await local.wait_for_message(with_words("a star", "seed "), 90)
    file = await local.fetch_cdn(star["attachments"][0]["url"])
    asked = {"image": ("star.png", file), "scale": 2, "creative": "subtle"}
    await local.member.slash(local.channel, "upscale", **asked)
    larger = await local.wait_for_message(with_words("a star", "Made larger for", "128×128, enlarged to 512×512"), 90)
    assert (await picture_of(local, larger)).size == (512, 512)
    labels = [button.get("label") for row in _rows(larger) for button in row["components"]]
    assert labels[:4] == ["Vary (subtle)", "Vary (strong)", "Remix", "Reroll"]
    assert "Drawn anew in 9 tiles" in await said(await local.friend.click(larger, custom_id="easel:details:2"))
    await local.friend.click(larger, custom_id="easel:reroll:2")
    again = await local.wait_for_message(with_words("a star", "Reroll of", "128×128, enlarged to 512×512"), 90)
    first, second = await picture_of(local, larger), await picture_of(local, again)
    assert 0 < apart(second, first) < 12
    # A stranger's file says nothing about its picture.
    plain = files.saved(files.colorful((160, 120)), "PNG")
    refused = await local.member.slash(local.channel, "upscale", image=("a.png", plain), creative="strong")
    assert "holds no prompt" in await said(refused)
    alone = await local.member.slash(local.channel, "upscale", image=("a.png", plain), prompt="a star")
    assert "Choose subtle or strong" in await said(alone)
    # So many tiles that the worker is killed while they are drawn.
    wide = {"image": ("a.png", files.saved(files.colorful((320, 240)), "PNG")), "scale": 4}
    await local.member.slash(local.channel, "upscale", creative="strong", prompt="a cloud --steps 50", **wide)
    await local.wait_for_message(with_words("a cloud", "Drawing: "), 90)
    assert bot.process is not None
    (*_, worker) = psutil.Process(bot.process.pid).children(recursive=True)
    assert worker.name() == "easel-worker"
    worker.send_signal(signal.SIGKILL)
    cloud = await local.wait_for_message(with_words("a cloud", "320×240, enlarged to 1280×960"), 120)
    assert (await picture_of(local, cloud)).size == (1280, 960)
    ends = [("succeeded", attempt) for attempt in (1, 1, 1, 2)]
    assert rows(tmp_path, "SELECT status, attempt FROM jobs ORDER BY job_id") == ends
    assert "Traceback" not in bot.log


@pytest.fixture
def with_faces(tmp_path: Path) -> Path:
    """The shipped catalogue with a small network for faces, and one that enlarges in no time."""
    write_nearest(tmp_path / "nearest.safetensors")
    network = tiny_network(tmp_path / "tiny.safetensors")
    shipped = (ROOT / "config" / "models.toml").read_text().replace("../models/", f"{ROOT}/models/")
    shipped = shipped.replace(f"{ROOT}/models/upscaler/realesr-animevideov3-x4", str(tmp_path / "nearest"))
    entry = f'\n[[faces]]\nkey = "{network.key}"\ntitle = "{network.title}"\npath = "{network.path}"\nlicense = "MIT"\n'
    catalogue = tmp_path / "models.toml"
    catalogue.write_text(shipped + entry)
    return catalogue


async def test_faces_are_repaired_and_what_was_done_is_told(
    local: LocalDiscord, start_bot: StartBot, with_faces: Path
) -> None:
    bot = start_bot(EASEL_PIPELINE__CATALOGUE=str(with_faces))
    await bot.start()
    await bot.wait_for_log("worker ready")
    done: dict[str, Any] = {}
    for name, picture, sentence in (
        ("face", portrait(), "Repaired one face with Tiny."),
        ("sharp", large_portrait(sharp=True), "One face larger than 400 pixels is sharp already"),
        ("none", np.zeros((60, 40, 3), np.uint8), "No face of at least 48 pixels was found"),
    ):
        given = (f"{name}.png", files.saved(Image.fromarray(picture), "PNG"))
        await local.member.slash(local.channel, "upscale", image=given, scale=2, faces="tiny")
        done[name] = await local.wait_for_message(with_words(sentence), 90)
    await local.member.slash(
        local.channel, "upscale", image=("face.png", files.saved(Image.fromarray(portrait()), "PNG")), scale=2
    )
    plain = await local.wait_for_message(
        lambda message: with_words("200×200 → 400×400")(message) and "Repaired" not in str(message["components"]), 90
    )
    repaired, kept = [np.asarray(await picture_of(local, each), dtype=int) for each in (done["face"], plain)]
    assert np.abs(repaired - kept)[200:240, 150:200].mean() > 3, "the face differs"
    assert (repaired[:, :8] == kept[:, :8]).all(), "its surroundings do not"
    assert "Faces repaired with tiny" in await said(await local.friend.click(done["face"], custom_id="easel:details:1"))
    assert "Traceback" not in bot.log
