"""Examples remove the place or the time that the negative prompt names."""

from pathlib import Path
from random import Random

import torch

from recipes.pocket import world
from recipes.pocket.drawing import scenes
from recipes.pocket.examples.place_removal import NAMES, make_example
from recipes.pocket.networks import make_text_encoder, tokenize
from recipes.pocket.stages import text_encoder
from recipes.pocket.stages.learn_place_removal import NameStates


def examples(count: int) -> list[tuple[scenes.Scene, tuple[str, ...]]]:
    rng = Random(5)
    return [make_example(scenes.sample_scene(rng, scenes.LEVELS - 1), rng) for _ in range(count)]


def phrases(name: str) -> tuple[str, ...]:
    return (world.PLACES[name],) if name in world.PLACES else world.TIMES[name]


def test_the_full_caption_has_the_name_and_the_edited_one_has_not() -> None:
    found: set[str] = set()
    for scene, (full, edited, *_, name, _second) in examples(400):
        assert not any(phrase in edited for phrase in phrases(name)), (name, edited)
        if full == edited:
            assert name not in (scene.place, scene.time)
        else:
            found.add(name)
            assert any(phrase in full for phrase in phrases(name)), (name, full)
    assert found == {*NAMES}


def test_a_negative_prompt_has_its_names_and_the_rest_and_nothing_else() -> None:
    for _, (*_, negative, rest, name, second) in examples(400):
        wanted = " ".join(filter(None, (rest, name, second)))
        for one in filter(None, (name, second)):
            assert one in negative or any(phrase in negative for phrase in phrases(one)), (one, negative)
        said = negative.replace(",", " ").split()
        others = [word for word in said if word not in wanted.replace(",", " ").split()]
        assert {*others} <= {"in", "on", "at", "a", "the", "under"}, negative


def test_no_unrelated_prompt_is_a_bare_name() -> None:
    kept = [captions[2] for _, captions in examples(2000)]
    assert not {*NAMES, *(phrase for name in NAMES for phrase in phrases(name))} & {*kept}
    assert {"a beach", "red", "sea"} <= {*kept}


def test_a_name_adds_to_the_states_after_the_words_before_the_normalization(data: Path) -> None:
    tokenizer = text_encoder.load_tokenizer(data)
    words = make_text_encoder(tokenizer).eval()
    names = NameStates(words, tokenizer)
    tokens = tokenize(tokenizer, ["red, beach", "beach", "", "red"])

    def states() -> torch.Tensor:
        with torch.no_grad():
            return names(said, rest, tokens[None, :3])

    with torch.no_grad():
        said, rest = words(tokens[:1]).last_hidden_state, words(tokens[3:]).last_hidden_state
        names.added.zero_()
    assert torch.allclose(states()[0, 4:], rest[0, 4:], atol=1e-5)
    with torch.no_grad():
        names.added[NAMES.index("beach")].normal_()
    now = states()
    assert torch.allclose(now[0, :4], said[0, :4], atol=1e-5)
    assert (now[0, 4:] - rest[0, 4:]).abs().mean() > 0.1
    normal = (now[0, 4:] - words.final_layer_norm.bias) / words.final_layer_norm.weight
    assert torch.allclose(normal.std(-1, correction=0), torch.ones(()), atol=1e-3)
