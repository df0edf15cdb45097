"""Tags in a prompt, as A1111's `lora` extension reads them: one weight for both, or text encoder and then U-Net."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompts.tags import MAX_LORA_SCALE, LoraTag, read_tags
from pipeline.protocol.loras import LoraEntry


@pytest.mark.parametrize(
    ("tag", "scale", "text_scale"),
    [
        ("<lora:fur>", 1.0, 1.0),
        ("<lora:fur:0.8>", 0.8, 0.8),
        ("<LoRA: fur :-.5>", -0.5, -0.5),
        ("<lyco:fur:1>", 1.0, 1.0),
        ("<lora:fur:0.5:1>", 1.0, 0.5),
        ("<lora:fur:te=0.5:unet=2>", 2.0, 0.5),
        ("<lora:fur:unet=0.3>", 0.3, 1.0),
    ],
)
def test_a_lora_and_its_weights(tag: str, scale: float, text_scale: float) -> None:
    tagged = read_tags(f"a cat {tag}, sitting")
    assert tagged.prompt == "a cat , sitting"
    assert tagged.loras == (LoraTag(name="fur", scale=scale, text_scale=text_scale),)
    assert (tagged.tags, tagged.ignored, tagged.clamped) == ((tag,), (), ())


@pytest.mark.parametrize(
    "tag",
    [
        "<hypernet:fur:1>",
        "<lora::1>",
        "<lora:fur:much>",
        "<lora:fur:nan>",
        "<lora:fur:1e9>",
        "<lora:f:1:1:8>",
        "<lora:f:dyn=1>",
    ],
)
def test_what_means_nothing_is_taken_out_and_told(tag: str) -> None:
    tagged = read_tags(f"a {tag}cat")
    assert (tagged.prompt, tagged.loras, tagged.ignored) == ("a cat", (), (tag,))


def test_what_means_nothing_keeps_no_other_from_being_read() -> None:
    tagged = read_tags("<lora:fur:much><hypernet:x><lora:fur>")
    assert tagged.loras == (LoraTag(name="fur", scale=1, text_scale=1),)
    assert tagged.ignored == ("<lora:fur:much>", "<hypernet:x>")


def test_weights_are_bounded_and_other_brackets_stay() -> None:
    tagged = read_tags("<lora:fur:99:-99> a <b> c < d: e>")
    assert tagged.prompt == " a <b> c < d: e>"
    assert tagged.loras == (LoraTag(name="fur", scale=-MAX_LORA_SCALE, text_scale=MAX_LORA_SCALE),)
    assert tagged.clamped == ("<lora:fur:99:-99>",)


@given(
    st.lists(st.sampled_from(["a", "<", ">", ":", "lora", "lyco:", "1", "-", "=", " ", "te", "\u0663"]), max_size=14)
)
def test_any_text_is_read_and_every_tag_is_used_or_told(words: list[str]) -> None:
    tagged = read_tags("".join(words))
    assert len(tagged.loras) + len(tagged.ignored) == len(tagged.tags)
    assert all(
        abs(tag.scale) <= MAX_LORA_SCALE and abs(tag.text_scale) <= MAX_LORA_SCALE and tag.name for tag in tagged.loras
    )


@given(st.floats(min_value=-MAX_LORA_SCALE, max_value=MAX_LORA_SCALE).map(lambda value: round(value, 2)))
def test_what_easel_writes_it_reads(scale: float) -> None:
    (read,) = read_tags(LoraEntry(name="Fur v2", title="", scale=scale).tag).loras
    assert read == LoraTag(name="Fur v2", scale=scale, text_scale=scale)
