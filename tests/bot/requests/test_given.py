"""Options typed in the prompt."""

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from bot.errors import Refused
from bot.presenting.texts import LANGUAGES, spoken, text
from bot.requests.given import GivenRequest, read_typed_options, split_at_options
from bot.requests.options.option import Option
from bot.requests.options.table import FIELDS, OPTIONS, find_option
from bot.requests.typed.offers import Offers
from pipeline.protocol.loras import LoraEntry

FUR = LoraEntry(name="fur", title="Soft Fur")
OFFERS = Offers(models=("big", "My big model"), styles=[FUR])


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat", GivenRequest(prompt="a cat")),
        ("a cat --no dogs, rain", GivenRequest(prompt="a cat", negative_prompt="dogs, rain")),
        ("a --no x --no y, z", GivenRequest(prompt="a", negative_prompt="x, y, z")),
        ("a cat --ar 16:9", GivenRequest(prompt="a cat", size="16:9")),
        ("a cat --ar16:9 sleeping", GivenRequest(prompt="a cat sleeping", size="16:9")),
        (
            "a --seed 7 --steps 30 --cfg 6.5",
            GivenRequest(prompt="a", seed=7, num_inference_steps=30, guidance_scale=6.5),
        ),
        ("a —seed 7", GivenRequest(prompt="a", seed=7)),
        ("now—no more", GivenRequest(prompt="now—no more")),
        ("a —word", GivenRequest(prompt="a —word")),
        ("a--no b", GivenRequest(prompt="a--no b")),
        ("a -- b", GivenRequest(prompt="a -- b")),
        ("a --SEED 3", GivenRequest(prompt="a", seed=3)),
        ("a --seed -1", GivenRequest(prompt="a")),
        ("a --seed=3, --steps 4.", GivenRequest(prompt="a", seed=3, num_inference_steps=4)),
        ("a --seed: 3 --steps:4 --no: b", GivenRequest(prompt="a", seed=3, num_inference_steps=4, negative_prompt="b")),
        ("a,--seed 3", GivenRequest(prompt="a,", seed=3)),
        (
            "ein Apfel --cfg 6,5 --ohne Regen",
            GivenRequest(prompt="ein Apfel", guidance_scale=6.5, negative_prompt="Regen"),
        ),
        ("a --negative green, blue --images 4", GivenRequest(prompt="a", negative_prompt="green, blue", num_images=4)),
        ('a --negative "green"', GivenRequest(prompt="a", negative_prompt="green")),
        ("a —negative green", GivenRequest(prompt="a", negative_prompt="green")),
        ("a –size 512 x 768 b", GivenRequest(prompt="a b", size="512 x 768")),
        ("a --size wide", GivenRequest(prompt="a", size="wide")),
        ("a --sampler DPM++ 2M Karras, b", GivenRequest(prompt="a b", scheduler_name="DPM++ 2M Karras")),
        ("a --sampler euler a b", GivenRequest(prompt="a b", scheduler_name="euler a")),
        ("a --sampler none such, b", GivenRequest(prompt="a b", scheduler_name="none such")),
        ("a --model my big model on a mat", GivenRequest(prompt="a on a mat", model_key="my big model")),
        ("a --style soft fur --seed 3", GivenRequest(prompt="a", style=FUR, seed=3)),
        ("a --style FUR of a fox", GivenRequest(prompt="a of a fox", style=FUR)),
        ("css variable --main-color", GivenRequest(prompt="css variable --main-color")),
        ("a --main-color b --seed 3", GivenRequest(prompt="a --main-color b", seed=3)),
        ("var(--main) --main-2nd-color: red", GivenRequest(prompt="var(--main) --main-2nd-color: red")),
        ("a --color: red", GivenRequest(prompt="a --color: red")),
        ("a --negative-prompt x --cfg_scale 3", GivenRequest(prompt="a", negative_prompt="x", guidance_scale=3.0)),
    ],
)
def test_typed_options_move_out_of_the_prompt(prompt: str, expected: GivenRequest) -> None:
    assert read_typed_options(GivenRequest(prompt=prompt), OFFERS) == (expected, ())


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: str(option.name))
def test_the_forms_names_are_options_in_every_language(option: Option) -> None:
    assert find_option(option.name.upper()) is option
    translations: list[str] = []
    for language in LANGUAGES[1:]:
        with spoken(language):
            translations += [text(f"name-{option.name}")] if option.translations else []
    assert translations == [*option.translations]
    assert all(find_option(name.upper()) is FIELDS[name.casefold()] is option for name in translations)


def test_an_option_of_the_form_wins_and_negatives_are_added_up() -> None:
    given, notices = read_typed_options(GivenRequest(prompt="a --seed 7 --no rain", seed=1, negative_prompt="fog"))
    assert (given.seed, given.negative_prompt) == (1, "fog, rain")
    assert [text(notice.key, **notice.values) for notice in notices] == [
        "--seed 7 was left out, since another value was given for it too."
    ]


def test_a_style_of_the_form_stays_whatever_else_is_typed() -> None:
    asked = GivenRequest(prompt="a --seed 3", style=FUR)
    assert read_typed_options(asked, OFFERS) == (GivenRequest(prompt="a", seed=3, style=FUR), ())


