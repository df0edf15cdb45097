"""Engines of others, from a member's command to the finished picture in the channel."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from playground import LocalDiscord
from tests.conftest import ROOT
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_cutout import with_words
from tests.small_comfyui import WORKFLOW, small_comfyui
from tests.small_openai import small_openai

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly

ENTRIES = """
[[model]]
key = "flux"
title = "Flux of the workshop"
license = "none"
drawn_by = { engine = "workshop", workflow = "flux.json" }
[[model]]
key = "gpt"
title = "GPT Image"
license = "none"
drawn_by = { engine = "cloud", model = "gpt-image-1", price = 0.04 }
"""


def written(folder: Path, comfyui: str, service: str) -> dict[str, str]:
    """Write the catalogue and the workflow; returns the variables of a bot with both engines."""
    shipped = (ROOT / "config" / "models.toml").read_text(encoding="utf-8").replace("../models/", f"{ROOT}/models/")
    first, mark, rest = shipped.partition("[[upscalers]]")
    (folder / "models.toml").write_text(f"{first}{ENTRIES}{mark}{rest}", encoding="utf-8")
    (folder / "flux.json").write_text(json.dumps(WORKFLOW), encoding="utf-8")
    servers = {
        "workshop": {"kind": "comfyui", "urls": [comfyui]},
        "cloud": {"kind": "openai", "urls": [service], "key": "open-sesame"},
    }
    return {
        "EASEL_ENGINES__MONTHLY_BUDGET": "0.05",
        "EASEL_ENGINES__SERVERS": json.dumps(servers),
        "EASEL_PIPELINE__CATALOGUE": str(folder / "models.toml"),
    }


async def test_members_use_them_like_any_model(
    local: LocalDiscord, start_bot: Callable[..., BotProcess], tmp_path: Path
) -> None:
    async with small_comfyui() as comfyui, small_openai("open-sesame") as service:
        bot = start_bot(**written(tmp_path, comfyui.url, service.url))
        await bot.start()
        await bot.wait_for_log("worker ready")
        await local.member.slash(local.channel, "imagine", prompt="a star", model="flux", seed=7, steps=3, cfg=4.0)
        done = await local.wait_for_message(with_words("seed 7"), 90)
        (attached,) = done["attachments"]
        opened = Image.open(io.BytesIO(await local.fetch_cdn(attached["url"])))
        assert "Model: Flux of the workshop" in opened.info["parameters"]
        assert opened.convert("RGB").getpixel((0, 0)) == (7, 120, 80)
        (nodes,) = comfyui.prompts.values()
        assert nodes["3"]["inputs"]["steps"] == 3

        # A service takes no steps, which is told; its price leaves money for one picture alone.
        await local.member.slash(local.channel, "imagine", prompt="a moon", model="gpt", steps=3)
        told = await local.wait_for_message(with_words("a moon", "does not use steps"), 90)
        await local.wait_for_message(lambda message: message["id"] == told["id"] and bool(message["attachments"]), 90)
        refused = (await local.member.slash(local.channel, "imagine", prompt="a sun", model="gpt")).response
        assert refused is not None
        assert "is used up" in refused.content
        assert service.billed == 1
        status = (await local.admin.slash(local.channel, "admin status")).response
        assert status is not None
        assert "0.04 of 0.05" in status.content
        assert "workshop" in status.content
        assert "open-sesame" not in bot.log
