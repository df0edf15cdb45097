"""What is read from files, and what is refused with the reason."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import save_file

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.files import LoraUnfit
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.loras.rows import fitted
from pipeline.protocol.loras import LoraEntry
from tests.lora_files import attention, read_lora, write_lora

PART = "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"


@pytest.fixture(scope="module")
def unet() -> Any:
    """Stable Diffusion's layers, tiny."""
    return UNet2DConditionModel(
        block_out_channels=(32, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=8,
    )


def write(path: Path, state: dict[str, torch.Tensor], **metadata: Any) -> Path:
    told = {name: value if isinstance(value, str) else json.dumps(value) for name, value in metadata.items()}
    save_file(state, path, {name.replace("__", "."): value for name, value in told.items()})
    return path


def pair(name: str, *, width: int = 32, ending: str = "lora_down.weight") -> dict[str, torch.Tensor]:
    return {f"{name}.{ending}": torch.ones(4, width), f"{name}.lora_up.weight": torch.ones(width, 4)}


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (pair(f"lora_unet_{PART}", width=64), "attn1.to_q is 32x32 in this model and 64x64 in the LoRA"),
        (pair("lora_te2_text_model_encoder_layers_0_self_attn_q_proj"), "a text encoder 2, which this model does not"),
        (pair("lora_unet_down_blocks_7_attentions_0_proj_in"), "this model has no down_blocks.7"),
        (pair(f"lora_unet_{PART}") | {"lora_A.weight": torch.ones(4, 4)}, "it holds lora_A.weight, which is no part"),
        (pair("lora_unet_x") | {"more": torch.ones(2)}, "it holds more, which is no part of a LoRA"),
        ({f"lora_unet_{PART}.lora_down.weight": torch.ones(4, 32)}, "layers have names that no known model has"),
        ({"lora_unet_x.alpha": torch.ones(()), "lora_unet_x.lora_up.weight": torch.ones(4, 4)}, "no known model has"),
        (pair("lora_unet_x") | {"lora_unet_x.alpha": torch.ones(2)}, "an alpha of it is no number"),
        (pair("lora_unet_x") | {"lora_unet_x.lora_up.weight": torch.ones(32, 0)}, "x.lora_up.weight holds no numbers"),
        (
            {"lora_unet_x.alpha": torch.ones(())}
            | {f"lora_unet_x.lora_{end}.weight": torch.ones(0, 0) for end in ("up", "down")},
            "holds no numbers",
        ),
        ({f"unet.{PART}.lora_A.weight": torch.ones(4, 32)}, "no two matrices that go together"),
        ({"lora_unet_x.lora_down.weight": torch.ones(()), "lora_unet_x.lora_up.weight": torch.ones(4)}, "no two matri"),
    ],
)
def test_what_does_not_fit_is_named(unet: Any, tmp_path: Path, state: dict[str, torch.Tensor], reason: str) -> None:
    path = write(tmp_path / "odd.safetensors", state)
    with pytest.raises(LoraUnfit, match=reason):
        _read_and_fit(path, unet)


def _read_and_fit(path: Path, unet: Any) -> None:
    for component, pairs in read_lora(path, unet.config).items():
        if component != "unet":
            raise LoraUnfit(f"it adds to a {component.replace('_', ' ')}, which this model does not have")
        fitted(pairs, unet)


def test_a_broken_file_is_no_lora(unet: Any, tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    write_lora(path, {"unet": unet}, {"unet": attention(unet)})
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ModelUnavailable, match="cut off"):
        read_lora(path, unet.config)


def test_titles_and_words_come_from_the_file_and_from_beside_it(tmp_path: Path) -> None:
    one = pair(f"lora_unet_{PART}")
    (tmp_path / "deeper").mkdir()
    write(tmp_path / "plain.safetensors", one)
    write(
        tmp_path / "deeper" / "spec.safetensors",
        one,
        modelspec__title="Soft  Fur",
        modelspec__trigger_phrase="furry, soft coat",
        modelspec__architecture="stable-diffusion-xl-v1-base/lora",
    )
    write(
        tmp_path / "kohya.safetensors",
        one,
        ss_output_name="zebra",
        ss_base_model_version="sd_v1",
        ss_tag_frequency={"3_z": {"zbr style": 20, "horse": 7}},
        ss_dataset_dirs={"3_z": {"img_count": 20}},
    )
    write(tmp_path / "beside.safetensors", one, modelspec__title="not this")
    (tmp_path / "beside.toml").write_text('title = "Ours"\ntrigger_words = ["a", "b"]\nscale = 0.7\n')
    write(tmp_path / "a1111.safetensors", one)
    (tmp_path / "a1111.json").write_text('{"activation text": "x y, z", "preferred weight": 0}')
    folder = LoraFolder(tmp_path)
    assert folder.entries == (
        LoraEntry(name="a1111", title="a1111", trigger_words=("x y", "z")),
        LoraEntry(name="beside", title="Ours", trigger_words=("a", "b"), scale=0.7),
        LoraEntry(name="plain", title="plain"),
        LoraEntry(name="spec", title="Soft Fur", trigger_words=("furry", "soft coat"), family="sdxl"),
        LoraEntry(name="kohya", title="zebra", trigger_words=("zbr style",), family="sd"),
    )
    assert folder.broken == {}
    assert folder.find("KOHYA") is not None
    assert (folder.find("zebra"), folder.like("kohja")) == (None, ("kohya",))


def test_files_that_cannot_be_offered_are_told(tmp_path: Path) -> None:
    one = pair(f"lora_unet_{PART}")
    (tmp_path / "deeper").mkdir()
    for name in ("twice", "deeper/Twice", "a:b", "n" * 101, "beside", "weighty"):
        write(tmp_path / f"{name}.safetensors", one)
    (tmp_path / "beside.json").write_text("[" * 5_000)
    (tmp_path / "weighty.toml").write_text('scale = "much"')
    (tmp_path / "noise.safetensors").write_bytes(b"noise that is no header")
    folder = LoraFolder(tmp_path)
    assert [entry.name.casefold() for entry in folder.entries] == ["twice"]
    told = " ".join(folder.broken.values())
    assert len(folder.broken) == 6
    for reason in ("two files called", "cannot be typed", "too long", "cannot be read", "no number", "no .safetensors"):
        assert reason in told
    assert LoraFolder(tmp_path / "gone").broken == {"gone": f"There is no folder {tmp_path / 'gone'}."}