def test_where_nobody_knows_the_styles_any_name_is_one_and_else_like_ones_are_told() -> None:
    given, _ = read_typed_options(GivenRequest(prompt="a --style fur coat, b"))
    assert given == GivenRequest(prompt="a b", style=LoraEntry(name="fur coat", title="fur coat"))
    many = Offers(styles=[LoraEntry(name=name, title="") for name in ("furs", "furry", "ink")])
    (_, (notice,)) = read_typed_options(GivenRequest(prompt="a --style furr"), many)
    assert notice.values == {"name": "furr", "near": "furry, furs"}


def test_what_nobody_can_see_is_taken_out_of_every_text() -> None:
    hidden = GivenRequest(prompt="a\u2060b", negative_prompt="\ud83c", size="wide\x00", seed=3)
    assert hidden.cleaned() == GivenRequest(prompt="ab", negative_prompt="", size="wide", seed=3)


@pytest.mark.parametrize(
    ("words", "before", "options"),
    [
        ("a cat --seed 3 --no x", "a cat ", "--seed 3 --no x"),
        ("a --main-color", "a --main-color", ""),
        ("--no x", "", "--no x"),
        ("", "", ""),
    ],
)
def test_words_end_at_the_first_option(words: str, before: str, options: str) -> None:
    assert split_at_options(words) == (before, options)


def test_the_last_of_an_options_values_counts_and_the_others_are_told() -> None:
    given, notices = read_typed_options(
        GivenRequest(prompt="a --seed 5 b --size 512x512 --seed 6 --ar 3:2 --cfg 2 --cfg 2")
    )
    assert (given.prompt, given.seed, given.size) == ("a b", 6, "3:2")
    assert [text(notice.key, **notice.values) for notice in notices] == [
        "--seed 5, --size 512x512 were left out, since other values were given for them too."
    ]


@pytest.mark.parametrize(
    ("prompt", "kept", "told"),
    [
        (
            "cat --stylize 50 on a mat --tile",
            "cat on a mat",
            ["--stylize 50: Easel adds no style of its own", "--tile: no model here draws seamless tiles"],
        ),
        ("cat --v 6", "cat", ["--v 6: versions are models here. `--model` chooses one"]),
        (
            "cat --v6.1 --q .5",
            "cat",
            ["--v6.1: versions are models", "--q .5: speed and quality are the number of steps"],
        ),
        (
            "cat --s 250 --chaos 30 --C 9 --raw",
            "cat",
            ["--s 250, --raw: Easel adds", "--chaos 30, --C 9: each picture"],
        ),
        ("cat --repeat 4 --sw 50 on a mat", "cat on a mat", ["--repeat 4: 🔁 asks again", "--sw 50: the weight of"]),
        (
            "cat --sref https://x.org/a.png --motion low",
            "cat",
            [
                "--motion low: what you ask for here is a picture",
                (
                    "--sref names an address, and a link is never opened. Attach the picture as the option “image”, "
                    "and choose style as its “use”."
                ),
            ],
        ),
        (
            "cat --colour green eyes --hue",
            "cat green eyes",
            [
                "--colour, --hue are no options here and were left out.",
                "The words behind --colour stayed in the prompt: “green eyes”.",
            ],
        ),
        ("cat --colour, --hue", "cat ,", ["--colour, --hue are no options here and were left out."]),
        (
            "cat --colour X",
            "cat X",
            [
                "--colour is no option here and was left out.",
                "The words behind --colour stayed in the prompt: “X”.",
            ],
        ),
        ("cat --P abc1 on a  mat", "cat on a mat", ["--P abc1: Easel learns no taste."]),
        ("cat --no --ar 16:9", "cat", ["There was nothing behind --no, so it was left out."]),
        (
            "cat --style raw",
            "cat",
            ["There is no style called “raw” here, so it was left out."],
        ),
        (
            "cat --style furr",
            "cat",
            ["There is no style called “furr” here, so it was left out. Similar names: fur."],
        ),
    ],
)
def test_what_is_not_read_is_told(prompt: str, kept: str, told: list[str]) -> None:
    given, notices = read_typed_options(GivenRequest(prompt=prompt), OFFERS)
    assert given.prompt == kept
    said = [text(notice.key, **notice.values) for notice in notices]
    assert len(said) == len(told)
    assert [one for one, begins in zip(said, told, strict=True) if not one.startswith(begins)] == []


@pytest.mark.parametrize(
    ("prompt", "key"),
    [
        ("a --seed many", "refused-typed-number"),
        ("a --seed", "refused-option-empty"),
        ("a --seed --ar 16:9", "refused-option-empty"),
        ("a --model", "refused-option-empty"),
        ("a --steps 20.5", "refused-typed-whole"),
        ("a --steps 1e9", "refused-typed-number"),
        ("a --cfg nan", "refused-typed-number"),
        ("a --cfg " + "9" * 5000, "refused-typed-number"),
        ("a --ar 16:0", "refused-ratio"),
        ("a --ar wide", "refused-ratio"),
    ],
)
def test_what_is_no_number_or_ratio_is_refused(prompt: str, key: str) -> None:
    with pytest.raises(Refused) as refused:
        read_typed_options(GivenRequest(prompt=prompt))
    assert refused.value.key == key
    assert refused.value.values.get("option", "--ar") == prompt.split()[1]


@examples(st.text(max_size=200))
def test_any_text_is_read_or_refused(prompt: str) -> None:
    try:
        given, _ = read_typed_options(GivenRequest(prompt=prompt))
    except Refused:
        return
    assert len(given.prompt) <= len(prompt)
