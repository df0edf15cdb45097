"""How styles are put into a prompt, as a member would type them."""

import pytest

from pipeline.protocol.loras import EmbeddingEntry, LoraEntry, Style

FUR = LoraEntry(name="Fur v2", title="Fur", trigger_words=("furry", "soft coat"), scale=0.80)
GLOW = EmbeddingEntry(name="Glow", title="Glow", trigger_words=("bright",))
BAD = EmbeddingEntry(name="bad", title="Bad", trigger_words=("ugly",), is_negative=True)


@pytest.mark.parametrize(
    ("style", "prompt", "negative_prompt", "expected"),
    [
        (FUR, " a cat ", "rain", ("a cat, furry, soft coat <lora:Fur v2:0.8>", "rain")),
        (FUR, "", "", ("furry, soft coat <lora:Fur v2:0.8>", "")),
        (FUR, "a FURRY cat", "", ("a FURRY cat, soft coat <lora:Fur v2:0.8>", "")),
        (FUR, "a cat <LORA:FUR V2:1>", "", ("a cat <LORA:FUR V2:1>, furry, soft coat", "")),
        (FUR, "furry soft coat <lora:Fur v2:0.8>", "", ("furry soft coat <lora:Fur v2:0.8>", "")),
        # Others whose names or words are longer are others.
        (FUR, "furry-ish <lora:Fur v20:1>", "", ("furry-ish <lora:Fur v20:1>, furry, soft coat <lora:Fur v2:0.8>", "")),
        (FUR, "furry, soft coat <lora: fur v2 >", "", ("furry, soft coat <lora: fur v2 >", "")),
        (GLOW, "brighter embedding:Glow-2", "", ("brighter embedding:Glow-2, bright, embedding:Glow", "")),
        (LoraEntry(name="x", title=""), "a cat", "", ("a cat <lora:x:1>", "")),
        (GLOW, " a cat ", "rain", ("a cat, bright, embedding:Glow", "rain")),
        (GLOW, "BRIGHT, EMBEDDING:GLOW", "", ("BRIGHT, EMBEDDING:GLOW", "")),
        (GLOW, "", "", ("bright, embedding:Glow", "")),
        (BAD, "an ugly cat", " rain", ("an ugly cat", "rain, ugly, embedding:bad")),
    ],
)
def test_a_style_adds_what_is_not_there(
    style: Style, prompt: str, negative_prompt: str, expected: tuple[str, str]
) -> None:
    assert style.added_to(prompt, negative_prompt) == expected
    assert style.added_to(*expected) == expected
