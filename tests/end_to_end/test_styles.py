"""A host's LoRA, from its folder to a member's picture."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess

StartBot = Callable[..., BotProcess]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly

LAYER = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"


async def test_a_style_is_suggested_chosen_and_drawn(local: LocalDiscord, start_bot: StartBot, tmp_path: Path) -> None:
    folder = tmp_path / "loras"
    folder.mkdir()
    for name, width in (("fur_v2", 128), ("other", 64)):
        state = {f"unet.{LAYER}.lora_A.weight": torch.ones(4, width), f"unet.{LAYER}.lora_B.weight": torch.ones(128, 4)}
        save_file(state, folder / f"{name}.safetensors")
    save_file({"emb_params": torch.ones(2, 192)}, folder / "calm.safetensors")
    (folder / "fur_v2.toml").write_text('title = "Soft fur"\ntrigger_words = ["furry"]\nscale = 0.8\n')
    bot = start_bot(EASEL_PIPELINE__LORA_DIRECTORY=str(folder))
    await bot.start()
    await bot.wait_for_log("worker ready")
    choices = await local.member.autocomplete(local.channel, "imagine", "style", "FUR", prompt="x")
    assert [(choice["name"], choice["value"]) for choice in choices] == [("Soft fur (furry)", "fur_v2")]
    listed = (await local.member.slash(local.channel, "styles")).response
    assert listed is not None
    for tag in ("lora:fur_v2:0.8", "embedding:calm"):
        assert tag in listed.content.replace("\\", "")
    prompt = "a cat embedding:calm, embedding:clam <lora:other:1>"
    await local.member.slash(local.channel, "imagine", prompt=prompt, style="soft FUR", steps=4, seed=6)
    message = await local.wait_for_message(lambda message: "seed 6" in str(message["components"]), 120)
    shown = str(message["components"]).replace("\\", "")
    assert "a cat embedding:calm, <lora:other:1>, furry <lora:fur_v2:0.8>" in shown
    plain = shown.replace("\u2068", "").replace("\u2069", "")
    assert "The style “other” does not fit this model" in plain
    assert "There is no embedding called “clam” here, so it was left out. Similar names: calm." in plain
    assert "does not know" not in plain
    assert len(message["attachments"]) == 1
    refused = (await local.member.slash(local.channel, "imagine", prompt="a cat", style="furs")).response
    assert refused is not None
    assert "no style called" in refused.content
