"""What members say a picture is for: with a tiny adapter and a net of random weights beside the shipped model."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from PIL import Image

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_pictures_in import rows, said, with_words, words_of
from tests.end_to_end.test_verify import easel
from tests.pipeline.engine.tiny_adapters import save_adapter, save_encoder
from tests.pipeline.reading import files

ROOT = Path(__file__).parents[2]
NETWORKS = """
[[controls]]
key = "canny"
title = "Lines"
family = "sd"
kind = "controlnet"
use = "lines"
preprocessor = "canny"
license = "none, its weights are random"
source = { kind = "folder", path = "canny" }

[[references]]
key = "tiny"
title = "Tiny"
family = "sd"
uses = ["subject"]
license = "none, its weights are random"
scale = 1.0
source = { kind = "file", path = "tiny.safetensors" }
encoder = { kind = "folder", path = "encoder" }
"""


def save_control(folder: Path, unet: UNet2DConditionModel) -> None:
    """A ControlNet for the U-Net whose last layers are not zero, so that it has an effect."""
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32, 96))
    torch.manual_seed(3)
    for name, weight in net.named_parameters():
        if "controlnet_down_blocks" in name or "controlnet_mid_block" in name:
            torch.nn.init.normal_(weight, std=0.1)
    net.save_pretrained(folder)


@pytest.fixture
def owned(tmp_path: Path) -> Path:
    """The shipped catalogue with an adapter and a control net."""
    unet = UNet2DConditionModel.from_pretrained(ROOT / "models" / "pocket" / "unet")
    save_control(tmp_path / "canny", unet)
    save_adapter(tmp_path / "tiny.safetensors", unet, "plain")
    save_encoder(tmp_path / "encoder")
    shipped = (ROOT / "config" / "models.toml").read_text().replace("../models/", f"{ROOT}/models/")
    catalogue = tmp_path / "models.toml"
    catalogue.write_text(shipped + NETWORKS)
    return catalogue


def picture(color: tuple[int, int, int]) -> bytes:
    return files.saved(Image.new("RGB", (96, 64), color), "PNG")


async def test_a_picture_is_used_for_what_its_member_says(
    local: LocalDiscord, start_bot: Callable[..., BotProcess], owned: Path, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_PIPELINE__CATALOGUE=str(owned))
    await bot.start()
    await bot.wait_for_log("worker ready")
    red, blue = ("red.png", picture((200, 30, 30))), ("blue.png", picture((30, 30, 200)))
    drawn = {"prompt": "a star", "seed": 5, "steps": 8}
    await local.member.slash(local.channel, "imagine", image=red, use="subject", **drawn)
    done = await local.wait_for_message(with_words("seed 5 ", "used for subject"), 90)
    await local.member.slash(local.channel, "imagine", **drawn)
    plain = await local.wait_for_message(
        lambda message: with_words("seed 5 ")(message) and "subject" not in json.dumps(message["components"]), 90
    )
    first, second = [await local.fetch_cdn(each["attachments"][0]["url"]) for each in (done, plain)]
    assert Image.open(io.BytesIO(first)).tobytes() != Image.open(io.BytesIO(second)).tobytes()

    told = await local.friend.click(done, custom_id="easel:details:1")
    assert "only whoever gave it sees it here" in await said(told)
    details = await local.member.click(done, custom_id="easel:details:1")
    shown = next(each for each in (details.response, *details.followups) if each is not None and each.ephemeral)
    assert "This picture was used for subject, strength 1" in words_of(details)
    (given,) = shown.attachments
    small = Image.open(io.BytesIO(await local.fetch_cdn(given.url))).convert("RGB").getpixel((40, 30))
    assert isinstance(small, tuple)
    assert small[0] > 150 > small[2]

    blended = {"image1": red, "image2": blue, "image3": red}
    await local.member.slash(local.channel, "blend", prompt="a moon", size="square", **blended)
    await local.wait_for_message(with_words("a moon", "used for subject", "a second picture", "seed "), 90)
    await local.friend.click(done, label="Reroll")
    await local.wait_for_message(with_words("Reroll of", "used for subject", "seed "), 90)
    kept = dict(rows(tmp_path, "SELECT job_id, count(*) FROM inputs GROUP BY job_id"))
    assert sorted(kept.values()) == [1, 1, 3]

    async def refused(**options: Any) -> str:
        return await said(await local.member.slash(local.channel, "imagine", prompt="a star", image=red, **options))

    await local.member.slash(local.channel, "imagine", image=red, use="lines", strength=0.8, image2=blue, **drawn)
    words = ("seed 5 ", "used for lines", "strength 0.8", "a second picture", "used for subject")
    both = await local.wait_for_message(with_words(*words), 90)
    assert await local.fetch_cdn(both["attachments"][0]["url"]) not in (first, second)
    assert "No model here can take a pose from a picture" in await refused(use="pose")
    assert "“hat” is no use of a picture" in await refused(use="hat")
    assert "Drawing starts from one picture" in await refused(image2=blue, use2="start")
    posted = await local.friend.send(local.channel, "look", attachments=[red])
    form = await local.member.context_menu(local.channel, "Easel: use as reference", posted)
    values = {"prompt": "a star", "use": ["lines"], "strength": ["medium"], "size": ["kept"], "copy": red}
    assert "Choose start for it" in await said(await local.member.submit_modal(form, values))
    assert "Traceback" not in bot.log


async def test_several_pictures_last_through_try_again_and_variations_until_they_are_forgotten(
    local: LocalDiscord, start_bot: Callable[..., BotProcess], owned: Path, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_PIPELINE__CATALOGUE=str(owned))
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.admin.slash(local.channel, "admin queue", action="pause")
    red, blue = ("red.png", picture((200, 30, 30))), ("blue.png", picture((30, 30, 200)))
    options = {"use": "lines", "strength": 0.8, "image2": blue, "steps": 8, "seed": 5}
    await local.member.slash(local.channel, "imagine", prompt="a star", image=red, **options)
    waiting = await local.wait_for_message(with_words("a star", "Next in line"), 90)
    await local.member.click(waiting, custom_id="easel:cancel:1")
    cancelled = await local.wait_for_message(with_words("Cancelled"), 90)
    await local.admin.slash(local.channel, "admin queue", action="resume")
    await local.member.click(cancelled, custom_id="easel:retry:1")
    again = await local.wait_for_message(
        with_words("seed 5 ", "used for lines", "strength 0.8", "used for subject"), 90
    )
    await local.member.click(again, custom_id="easel:vary-strong:2:0")
    varied = await local.wait_for_message(
        with_words("Variation (strong)", "used for lines", "used for subject", "seed "), 90
    )
    first, second = [await local.fetch_cdn(each["attachments"][0]["url"]) for each in (again, varied)]
    assert Image.open(io.BytesIO(first)).tobytes() != Image.open(io.BytesIO(second)).tobytes()
    given = rows(tmp_path, "SELECT job_id, input_index, role, sha256 FROM inputs ORDER BY job_id, input_index")
    assert [(job_id, role) for job_id, _, role, _ in given] == [
        (job_id, role) for job_id in (1, 2, 3) for role in ("control", "reference")
    ]
    assert [row[1:] for row in given[:2]] == [row[1:] for row in given[2:4]] == [row[1:] for row in given[4:]]
    assert len({*kept(tmp_path)}) == 2
    assert await bot.stop() == 0
    easel(tmp_path, "db", "forget", str(local.member.user.id))
    assert kept(tmp_path) == []
    assert rows(tmp_path, "SELECT count(*) FROM inputs") == [(0,)]
    assert "Traceback" not in bot.log


def kept(folder: Path) -> list[str]:
    """Hashes of the given pictures that are kept."""
    return [path.stem for path in (folder / "data" / "inputs").glob("??/*.png")]
