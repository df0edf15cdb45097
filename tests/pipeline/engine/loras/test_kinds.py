"""What lies in an owner's folder, told by the headers: what can be used is offered, any other file has its sentence."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from pipeline.engine.loras.folder import LoraFolder
from pipeline.protocol.loras import EmbeddingEntry

UNET = "lora_unet_mid_block_attentions_0_transformer_blocks_0"
ONE = torch.ones(1)
State = dict[str, torch.Tensor]


def lora(layer: str = f"{UNET}_attn1_to_q", width: int = 32) -> State:
    return {f"{layer}.lora_down.weight": torch.ones(4, width), f"{layer}.lora_up.weight": torch.ones(32, 4)}


def write(path: Path, state: State) -> None:
    save_file({name: tensor.clone() for name, tensor in state.items()}, path)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (lora() | {f"{UNET}_attn1_to_q.dora_scale": ONE}, "DoRA"),
        ({"unet.mid_block.to_q.lora_A.weight": ONE, "unet.mid_block.to_q.lora_magnitude_vector": ONE}, "DoRA"),
        ({f"{UNET}.hada_w1_a": ONE, f"{UNET}.hada_w2_b": ONE}, "LoHa"),
        ({f"{UNET}.lokr_w1": ONE, f"{UNET}.lokr_w2": ONE}, "LoKr"),
        ({f"{UNET}.oft_blocks": ONE, f"{UNET}.alpha": ONE}, "OFT"),
        ({f"{UNET}.a1.weight": ONE, f"{UNET}.b1.weight": ONE, f"{UNET}.a2.weight": ONE}, "GLoRA"),
        ({f"{UNET}.weight": ONE, f"{UNET}.on_input": ONE}, "IA3"),
        ({f"{UNET}.diff": ONE, f"{UNET}.diff_b": ONE}, "a difference of whole weights"),
        (lora() | {f"{UNET}_norm.w_norm": ONE}, "a difference of norms"),
        (lora() | {f"{UNET}_attn1_to_q.lora_mid.weight": ONE}, "LoCon with a Tucker core"),
        ({"model.diffusion_model.input_blocks.0.0.weight": ONE, "first_stage_model.x": ONE}, "a whole checkpoint"),
        ({"down_blocks.0.resnets.0.conv1.weight": ONE, "conv_in.weight": ONE}, "a model without text encoder and VAE"),
        ({"encoder.conv_in.weight": ONE, "decoder.conv_in.weight": ONE, "quant_conv.weight": ONE}, "a VAE"),
        ({"first_stage_model.decoder.conv_in.weight": ONE}, "a VAE"),
        ({"control_model.input_blocks.0.0.weight": ONE}, "a ControlNet"),
        ({"controlnet_cond_embedding.conv_in.weight": ONE, "down_blocks.0.x.weight": ONE}, "a ControlNet"),
        ({"text_model.encoder.layers.0.self_attn.q_proj.weight": ONE}, "a text encoder"),
        ({"320.0.linear.0.weight": ONE, "320.0.linear.0.bias": ONE}, "a hypernetwork"),
        ({"image_proj.proj.weight": ONE, "ip_adapter.1.to_k_ip.weight": ONE}, "an IP-Adapter"),
        ({"conv_first.weight": ONE, "conv_last.weight": ONE}, "an enlarger"),
        ({"something.weight": ONE, "else.weight": ONE}, "of a kind that Easel does not know"),
    ],
)
def test_what_is_no_plain_lora_is_named_and_not_offered(tmp_path: Path, state: State, kind: str) -> None:
    write(tmp_path / "file.safetensors", state)
    folder = LoraFolder(tmp_path)
    assert not folder.entries
    assert not folder.embeddings
    (sentence,) = folder.broken.values()
    assert sentence.startswith(f"The file file.safetensors is {kind}, not a plain LoRA; ")
    assert folder.kind_of("FILE") == kind


@pytest.mark.parametrize(
    ("state", "family", "title"),
    [
        (lora(f"{UNET}_attn2_to_k", 768), "sd", "Stable Diffusion 1 and 2"),
        (lora(f"{UNET}_attn2_to_k", 2048), "sdxl", "Stable Diffusion XL"),
        (lora("lora_te2_text_model_encoder_layers_0_mlp_fc1"), "sdxl", "Stable Diffusion XL"),
        (lora("lora_unet_joint_blocks_0_x_block_attn_qkv"), "sd3", "Stable Diffusion 3"),
        (lora("diffusion_model.layers.0.attention.qkv"), "z-image", "Z-Image"),
        (lora("lora_unet_noise_refiner_0_attention_to_q"), "z-image", "Z-Image"),
        (lora("lora_unet_double_blocks_0_img_attn_qkv"), "flux", "Flux"),
        (
            lora("diffusion_model.blocks.0.cross_attn.q_proj"),
            "another",
            "an architecture that Easel has no step adapter for",
        ),
        ({"emb_params": torch.ones(2, 768)}, "sd", "Stable Diffusion 1 and 2"),
        ({"clip_l": torch.ones(2, 768), "clip_g": torch.ones(2, 1280)}, "sdxl", "Stable Diffusion XL"),
    ],
)
def test_what_fits_no_model_of_the_catalogue_is_not_offered(
    tmp_path: Path, state: State, family: str, title: str
) -> None:
    write(tmp_path / "file.safetensors", state)
    everywhere = LoraFolder(tmp_path, {family, "pipeline"})
    assert [entry.family for entry in (*everywhere.entries, *everywhere.embeddings)] == [family]
    nowhere = LoraFolder(tmp_path, {"pipeline"})
    assert (nowhere.entries, nowhere.embeddings) == ((), ())
    assert f" for {title}, and no model of the catalogue" in nowhere.broken["file.safetensors"]


def test_files_of_other_kinds_have_their_sentences(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    beginnings = {
        "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 144\n",
        "page.safetensors": b"<!DOCTYPE html><html><body>Log in</body></html>",
        "renamed.safetensors": b"PK\x03\x04" + bytes(60),
        "deeper/easynegative.pt": b"PK\x03\x04",
        "weights.bin": b"\x80\x02",
        "half.safetensors.crdownload": b"",
        "empty.safetensors": b"",
        "._fur.safetensors": b"\x00\x05\x16\x07",
        "preview.png": b"",
        "notes.txt": b"",
        os.fsdecode(b"caf\xe9.safetensors"): b"",
    }
    for name, data in beginnings.items():
        (tmp_path / name).write_bytes(data)
    os.mkfifo(tmp_path / "pipe.safetensors")
    reasons = {
        "pointer.safetensors": "Git LFS pointer",
        "page.safetensors": "web page",
        "renamed.safetensors": "foreign code",
        "deeper/easynegative.pt": "pickle",
        "weights.bin": "pickle",
        "half.safetensors.crdownload": "not finished",
        "empty.safetensors": "empty or cut off",
        "pipe.safetensors": "is no file",
        "caf?.safetensors": "is not written in UTF-8",
    }
    folder = LoraFolder(tmp_path)
    assert folder.broken.keys() == reasons.keys()
    for name, reason in reasons.items():
        assert reason in folder.broken[name]
        assert Path(name).name in folder.broken[name]


@pytest.mark.parametrize(
    "change",
    [
        {"shape": ...},
        {"dtype": ...},
        {"data_offsets": ...},
        {"shape": None},
        {"shape": "ab"},
        {"shape": ["a", "b"]},
        {"shape": [[1], [4]]},
        {"shape": [-1, -4]},
        {"dtype": ["F32"]},
        {"data_offsets": [0, math.inf]},
        {"data_offsets": [0]},
    ],
)
@pytest.mark.parametrize("key", ["emb_params", "token", "lora_unet_a_attn2_to_k.lora_down.weight", "bundle_emb.a.*"])
def test_a_header_of_odd_entries_is_told(tmp_path: Path, key: str, change: dict[str, Any]) -> None:
    usual = {"dtype": "F32", "shape": [1, 4], "data_offsets": [0, 16]}
    entry = {name: value for name, value in (usual | change).items() if value is not ...}
    header = json.dumps({"lora_unet_a.lora_up.weight": usual, key: entry} if "." in key else {key: entry}).encode()
    (tmp_path / "odd.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    folder = LoraFolder(tmp_path)
    assert folder.broken == {"odd.safetensors": "The header of odd.safetensors is broken; download the file again."}


def test_a_name_that_is_blank_is_not_offered(tmp_path: Path) -> None:
    write(tmp_path / " .safetensors", lora())
    folder = LoraFolder(tmp_path)
    assert folder.entries == ()
    assert folder.broken == {" .safetensors": "The name ' .safetensors' is blank; rename it."}


def test_embeddings_are_offered_and_checked(tmp_path: Path) -> None:
    good: dict[str, State] = {
        "EasyNegative": {"emb_params": torch.ones(2, 768)},
        "toy": {"<cat-toy>": torch.ones(768)},
        "pair": {"clip_l": torch.ones(2, 768), "clip_g": torch.ones(2, 1280)},
    }
    bad: dict[str, tuple[State, str]] = {
        "torn": ({"clip_l": torch.ones(2, 768), "clip_g": torch.ones(3, 1280)}, "parts do not go together"),
        "alone": ({"clip_g": torch.ones(3, 1280)}, "parts do not go together"),
        "void": ({"emb_params": torch.ones(0, 768)}, "parts do not go together"),
        "long": ({"emb_params": torch.ones(76, 768)}, "76 vectors; a text encoder reads 75"),
        "whole": ({"emb_params": torch.ones(2, 768, dtype=torch.int8)}, "whole numbers"),
        "nan": ({"emb_params": torch.full((2, 768), float("nan"))}, "holds NaN or infinity"),
    }
    for name, state in {**good, **{name: state for name, (state, _) in bad.items()}}.items():
        save_file(state, tmp_path / f"{name}.safetensors")
    (tmp_path / "pair.toml").write_text('title = "A pair"\nnegative = true\ntrigger_words = ["twins"]\n')
    folder = LoraFolder(tmp_path)
    assert folder.embeddings == (
        EmbeddingEntry(name="pair", title="A pair", trigger_words=("twins",), is_negative=True, family="sdxl"),
        EmbeddingEntry(name="EasyNegative", title="EasyNegative", is_negative=True, family="sd"),
        EmbeddingEntry(name="toy", title="toy", family="sd", token="<cat-toy>"),
    )
    assert folder.broken.keys() == {f"{name}.safetensors" for name in bad}
    for name, (_, reason) in bad.items():
        assert reason in folder.broken[f"{name}.safetensors"]


def test_a_bundled_embedding_does_not_spoil_its_lora(tmp_path: Path) -> None:
    bundle = {"bundle_emb.furry.string_to_param.*": torch.ones(2, 768), "bundle_emb.odd.clip_g": torch.ones(1, 8)}
    save_file(lora() | bundle, tmp_path / "fur.safetensors")
    (entry,) = LoraFolder(tmp_path).entries
    assert entry.embeddings == ("furry",)
