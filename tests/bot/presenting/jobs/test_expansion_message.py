"""The question whether several jobs shall start: it fits, says what differs, and nothing that somebody typed acts."""

import msgspec
import pytest
from discord import ui

from bot.errors import Refused
from bot.presenting.custom_ids import is_about
from bot.presenting.jobs import expansion_message
from bot.presenting.texts import LANGUAGES, spoken
from bot.quotas.standing import Obstacle, Outlook
from bot.requests.typed.known_words import NO_KNOWN_WORD
from bot.store.expansions import Expansion
from bot.store.rows.jobs import WantedJob
from bot.store.rows.origin import StartedBy
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice
from tests.bot.presenting.test_lists import NASTY, NOW, standing


def words_of(view: ui.LayoutView) -> str:
    return "\n".join(item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))


def expansion_of(requests: list[GenerationRequest], notices: tuple[Notice, ...] = ()) -> Expansion:
    return Expansion(
        expansion_id=7,
        guild_id=5,
        channel_id=6,
        user_id=1,
        started_by=StartedBy.IMAGINE,
        lineage=None,
        jobs=tuple(WantedJob(request=request, notices=notices) for request in requests),
        price=len(requests),
        created_at=NOW,
        started_at=None,
    )


def fine(count: int, left: int | None = 9) -> Outlook:
    return Outlook(price=count, left=left, startable=count, in_the_way=None)


def test_a_question_says_how_many_what_and_at_what_price(request_: GenerationRequest) -> None:
    sizes = [msgspec.structs.replace(request_, width=width, seed=seed) for seed, width in enumerate((64, 128))]
    view = expansion_message.question(expansion_of(sizes), fine(2), {})
    said = words_of(view)
    assert "This prompt stands for 2 jobs" in said
    assert "1. a red apple · 64×64 · seed 0" in said
    assert "2. a red apple · 128×64 · seed 1" in said
    assert "Together they cost 2; you have 9 left." in said
    assert "left" not in words_of(expansion_message.question(expansion_of(sizes), fine(2, left=None), {}))
    buttons = [item for item in view.walk_children() if isinstance(item, ui.Button)]
    assert [(button.label, button.custom_id) for button in buttons] == [
        ("Start 2 jobs", "easel:start:7"),
        ("Cancel", "easel:dismiss:7"),
    ]
    assert not is_about([str(button.custom_id) for button in buttons], 7)


def test_one_job_of_strange_words_is_asked_about_by_itself(request_: GenerationRequest) -> None:
    strange = Notice(key=NO_KNOWN_WORD, values={"model": "Pocket", "known": "apple"})
    expansion = msgspec.structs.replace(
        expansion_of([request_]), jobs=(WantedJob(request=request_, notices=(strange,)),)
    )
    view = expansion_message.question(expansion, fine(1), {})
    said = words_of(view)
    assert "will not look like it.** Draw it all the same?" in said
    assert "Pocket knows no word of this prompt. It knows apple and more" in said
    assert "It costs 1; you have 9 left." in said
    assert "Braces" not in said
    buttons = [item.label for item in view.walk_children() if isinstance(item, ui.Button)]
    assert buttons == ["Draw it all the same", "Cancel"]
    assert words_of(expansion_message.started(expansion, 1, None, {})).startswith("The job is started")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_question_fits_and_its_prompts_do_nothing(request_: GenerationRequest, language: str) -> None:
    def nasty(number: int) -> GenerationRequest:
        options = {"width": 64 + number, "num_inference_steps": number, "guidance_scale": number / 7}
        return msgspec.structs.replace(request_, prompt=NASTY, negative_prompt=f"{number}{NASTY}", **options)

    told = tuple(
        Notice(key="notice-words-stayed", values={"option": f"{number}{NASTY}", "words": NASTY}) for number in range(9)
    )
    expansion = expansion_of([nasty(number) for number in range(1, 21)], told)
    blocked = standing(obstacle=Obstacle.QUOTA, until=NOW)
    some = Outlook(price=20, left=3, startable=3, in_the_way=blocked)
    with spoken(language):
        for view in (
            expansion_message.question(expansion, some, {}),
            expansion_message.started(expansion, 2, Refused("refused-wildcard", name=NASTY), {}),
        ):
            assert view.total_children_count <= 40
            assert view.content_length() <= 4_000
            assert "@everyone" not in words_of(view).replace("\\@everyone", "")


def test_what_was_not_started_can_be_read(request_: GenerationRequest) -> None:
    requests = [msgspec.structs.replace(request_, prompt=f"word {number}") for number in range(9)]
    said = words_of(expansion_message.started(expansion_of(requests), 3, Refused("refused-draining"), {}))
    assert said.startswith("3 of 9 jobs are started.")
    assert "takes no new jobs" in said
    assert "4. word 3" in said
    assert "word 2" not in said
    assert said.endswith("… and 1 more.")
