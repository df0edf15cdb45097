"""The forms and private messages before a part of a picture is drawn anew."""

from typing import Any

import msgspec
import pytest
from discord import ui

from bot.presenting.custom_ids import Action, is_about
from bot.presenting.images import region_form, region_message
from bot.presenting.texts import LANGUAGES, spoken
from bot.quotas.standing import Obstacle, Outlook
from bot.store.expansions import Expansion
from bot.store.rows.jobs import Job, WantedJob
from bot.store.rows.origin import StartedBy
from pipeline.protocol.inputs import Inpaint, Input, InputRole
from pipeline.protocol.limits import MAX_GROW
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice
from tests.bot.presenting.test_lists import NASTY, NOW, standing
from tests.example_jobs import example_job

START = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.75)


@pytest.fixture
def job(request_: GenerationRequest) -> Job:
    return example_job(request_)


def asked(request: GenerationRequest, inpaint: Inpaint, *prompts: str) -> Expansion:
    jobs = [
        WantedJob(
            request=msgspec.structs.replace(request, prompt=prompt, inputs=(START,), inpaint=inpaint),
            notices=(Notice(key="notice-cells-unused"),),
        )
        for prompt in prompts or (request.prompt,)
    ]
    return Expansion(
        expansion_id=7,
        guild_id=5,
        channel_id=6,
        user_id=1,
        started_by=StartedBy.REGION,
        lineage=None,
        jobs=tuple(jobs),
        price=len(jobs),
        created_at=NOW,
        started_at=None,
    )


def outlook(price: int = 1, left: int | None = 9) -> Outlook:
    return Outlook(price=price, left=left, startable=1, in_the_way=None)


def words_of(view: ui.LayoutView) -> str:
    return "\n".join(item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))


def buttons_of(view: ui.LayoutView) -> list[tuple[str | None, str | None, bool]]:
    found = [item for item in view.walk_children() if isinstance(item, ui.Button)]
    return [(button.label or str(button.emoji), button.custom_id, button.disabled) for button in found]


def fields_of(form: ui.Modal) -> list[Any]:
    return [label.component for label in form.children if isinstance(label, ui.Label)]


async def test_a_question_shows_the_part_its_price_and_what_can_be_done(request_: GenerationRequest) -> None:
    view = region_message.question(asked(request_, Inpaint(cells=(4,))), outlook())
    assert words_of(view).splitlines()[:2] == [
        "**The tinted part changes into** a red apple",
        "It costs 1; you have 9 left.",
    ]
    assert "the ticked boxes have no effect" in words_of(view)
    assert buttons_of(view) == [
        ("Draw it", "easel:start:7", False),
        ("Larger", "easel:larger:7", False),
        ("Smaller", "easel:smaller:7", False),
        ("The other way round", "easel:invert:7", False),
    ]
    assert not is_about([str(custom_id) for _, custom_id, _ in buttons_of(view)], 7)
    galleries = [item for item in view.walk_children() if isinstance(item, ui.MediaGallery)]
    assert [image.media.url for gallery in galleries for image in gallery.items] == ["attachment://region.png"]
    assert view.is_finished()


def test_a_part_grows_only_as_far_as_the_bounds(request_: GenerationRequest) -> None:
    for grow, disabled in ((MAX_GROW, "Larger"), (-MAX_GROW, "Smaller")):
        view = region_message.question(asked(request_, Inpaint(cells=(4,), grow=grow)), outlook())
        assert [label for label, _, is_disabled in buttons_of(view) if is_disabled] == [disabled]


def test_several_prompts_and_what_stands_in_the_way_are_told(request_: GenerationRequest) -> None:
    two = asked(request_, Inpaint(cells=(4,)), "a star", "a moon")
    refused = Outlook(price=2, left=1, startable=1, in_the_way=standing(obstacle=Obstacle.QUOTA, until=NOW))
    said = words_of(region_message.question(two, refused))
    assert "a star and one more prompt" in said
    assert "Right now only the first" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_question_and_forms_fit(request_: GenerationRequest, language: str) -> None:
    with spoken(language):
        view = region_message.question(asked(request_, Inpaint(cells=(4,)), *[NASTY] * 5), outlook())
        assert len(words_of(view)) < 2_000
        assert "<@" not in words_of(view)
        nasty = example_job(msgspec.structs.replace(request_, prompt=("x" * 2_000)))
        price = region_message.price_line(outlook(10**6, 10**6))
        for form in (region_form.region_form(nasty, 0, has_words=True), region_form.zoom_form(nasty, 0, price=price)):
            assert len(form.title) <= 45
            for label in form.children:
                assert isinstance(label, ui.Label)
                assert len(label.text) <= 45
                assert len(label.description or "") <= 100


def test_a_part_can_be_named_where_a_model_finds_it(job: Job) -> None:
    where, words, *_ = fields_of(region_form.region_form(job, 2, has_words=True))
    assert (where.custom_id, words.custom_id, words.required, words.max_length) == ("where", "words", False, 200)


def test_a_region_is_nine_cells_a_prompt_a_strength_and_a_copy(job: Job) -> None:
    form = region_form.region_form(job, 2, has_words=False)
    assert form.custom_id == "easel:region:7:2"
    where, prompt, strength, copy = fields_of(form)
    assert [(option.value, option.label) for option in where.options] == [
        ("0", "top left"),
        ("1", "top"),
        ("2", "top right"),
        ("3", "left"),
        ("4", "middle"),
        ("5", "right"),
        ("6", "bottom left"),
        ("7", "bottom"),
        ("8", "bottom right"),
    ]
    assert (where.min_values, where.max_values, where.required) == (0, 9, False)
    assert prompt.default == "a red apple"
    assert [(option.value, option.default) for option in strength.options] == [
        ("subtle", False),
        ("medium", False),
        ("strong", True),
    ]
    assert isinstance(copy, ui.FileUpload)
    assert not copy.required


def test_a_zoom_out_tells_its_price_and_has_the_prompt(job: Job) -> None:
    form = region_form.zoom_form(job, 0, price=region_message.price_line(outlook(2)))
    assert form.custom_id == "easel:zoom-out:7:0"
    far, prompt = fields_of(form)
    assert [(option.value, option.label, option.default) for option in far.options] == [
        ("1.5", "×1.5", False),
        ("2", "×2", True),
    ]
    assert prompt.default == "a red apple"
    assert next(label.description for label in form.children if isinstance(label, ui.Label)) == (
        "It costs 2; you have 9 left."
    )


def test_a_pan_offers_the_possible_directions_at_a_price(job: Job) -> None:
    view = region_message.pan_choice(job, 1, (Action.PAN_UP, Action.PAN_DOWN), outlook(2, None))
    assert "It costs 2." in words_of(view)
    assert buttons_of(view) == [
        ("⬅️", "easel:pan-left:7:1", True),
        ("➡️", "easel:pan-right:7:1", True),
        ("⬆️", "easel:pan-up:7:1", False),
        ("⬇️", "easel:pan-down:7:1", False),
    ]
    (container,) = view.children
    assert isinstance(container, ui.Container)
    assert container.id == job.timeline
