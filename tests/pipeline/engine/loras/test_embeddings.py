"""Embeddings in a prompt, against diffusers' own `load_textual_inversion`, in float64, on tiny random models."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import save_file

from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.tiny import (
    catalogue_of,
    in_float64,
    stable_diffusion,
    stable_diffusion_3,
    stable_diffusion_xl,
)

TOLERANCE = 1e-12
TOKEN = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"


def vectors(count: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def studio_of(
    build: Callable[[], Any], family: Family, room: Path, files: dict[str, dict[str, torch.Tensor]]
) -> Studio:
    build().save_pretrained(room / "model")
    (room / "styles").mkdir()
    for name, tensors in files.items():
        save_file(tensors, room / "styles" / f"{name}.safetensors")
    sampler = "Flow Euler" if family == "sd3" else "Euler"
    return Studio(catalogue_of(room / "model", family, sampler), room / "styles")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    pair = {f"{TOKEN}.lora_down.weight": vectors(4, 32), f"{TOKEN}.lora_up.weight": vectors(4, 32).t().contiguous()}
    files = {
        "EasyNegative": {"emb_params": vectors(3, 32)},
        "learned": {"<cat-toy>": vectors(1, 32, seed=1)[0]},
        "hand (v2)": {"string_to_param.*": vectors(2, 32, seed=2).half()},
        "long": {"emb_params": vectors(75, 32, seed=3)},
        "wide": {"emb_params": vectors(2, 48)},
        "double": {"clip_l": vectors(2, 32), "clip_g": vectors(2, 48)},
        "fur": pair | {"bundle_emb.furry.string_to_param.*": vectors(2, 32, seed=4)},
    }
    return studio_of(stable_diffusion, "sd", tmp_path_factory.mktemp("sd"), files)


@pytest.fixture
def asked(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, model_key="tiny", scheduler_name="Euler", num_inference_steps=1)


def embeds(studio: Studio, request: GenerationRequest, prompt: str) -> torch.Tensor:
    text = studio.encoded(msgspec.structs.replace(request, prompt=prompt))
    assert not text.notices
    return text.positive.at(1)["prompt_embeds"]


def notices(studio: Studio, request: GenerationRequest, prompt: str) -> list[Notice]:
    return [*studio.encoded(msgspec.structs.replace(request, prompt=prompt)).notices]


def test_every_way_of_a_file_equals_diffusers(studio: Studio, asked: GenerationRequest) -> None:
    reference = in_float64(stable_diffusion())
    reference.load_textual_inversion({"a": vectors(3, 32)}, token="<a>")
    reference.load_textual_inversion({"b": vectors(1, 32, seed=1)[0]}, token="<b>")
    reference.load_textual_inversion({"c": vectors(2, 32, seed=2).half()}, token="<c>")
    for typed, known in (
        ("a embedding:easynegative cat", "a <a> cat"),
        ("a EasyNegative cat", "a <a> cat"),
        ("a <cat-toy>, embedding:learned.safetensors", "a <b>, <b>"),
        ("embedding:hand (v2) a hand (v2)", "<c> a <c>"),
    ):
        with torch.inference_mode():
            expected = reference.encode_prompt(known, torch.device("cpu"), 1, do_classifier_free_guidance=False)[0]
        found = embeds(studio, asked, typed)
        assert found.shape == expected.shape
        assert (found - expected).abs().max().item() <= TOLERANCE, typed
    assert not embeds(studio, asked, "a EasyNegative cat").allclose(embeds(studio, asked, "a cat"))


def test_both_text_encoders_read_their_own_vectors(tmp_path: Path, asked: GenerationRequest) -> None:
    pair = {"clip_l": vectors(2, 32), "clip_g": vectors(2, 48, seed=1)}
    studio = studio_of(stable_diffusion_xl, "sdxl", tmp_path, {"fur": pair, "small": {"emb_params": vectors(2, 32)}})
    reference = in_float64(stable_diffusion_xl())
    for number, key in (("", "clip_l"), ("_2", "clip_g")):
        parts = {"tokenizer": getattr(reference, f"tokenizer{number}")}
        parts["text_encoder"] = getattr(reference, f"text_encoder{number}")
        reference.load_textual_inversion({"fur": pair[key]}, token="<fur>", **parts)
    with torch.inference_mode():
        expected, _, pooled, _ = reference.encode_prompt("a <fur> cat", device=torch.device("cpu"))
    found = studio.encoded(msgspec.structs.replace(asked, prompt="a embedding:fur cat")).positive.at(1)
    assert (found["prompt_embeds"] - expected).abs().max().item() <= TOLERANCE
    assert (found["text_embeds"] - pooled).abs().max().item() <= TOLERANCE
    (told,) = notices(studio, asked, "a embedding:small cat")
    assert told.values["reason"] == "its vectors have 32 numbers and those of this model's words 32 and 48"


def test_weights_and_schedules_and_chunks_take_it_as_its_words(studio: Studio, asked: GenerationRequest) -> None:
    plain, strong = (
        embeds(studio, asked, f"a {name} cat") for name in ("EasyNegative", "(embedding:EasyNegative:1.5)")
    )
    ratio = strong / plain
    assert ratio[0, 2:5].div(ratio[0, 1]).sub(1.5).abs().max().item() <= 1e-9, "its three vectors, and no other"
    assert ratio[0, 5:].div(ratio[0, 1]).sub(1).abs().max().item() <= 1e-9
    timed = msgspec.structs.replace(
        asked, prompt="[embedding:learned:embedding:EasyNegative:1] cat", num_inference_steps=2
    )
    before, after = (studio.encoded(timed).positive.at(step)["prompt_embeds"] for step in (1, 2))
    assert before.equal(embeds(studio, asked, "embedding:learned cat"))
    assert after.equal(embeds(studio, asked, "embedding:EasyNegative cat"))
    assert embeds(studio, asked, "a cat embedding:long dog").shape[1] == 3 * 77
    parted = embeds(studio, asked, "a BREAK EasyNegative")
    assert parted[:, 77:].equal(embeds(studio, asked, "EasyNegative"))


def test_the_negative_prompt_takes_it_too(studio: Studio, asked: GenerationRequest) -> None:
    text = studio.encoded(msgspec.structs.replace(asked, negative_prompt="blurry, easynegative"))
    assert text.negative is not None
    assert text.negative.at(1)["prompt_embeds"].equal(embeds(studio, asked, "blurry, easynegative"))
    assert [*text.embedding_digests] == ["EasyNegative"]


def test_what_is_cut_is_told_as_it_was_typed(studio: Studio, asked: GenerationRequest) -> None:
    (told,) = notices(studio, asked, "embedding:long " * 8 + "a embedding:EasyNegative")
    assert told.values["text"] == "a embedding:EasyNegative"


def test_an_embedding_in_a_lora_is_known_where_the_lora_is_used(studio: Studio, asked: GenerationRequest) -> None:
    for prompt in ("a furry cat", "a embedding:furry cat"):
        assert not notices(studio, asked, f"{prompt}<lora:fur:1>")
    (told,) = notices(studio, asked, "a embedding:furry cat")
    assert told.key == "notice-embedding-unknown"
    with_both = embeds(studio, asked, "a furry cat<lora:fur:0>")
    assert not with_both.allclose(embeds(studio, asked, "a furry cat"))
    assert with_both.equal(embeds(studio, asked, "a <furry> cat<lora:fur:0>"))


@pytest.mark.parametrize(
    ("prompt", "left", "key", "value"),
    [
        (
            "a (embedding:wide:1.2) cat",
            "a cat",
            "notice-embedding-unfit",
            "48 numbers and those of this model's words 32",
        ),
        ("a embedding:double, cat", "a, cat", "notice-embedding-unfit", "32 and 48 numbers"),
        ("a wide cat", "a wide cat", "notice-embedding-unfit", "48 numbers"),
        ("embedding:easynegativ a cat", "a cat", "notice-embedding-unknown", "EasyNegative"),
        ("embedding:fur, a cat", "a cat", "notice-embedding-is-lora", "<lora:fur:1>"),
        ("a cat <lora:easynegative:0.5>", "a cat", "notice-lora-is-embedding", "embedding:EasyNegative"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_told(
    studio: Studio, asked: GenerationRequest, prompt: str, left: str, key: str, value: str
) -> None:
    reader: Any = studio.model.adapter
    plain = reader._text.encode(reader._text.chunks(left).chunks, 1)
    text = studio.encoded(msgspec.structs.replace(asked, prompt=prompt))
    assert text.positive.at(1)["prompt_embeds"].equal(plain)
    (told,) = text.notices
    assert told.key == key
    assert value in str(told.values)


def test_a_model_that_reads_words_alone_says_so(tmp_path: Path, asked: GenerationRequest) -> None:
    studio = studio_of(stable_diffusion_3, "sd3", tmp_path, {"fur": {"emb_params": vectors(2, 32)}})
    text = studio.encoded(msgspec.structs.replace(asked, prompt="a embedding:fur cat", scheduler_name="Flow Euler"))
    plain = studio.encoded(msgspec.structs.replace(asked, prompt="a cat", scheduler_name="Flow Euler"))
    assert text.positive.at(1)["prompt_embeds"].equal(plain.positive.at(1)["prompt_embeds"])
    assert [notice.values.get("reason") for notice in text.notices] == ["this kind of model takes no embeddings"]


def test_the_recipe_names_the_file(studio: Studio, asked: GenerationRequest, tmp_path: Path) -> None:
    save_file({"emb_params": vectors(3, 32)}, tmp_path / "same.safetensors")
    digits = hashlib.sha256((tmp_path / "same.safetensors").read_bytes()).hexdigest()[:10]
    recipe = studio.pictures(msgspec.structs.replace(asked, prompt="a easynegative <lora:fur:1> furry")).recipe
    assert recipe is not None
    assert recipe.embeddings == {"EasyNegative": digits}
    assert [*recipe.loras] == ["fur"]
