"""What people bring along from other programs, from the field of the prompt to the request, with the shipped model."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, settings
from hypothesis import given as examples
from hypothesis import strategies as st

from bot.errors import Refused
from bot.presenting.images.details_message import command_of
from bot.presenting.refusal import sentence_of
from bot.presenting.texts import text
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.resolving import Resolved, resolve
from bot.requests.typed import german
from config.catalogue import Catalogue, load_catalogue
from config.settings import LimitSettings, Settings
from pipeline.prompts.emphasis import read_emphasis
from pipeline.prompts.schedule import read_schedule
from pipeline.prompts.tags import read_tags
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.loras import LoraEntry
from pipeline.protocol.requests import GenerationRequest

FUR = LoraEntry(name="fur", title="Soft Fur")


def read(catalogue: Catalogue, prompt: str, **options: Any) -> tuple[GenerationRequest, list[str]]:
    """The request, and what is told."""
    found = resolve(GivenRequest(prompt=prompt, **options), catalogue=catalogue, limits=LimitSettings(), styles=[FUR])
    return found.request, [text(notice.key, **notice.values) for notice in found.notices]


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        ("/imagine prompt: a red apple", {"prompt": "a red apple"}),
        ("imagine prompt: a cat", {"prompt": "a cat"}),
        ("/draw prompt: a cat", {"prompt": "a cat"}),
        ("Positive prompt: a cat, Negative prompt: rain", {"prompt": "a cat", "negative_prompt": "rain"}),
        ("/imagine a red apple --seed 4", {"prompt": "a red apple", "seed": 4}),
        ("prompt:a red apple", {"prompt": "a red apple"}),
        ("/imagine prompt: a cat --style soft fur", {"prompt": "a cat <lora:fur:1>"}),
        ("/Imagine Prompt: /imagine prompt: a cat --ar 16:9", {"prompt": "a cat", "width": 112, "height": 64}),
        (
            "/imagine prompt: a cat negative: rain, fog steps: 8 size: 128x64 sampler: DPM++ 2M Karras images: 2",
            {
                "prompt": "a cat",
                "negative_prompt": "rain, fog",
                "num_inference_steps": 8,
                "width": 128,
                "scheduler_name": "DPM++ 2M Karras",
                "num_images": 2,
            },
        ),
        ("/imagine prompt: ein cat schritte:8 ohne: rain", {"num_inference_steps": 8, "negative_prompt": "rain"}),
        ("/imagine prompt: a cat style: Soft Fur model: pocket", {"prompt": "a cat <lora:fur:1>"}),
        (
            "/imagine prompt: a star of size: big and steps: many seed: 3",
            {"prompt": "a star of size: big and steps: many", "seed": 3},
        ),
        (
            "cat\nNegative prompt: rain\nSteps: 8, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6, Size: 72x64",
            {
                "prompt": "cat",
                "negative_prompt": "rain",
                "num_inference_steps": 8,
                "scheduler_name": "DPM++ 2M Karras",
                "guidance_scale": 6.0,
                "width": 72,
            },
        ),
        (
            "Prompt: a cat Negative prompt: rain Steps: 8, Sampler: Euler a",
            {"prompt": "a cat", "negative_prompt": "rain"},
        ),
        ("a cat\nNegative prompt: rain, fog", {"prompt": "a cat", "negative_prompt": "rain, fog"}),
        ("a cat. negative prompt: rain --seed 3", {"prompt": "a cat.", "negative_prompt": "rain", "seed": 3}),
        (
            "/imagine prompt: a cat negative: rain --seed 3 steps: 8 --aspect-ratio 2:1 --num-images 2",
            {"prompt": "a cat", "negative_prompt": "rain", "seed": 3, "num_inference_steps": 8, "num_images": 2},
        ),
        ("Command prompt: a green cat", {"prompt": "Command prompt: a green cat"}),
        ("a cat Steps: 8, Sampler: Euler a", {"prompt": "a cat", "scheduler_name": "Euler a", "negative_prompt": ""}),
    ],
)
def test_what_is_pasted_is_read_as_what_it_is(pasted: str, expected: dict[str, object], catalogue: Catalogue) -> None:
    request, told = read(catalogue, pasted)
    assert {name: getattr(request, name) for name in expected} == expected
    assert all("does not know" in sentence for sentence in told)


def test_a_command_that_was_handed_out_makes_the_same_request(catalogue: Catalogue) -> None:
    for prompt in ("a red apple", r"a (red:1.2) apple: [b:c:0.5], \{d|e\}", "a cat --no rain --cfg 6.5 --images 3"):
        request, _ = read(catalogue, prompt, seed=5)
        again, _ = read(catalogue, command_of(request))
        assert again == request


def test_the_form_wins_over_what_is_pasted_and_the_rest_is_told(catalogue: Catalogue) -> None:
    request, told = read(
        catalogue, "a cat Steps: 8, Sampler: Euler, Model hash: abc, Model: foo", num_inference_steps=9
    )
    assert request.num_inference_steps == 9
    assert told == [
        "steps: 8 was left out, since another value was given for it too.",
        "Model hash: abc, Model: foo are no options here and were left out.",
    ]


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("https://example.com/cat.png a cat in the snow", "a cat in the snow"),
        ("a cat, <http://x.org/a_b.png?ex=1&is=__2__>, red", "a cat, , red"),
        ("a cat www.example.com.", "a cat"),
        ("cdn.discordapp.com/attachments/1/2/a.png a cat", "a cat"),
        ("a cat data:image/png;base64,iVBORw0KGgo=", "a cat"),
    ],
)
def test_an_address_is_left_out_and_told(prompt: str, kept: str, catalogue: Catalogue) -> None:
    request, told = read(catalogue, prompt)
    assert request.prompt == kept
    assert "A link is never opened" in told[0]
    assert len(told) == 1


def test_an_address_alone_is_no_prompt(catalogue: Catalogue) -> None:
    with pytest.raises(Refused) as refused:
        read(catalogue, "https://example.com/cat.png --seed 3")
    assert "A link is never opened" in sentence_of(refused.value)


@pytest.mark.parametrize(
    ("prompt", "read_as"),
    [
        ("\U0001f436", "dog"),
        ("\U0001f34e on the \U0001f3d6\ufe0f", "red apple on the beach umbrella"),
        ("\u2764\ufe0f", "red heart"),
        ("\u2b50", "star"),
        ("\u26c4", "snowman snow"),
        ("\U0001f431\U0001f431\U0001f431 at night", "three cats at night"),
        ("\U0001f436\U0001f431", "dog and cat"),
        ("3 frogs!!! \U0001f438", "3 frogs!!!"),
        ("2\ufe0f\u20e3 stars", "2 stars"),
        ("\U0001f44d\U0001f3fd a cat", "thumbs up sign a cat"),
        ("\U0001f1e9\U0001f1ea", "flag"),
        ("a cat <:red_star:123456789012345678>", "a cat red star"),
    ],
)
def test_emoji_are_read_by_their_names(prompt: str, read_as: str, catalogue: Catalogue) -> None:
    assert read(catalogue, prompt)[0].prompt == read_as


@pytest.mark.parametrize(
    ("prompt", "read_as"),
    [
        ("ein roter Apfel im Schnee", "a red apple in the snow"),
        ("Drei gelbe Sterne am Strand, nachts", "three yellow stars on the beach, at night"),
        ("zwei weiße Katzen auf einer grünen Wiese", "two white cats on a green meadow"),
        ("eine rote Rose neben einem Schloss", "a red Rose next to a castle"),
        ("Apfel", "apple"),
        ("ein Hut <lora:hut:1>", "a hat <lora:hut:1>"),
        ("Kirschen", "cherry"),
        ("ein (blauer:1.3) Vogel BREAK der Mond --no Regen", "a (blue:1.3) bird BREAK the moon"),
    ],
)
def test_a_small_model_is_asked_in_english(prompt: str, read_as: str, catalogue: Catalogue) -> None:
    request, told = read(catalogue, prompt)
    assert request.prompt == read_as
    assert request.negative_prompt == ("rain" if "Regen" in prompt else "")
    assert len(told) == 1
    assert "word by word" in told[0]


@pytest.mark.parametrize(
    "prompt", ["a wooden hut", "die hard", "une pomme rouge", "einen Tisch", "a cat and a Stern", "rot in a room"]
)
def test_what_is_not_german_stays(prompt: str, catalogue: Catalogue) -> None:
    assert read(catalogue, prompt)[0].prompt == prompt


def test_every_thing_of_the_shipped_model_has_a_german_word(catalogue: Catalogue) -> None:
    vocabulary = catalogue.default.vocabulary
    assert vocabulary is not None
    named = {english for table in german.TABLES for english in table.values()}
    assert {*vocabulary.things, *vocabulary.colors, *vocabulary.places} <= named


def test_a_model_that_knows_any_word_gets_emoji_as_they_are(catalogue: Catalogue) -> None:
    large = msgspec.structs.replace(catalogue.default, vocabulary=None)
    assert read(Catalogue(models={large.key: large}, default_key=large.key), "\U0001f436")[0].prompt == "\U0001f436"


def test_weights_of_others_are_read_or_told(catalogue: Catalogue) -> None:
    request, told = read(catalogue, "red apple::2 green pear::1 rain::-0.5 snow::-0.5 --no fog")
    assert (request.prompt, request.negative_prompt) == ("(red apple:2), green pear", "fog, rain, snow")
    assert told == ["What has a weight below zero went into the negative prompt: rain, snow."]
    plain = msgspec.structs.replace(catalogue.default, family="sd3", samplers=("Flow Euler",))
    plain = msgspec.structs.replace(plain, defaults=msgspec.structs.replace(plain.defaults, sampler="Flow Euler"))
    request, told = read(Catalogue(models={plain.key: plain}, default_key=plain.key), "a cat::2 a dog")
    assert request.prompt == "a cat, a dog"
    assert "not read: ::2" in told[0]


def test_concepts_are_told_and_joined_where_a_model_takes_none(catalogue: Catalogue) -> None:
    request, told = read(catalogue, "a cat AND a dog++ :.5")
    assert request.prompt == "a cat AND a dog++ :.5"
    assert [sentence.split(" ")[0] for sentence in told] == ["This", "Each"]
    assert "about 50 % longer" in told[1]
    lacking = catalogue.default.narrowed(None, (Capability.NEGATIVE_PROMPT,))
    request, told = read(Catalogue(models={lacking.key: lacking}, default_key=lacking.key), "a cat AND a dog")
    assert request.prompt == "a cat and a dog"
    assert "takes one prompt at a time" in told[0]
    with pytest.raises(Refused) as refused:
        read(catalogue, " AND ".join(["a cat"] * 7))
    assert refused.value.key == "refused-concepts"


def test_a_sum_is_drawn_as_it_is_or_what_it_cannot_be_is_told(catalogue: Catalogue) -> None:
    request, told = read(catalogue, "= a red apple - red + blue")
    assert (request.prompt, told) == ("= a red apple - red + blue", [])
    request, told = read(catalogue, "= a house - snow - rain <lora:fur:1> AND a cat --no fog")
    assert (request.prompt, request.negative_prompt) == ("a house <lora:fur:1> AND a cat", "fog, snow, rain")
    assert "went into the negative prompt: snow, rain" in told[0]
    literal = msgspec.structs.replace(catalogue.default, family="sd3", samplers=("Flow Euler",))
    literal = msgspec.structs.replace(literal, defaults=msgspec.structs.replace(literal.defaults, sampler="Flow Euler"))
    others = Catalogue(models={literal.key: literal}, default_key=literal.key)
    for prompt, models, key in (
        ("= a cat + a dog", others, "refused-sum-model"),
        ("= - a cat", catalogue, "refused-sum-empty"),
        ("= a" + " + a" * 12, catalogue, "refused-sum-long"),
    ):
        with pytest.raises(Refused) as refused:
            read(models, prompt)
        assert refused.value.key == key


@pytest.mark.parametrize(
    "prompt",
    ["\u200b\u2060", "\ud83c", " \ufeff\n", "--no \ud83c cats", "/imagine prompt: \u200b", "Negative prompt: rain"],
)
def test_what_nobody_can_see_is_no_prompt(prompt: str, catalogue: Catalogue) -> None:
    with pytest.raises(Refused) as refused:
        read(catalogue, prompt)
    assert refused.value.key == "refused-prompt-empty"


CATALOGUE = load_catalogue(Settings().pipeline.catalogue, "pocket")
_PIECES = st.sampled_from(
    [
        *"ab {}|,\\_$:1-.()[]<>\"'/+=\n",
        *("--no", "--seed", "--size", "--style", "—ar", " --x", "AND", "BREAK", "::", "$$", "${", "__a__", "0.5::"),
        *(
            "/imagine prompt:",
            "steps: 8",
            "Steps: 8, Sampler: Euler",
            "https://a.com/b",
            "<lora:fur:1>",
            "e-1",
            "9" * 30,
        ),
        *("\ud83c", "\U0001f436", "\ufe0f", "\u200d", "\u202e", "\x00", "\u3164", "\U0001f1e9", "赤", "ß"),
    ]
)
_WORDS = st.one_of(st.lists(_PIECES, max_size=25).map("".join), st.text(max_size=60))


@settings(max_examples=300, deadline=None)
@example(prompt="[a:b:1e999]", negative="", size=None)
@example(prompt="/imagine prompt:", negative="--no", size="")
@examples(prompt=_WORDS, negative=_WORDS, size=st.one_of(st.none(), _WORDS))
async def test_any_words_become_requests_or_a_sentence(prompt: str, negative: str, size: str | None) -> None:
    given = GivenRequest(prompt=prompt, negative_prompt=negative, size=size)
    try:
        each = await resolve_each(given, settings=Settings(), catalogue=CATALOGUE, styles=[FUR])
    except Refused as refused:
        sentence_of(refused, prompt).encode()
        return
    for resolved in each:
        _can_be_kept_and_drawn(resolved)


def _can_be_kept_and_drawn(resolved: Resolved) -> None:
    request = resolved.request
    assert msgspec.json.decode(msgspec.json.encode(request), type=GenerationRequest) == request
    assert request.prompt.strip()
    for notice in resolved.notices:
        text(notice.key, **notice.values).encode()
    for words in (request.prompt, request.negative_prompt):
        for part in read_schedule(read_tags(words).prompt, request.num_inference_steps):
            read_emphasis(part.text)
