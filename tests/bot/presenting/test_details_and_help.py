"""The details of a job, and `/help`: true, and within what Discord takes, whatever a member or an owner wrote."""

from typing import Any

import msgspec
import pytest
from discord import ui

from bot.presenting import help_message
from bot.presenting.help_message import EXAMPLES, MAX_MODELS, Reach, Topic, topic_of
from bot.presenting.images import details_message
from bot.presenting.texts import LANGUAGES, spoken
from bot.requests.typed.known_words import unknown_words
from bot.store.rows.origin import Lineage, StartedBy
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.catalogue import Catalogue
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.limits import MAX_PROMPT_LENGTH, MAX_VARIATIONS
from pipeline.protocol.requests import GenerationRequest, Upscale, Variation
from tests.example_jobs import example_job, from_elsewhere

MAX_CHARACTERS, MAX_COMPONENTS = 4_000, 40
REACH = Reach(steps=50, cfg=30.0, images=4)


def words_of(view: ui.LayoutView) -> str:
    return "\n".join(item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))


def fits(view: ui.LayoutView) -> bool:
    return len(words_of(view)) <= MAX_CHARACTERS and len([*view.walk_children()]) <= MAX_COMPONENTS


def details_of(request: GenerationRequest, catalogue: Catalogue, **changes: Any) -> str:
    job = msgspec.structs.replace(example_job(request), **changes)
    view, _ = details_message.details(job, catalogue.default, ())
    return words_of(view)


def test_whose_defaults_were_taken_is_told_in_their_order(request_: GenerationRequest, catalogue: Catalogue) -> None:
    taken = AskerDefaults(channel=Preferences(num_inference_steps=7), server=Preferences(size="tall"))
    lines = details_of(request_, catalogue, defaults=taken).splitlines()
    assert "The channel's defaults: steps 7" in lines
    assert "The server's defaults: size tall" in lines
    assert not [line for line in lines if line.startswith("The member's own")]
    assert [line for line in lines if line.startswith("-# What a command says comes first, then the channel's")]


def test_where_no_default_was_taken_their_order_is_not_told(request_: GenerationRequest, catalogue: Catalogue) -> None:
    assert "comes first" not in details_of(request_, catalogue, defaults=AskerDefaults())


def test_the_command_is_never_said_to_repeat_what_it_cannot(request_: GenerationRequest, catalogue: Catalogue) -> None:
    assert "To make it again:" in details_of(request_, catalogue)
    varied = msgspec.structs.replace(request_, variations=(Variation(seed=3, strength=0.2),), num_images=4)
    larger = msgspec.structs.replace(request_, upscale=Upscale(scale=2, strength=0.3))
    for derived in (varied, larger):
        told = details_of(derived, catalogue)
        assert "To make the picture that it began with:" in told
        assert "To make it again:" not in told
        assert "seed: 7 images: 1" in told
    start = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.3)
    told = details_of(msgspec.structs.replace(request_, inputs=(start,)), catalogue)
    assert "from a picture" in told
    assert "attach the same one again" in told
    assert "strength: 0.3" in told
    assert "attach the same one" not in details_of(request_, catalogue)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("length", [100, 900, MAX_PROMPT_LENGTH])
def test_the_longest_details_fit(request_: GenerationRequest, catalogue: Catalogue, length: int, language: str) -> None:
    words = ("*" * length)[:length]
    request = msgspec.structs.replace(
        request_,
        prompt=words,
        negative_prompt=words,
        variations=(Variation(seed=2**32 - 1, strength=0.123456),) * MAX_VARIATIONS,
        upscale=Upscale(scale=2, strength=0.3),
        inputs=(Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.123456),),
    )
    every = Preferences(
        negative_prompt=words,
        guidance_scale=7.25,
        num_inference_steps=50,
        size="1024x1024",
        scheduler_name="DPM++ 2M SDE Karras",
        num_images=4,
        model_key="a" * 64,
    )
    job = from_elsewhere(
        example_job(request), started_by=StartedBy.VARY_SUBTLE, lineage=Lineage(parent_job_id=1, parent_message_id=2)
    )
    job = msgspec.structs.replace(job, defaults=AskerDefaults(channel=every, own=every, server=every))
    spec = msgspec.structs.replace(catalogue.default, title="_" * 300, license="_" * 300)
    with spoken(language):
        view, files = details_message.details(job, spec, ())
    assert fits(view)
    assert bool(files) == (length > 100)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("topic", Topic)
def test_every_topic_fits_and_leads_to_the_others(topic: Topic, language: str, catalogue: Catalogue) -> None:
    many = [
        msgspec.structs.replace(catalogue.default, key=f"model-{k}", title="_" * 90, description="*" * 200)
        for k in range(MAX_MODELS + 5)
    ]
    with spoken(language):
        view = help_message.help_page(topic, reach=REACH, models=many, default_key="model-0")
        assert fits(view)
        for other in Topic:
            name = help_message.topic_name(other)
            assert topic_of(name.upper()) is topic_of(other.value) is other
            assert name in words_of(view)


def test_commands_of_midjourney_lead_to_what_does_the_same() -> None:
    assert topic_of("/info") is Topic.QUOTA
    assert topic_of("prefer suffix") is Topic.SETTINGS
    assert topic_of("/Show 1a2b") is Topic.MIDJOURNEY
    assert topic_of("/midjour") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_small_model_are_listed(language: str, catalogue: Catalogue) -> None:
    boundless = msgspec.structs.replace(catalogue.default, vocabulary=None)
    with spoken(language):
        pages = [
            words_of(help_message.help_page(Topic.WORDS, reach=REACH, models=(spec,), default_key=""))
            for spec in (catalogue.default, boundless)
        ]
    known = catalogue.default.vocabulary
    assert known is not None
    assert all(thing in pages[0] for thing in (*known.things, *known.colors, *known.places, *known.styles))
    assert "penguin" not in pages[1]


def test_the_examples_use_words_that_the_shipped_model_knows(catalogue: Catalogue) -> None:
    for example in EXAMPLES:
        prompt = example.split(" --", maxsplit=1)[0]
        assert unknown_words(prompt, catalogue.default) is None, prompt


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_that_become_several_jobs_are_explained(language: str, catalogue: Catalogue) -> None:
    with spoken(language):
        said = words_of(help_message.help_page(Topic.PROMPTS, reach=REACH, models=(catalogue.default,), default_key=""))
    for typed in ("`{a|b}`", "`{a, b}`", "`__name__`"):
        assert typed in said


def test_models_are_listed_with_what_their_owner_says(catalogue: Catalogue) -> None:
    view = help_message.help_page(
        Topic.MODELS, reach=REACH, models=tuple(catalogue.models.values()), default_key=catalogue.default_key
    )
    spec = catalogue.default
    assert f"**{spec.title}** (used where none is named): " in words_of(view).replace("\\", "")


def test_every_example_is_shown_once_with_its_button(catalogue: Catalogue) -> None:
    shown: list[tuple[str, str | None]] = []
    for topic in Topic:
        view = help_message.help_page(topic, reach=REACH, models=(catalogue.default,), default_key="pocket")
        for section in view.walk_children():
            if isinstance(section, ui.Section):
                (words,) = section.children
                assert isinstance(words, ui.TextDisplay)
                assert isinstance(section.accessory, ui.Button)
                shown.append((words.content, section.accessory.custom_id))
    assert shown == [(f"`/imagine prompt: {words}`", f"easel-example:{k}") for k, words in enumerate(EXAMPLES)]
