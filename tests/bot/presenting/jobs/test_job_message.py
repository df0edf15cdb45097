"""The message of a job in every state: what Discord gets, and what a prompt cannot do to it."""

import json
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from discord import ui
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.presenting.escaping import escape
from bot.presenting.images import done_message
from bot.presenting.jobs import job_message
from bot.presenting.jobs.job_message import Allowance
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus
from bot.store.rows.origin import Lineage, StartedBy
from config.catalogue import Catalogue
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Inpaint, Outpaint
from pipeline.protocol.requests import GenerationRequest, Upscale
from pipeline.protocol.wire.outputs import Notice
from tests.example_jobs import IMAGES, NOW, example_job, from_elsewhere, states


@pytest.fixture
def job(request_: GenerationRequest) -> Job:
    return example_job(msgspec.structs.replace(request_, scheduler_name="DDIM"))  # a sampler that is told


def texts(view: ui.LayoutView) -> list[str]:
    return [item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay)]


def labels(view: ui.LayoutView) -> list[str | None]:
    return [item.label for item in view.walk_children() if isinstance(item, ui.Button)]


def descriptions(view: ui.LayoutView) -> list[Any]:
    galleries = [item for item in view.walk_children() if isinstance(item, ui.MediaGallery)]
    return [image.description for gallery in galleries for image in gallery.items]


def test_every_state_says_what_it_should(job: Job, catalogue: Catalogue) -> None:
    shown = {name: "\n".join(texts(view)) for name, view in states(job, catalogue).items()}
    head = "**a red apple**\n-# For <@42>\n"
    price = "-# Costs 4, and nothing if it does not arrive."
    stamp = f"<t:{int(NOW.timestamp())}:R>"
    assert shown == {
        "queued": f"{head}Number 2 in line. Starts {stamp}.\n{price}",
        "next": f"{head}Next in line.\n{price}",
        "starting": f"{head}Easel is starting and draws as soon as the model is loaded."
        f" The job starts {stamp}.\n{price}",
        "absent model": f"{head}Number 2 in line. Waits for a host with Pocket; none is here right now.\n{price}",
        "again": f"{head}The worker stopped in the middle; the job starts again shortly. Nothing is lost.",
        "loading": f"{head}Loading the model … The job starts {stamp}.",
        "running": f"{head}Drawing: 25 % (3 of 12 steps). Ready {stamp}.",
        "done": f"{head}-# seed 7 · 4 steps · DDIM · 64×64, enlarged to 256×256 · Pocket · 1.2 s · cost 4, 3 left",
        "done in part": f"{head}-# 2 of 4 pictures were hidden by the safety filter and are not charged.\n"
        "-# seed 7 · 4 steps · DDIM · 64×64, enlarged to 256×256 · Pocket · 1.2 s · 2 of 4 images · cost 2, 5 left",
        "cancelled": f"{head}Cancelled. Nothing was charged.",
        "flagged": f"{head}The picture was hidden by the safety filter. Try other words, another seed or another"
        " picture. Nothing was charged.",
        "failed": f"{head}The job took longer than is allowed here and was ended. Try fewer steps or a smaller size."
        " Nothing was charged.\n-# Error ab12",
    }


@pytest.mark.parametrize("locale", ["en-US", "de"])
def test_no_layout_changes_unseen(job: Job, catalogue: Catalogue, locale: str) -> None:
    """What Discord gets, byte by byte. UPDATE_SNAPSHOTS=1 writes what is now; the diff is then read."""
    shown = states(from_elsewhere(job, locale=locale), catalogue)
    layouts = {name: view.to_components() for name, view in shown.items()}
    written = json.dumps(layouts, ensure_ascii=False, indent=1) + "\n"
    path = Path(__file__).parent / "snapshots" / f"job_message.{locale}.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(written, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == written


async def test_buttons_fit_the_state(job: Job, catalogue: Catalogue) -> None:
    for name, view in states(job, catalogue).items():
        is_open = name in ("queued", "next", "starting", "absent model", "again", "loading", "running")
        if not name.startswith("done"):
            assert labels(view) == (["Cancel"] if is_open else ["Try again", "Remix", None])
        assert view.is_finished(), "a view that listens is kept in memory for ever"


def buttons(view: ui.LayoutView) -> list[tuple[str | None, str | None]]:
    found = [item for item in view.walk_children() if isinstance(item, ui.Button)]
    return [(button.label or str(button.emoji), button.custom_id) for button in found]


@pytest.mark.parametrize("count", [2, 3, 4])
async def test_each_of_several_pictures_has_its_buttons(job: Job, catalogue: Catalogue, count: int) -> None:
    view = done_message.done(job, outputs=IMAGES[:count], spec=catalogue.default, allowance=Allowance(left=3))
    numbers = range(count)
    assert buttons(view) == [
        *((f"U{k + 1}", f"easel:upscale:7:{k}") for k in numbers),
        ("Reroll", "easel:reroll:7"),
        *((f"V{k + 1}", f"easel:vary-strong:7:{k}") for k in numbers),
        ("Remix", "easel:remix:7"),
        ("⭐", "easel:star:7"),
        ("📩", "easel:copy:7"),
        ("ℹ️", "easel:details:7"),
        ("🗑️", "easel:delete:7"),
    ]
    assert view.total_children_count <= 40


async def test_pictures_keep_their_numbers_where_one_is_hidden(job: Job, catalogue: Catalogue) -> None:
    notice = Notice(key="notice-flagged", values={"count": 2, "asked": 4})
    request = msgspec.structs.replace(job.request, num_images=4)
    four = msgspec.structs.replace(job, request=request, notices=(notice,))
    left = (IMAGES[0], IMAGES[3])
    view = done_message.done(four, outputs=left, spec=catalogue.default, allowance=Allowance(left=3))
    assert [id_ for label, id_ in buttons(view) if label in ("U4", "V4")] == [
        "easel:upscale:7:3",
        "easel:vary-strong:7:3",
    ]
    assert len(buttons(view)) == 10
    assert descriptions(view) == ["1 of 4: a red apple", "4 of 4: a red apple"]
    said = "\n".join(texts(view))
    assert "2 of 4 pictures were hidden by the safety filter and are not charged." in said
    assert "cost 2, 5 left" in said
    only = done_message.done(four, outputs=left[1:], spec=catalogue.default, allowance=Allowance(left=3))
    assert buttons(only)[0] == ("Upscale", "easel:upscale:7:3")


async def test_a_part_of_one_picture_can_be_changed_where_its_model_can(job: Job, catalogue: Catalogue) -> None:
    def offered(job: Job, spec: ModelSpec | None, count: int = 1) -> list[tuple[str | None, str | None]]:
        view = done_message.done(job, outputs=IMAGES[:count], spec=spec, allowance=Allowance(left=3))
        assert view.total_children_count <= 40
        return [button for button in buttons(view) if any(word in str(button) for word in ("region", "zoom", "pan"))]

    able = catalogue.default
    assert offered(job, able) == [
        ("Region", "easel:region:7:0"),
        ("Zoom out", "easel:zoom-out:7:0"),
        ("Pan", "easel:pan:7:0"),
    ]
    assert offered(job, able, count=2) == []
    assert offered(job, msgspec.structs.replace(able, lacks=(Capability.MASK,))) == []
    assert offered(job, None) == []
    larger = msgspec.structs.replace(job.request, upscale=Upscale(scale=2, strength=0.2))
    assert offered(msgspec.structs.replace(job, request=larger), able) == []


async def test_a_changed_part_says_that_the_rest_is_kept(job: Job, catalogue: Catalogue) -> None:
    for inpaint, is_said in ((Inpaint(cells=(4,)), True), (Inpaint(outpaint=Outpaint(left=0.5)), False), (None, False)):
        changed = msgspec.structs.replace(job, request=msgspec.structs.replace(job.request, inpaint=inpaint))
        view = done_message.done(changed, outputs=IMAGES[:1], spec=catalogue.default, allowance=Allowance(left=3))
        assert ("exactly as it was" in "\n".join(texts(view))) is is_said


async def test_one_picture_can_be_varied_in_two_ways_and_upscaled_once(job: Job, catalogue: Catalogue) -> None:
    view = done_message.done(job, outputs=IMAGES[:1], spec=catalogue.default, allowance=Allowance(left=3))
    first = ["Upscale", "Vary (subtle)", "Vary (strong)", "Remix", "Reroll"]
    assert [label for label, _ in buttons(view)][:5] == first
    request = msgspec.structs.replace(job.request, upscale=Upscale(scale=2, strength=0.2))
    larger = from_elsewhere(msgspec.structs.replace(job, request=request), started_by=StartedBy.UPSCALE)
    view = done_message.done(larger, outputs=IMAGES[:1], spec=catalogue.default, allowance=Allowance(left=3))
    assert [label for label, _ in buttons(view)][:4] == first[1:]


PARENTLESS = (StartedBy.IMAGINE, StartedBy.ENLARGE, StartedBy.CUTOUT, StartedBy.GRID, StartedBy.MORPH)


@pytest.mark.parametrize(
    "started_by",
    [each for each in StartedBy if each not in PARENTLESS],
)
def test_what_a_job_was_made_from_is_named_and_linked(job: Job, started_by: StartedBy) -> None:
    image = Lineage(parent_job_id=3, parent_message_id=8, parent_image_index=1)
    made = from_elsewhere(job, started_by=started_by, lineage=image)
    (head, _) = texts(job_message.loading(made))
    assert "of [#3, image 2](https://discord.com/channels/5/6/8) for <@42>" in head
    whole = from_elsewhere(made, lineage=Lineage(parent_job_id=3, parent_message_id=None))
    assert "of #3 for <@42>" in texts(job_message.loading(whole))[0]


def test_pictures_have_alt_text(job: Job, catalogue: Catalogue) -> None:
    shown = states(job, catalogue)
    assert descriptions(shown["done"]) == [f"{number} of 4: a red apple" for number in range(1, 5)]
    assert descriptions(shown["running"]) == ["Preview, not finished: a red apple"]


def test_every_reason_has_a_sentence(job: Job) -> None:
    for failure in set(JobFailure) - {JobFailure.FLAGGED}:
        (_, line) = texts(job_message.ended(msgspec.structs.replace(job, failure=failure, error_id="x"), ()))
        assert "Nothing was charged." in line


def test_somebody_elses_cancel_is_named(job: Job) -> None:
    cancelled = msgspec.structs.replace(job, status=JobStatus.CANCELLED, cancel_requested_by=99)
    (_, line) = texts(job_message.ended(cancelled, ()))
    assert line == "Cancelled by <@99>. Nothing was charged."


def test_notices_are_told(job: Job, catalogue: Catalogue) -> None:
    notice = Notice(key="notice-clamped", values={"option": "steps", "given": "200", "used": "50"})
    for view in states(msgspec.structs.replace(job, notices=(notice,)), catalogue).values():
        assert any("-# steps 200 → 50, the limit here." in text for text in texts(view))


def test_as_many_notices_are_told_as_a_message_has_room_for(job: Job, catalogue: Catalogue) -> None:
    many = tuple(
        Notice(key="notice-lora-unknown", values={"name": f"**style-{k}**", "near": "none"}) for k in range(60)
    )
    prompt = "*" * 2_000
    request = msgspec.structs.replace(job.request, prompt=prompt, negative_prompt=prompt)
    for view in states(msgspec.structs.replace(job, notices=many, request=request), catalogue).values():
        shown = "\n".join(texts(view))
        assert len(shown) <= 4_000
        assert re.search(r"-# And \d+ more notes\.", shown)
        assert "style\\-0" in shown


def test_words_that_a_filter_takes_not_are_in_no_state(job: Job, catalogue: Catalogue) -> None:
    request = msgspec.structs.replace(job.request, prompt="forbidden words", negative_prompt="forbidden too")
    told = Notice(key="notice-words-unknown", values={"model": "m", "count": 1, "words": "forbidden", "known": "x"})
    notices = (told, Notice(key="notice-flagged", values={"count": 1, "asked": 4}), job_message.WORDS_HIDDEN)
    hidden = msgspec.structs.replace(job, request=request, notices=notices)
    for view in states(hidden, catalogue).values():
        written = json.dumps(view.to_components())
        assert "forbidden" not in written
        assert "Automatic moderation takes no message" in written
        assert "hidden by the safety filter" in written


@given(prompt=st.text(min_size=1, max_size=2_000))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_any_prompt_fits_and_is_only_letters(job: Job, catalogue: Catalogue, prompt: str) -> None:
    request = msgspec.structs.replace(job.request, prompt=prompt, negative_prompt=prompt)
    for view in states(msgspec.structs.replace(job, request=request), catalogue).values():
        assert sum(len(text) for text in texts(view)) <= 4_000
        assert view.total_children_count <= 40
        assert all(len(description) <= 1_024 for description in descriptions(view))


@pytest.mark.parametrize(
    "trick",
    [
        "@everyone",
        "<@123456789012345678>",
        "<#5> <:smile:1> <t:0:R>",
        "`code` ```js```",
        "**bold** __u__ ~~s~~ ||spoiler||",
        "[a](https://example.com) https://example.com",
        "# head\n> quote\n- list",
    ],
)
def test_markup_is_shown_and_not_obeyed(trick: str) -> None:
    escaped = escape(trick)
    assert re.sub(r"\\(.)", r"\1", escaped) == " ".join(trick.split())
    assert not re.search(r"(?<!\\)[@<`*_~|\[\]#>:]", escaped)


def test_invisible_and_reordering_characters_are_dropped() -> None:
    assert escape("a\u202eb\u200bc\x00") == "abc"


def test_a_model_that_cannot_vary_has_no_buttons_for_it(job: Job, catalogue: Catalogue) -> None:
    still = catalogue.default.narrowed(None, (Capability.VARIATIONS,))
    one = done_message.done(job, outputs=IMAGES[:1], spec=still, allowance=Allowance(left=3))
    four = msgspec.structs.replace(job, request=msgspec.structs.replace(job.request, num_images=4))
    several = done_message.done(four, outputs=IMAGES, spec=still, allowance=Allowance(left=3))
    for view, upscales in ((one, 1), (several, len(IMAGES))):
        names = [item.custom_id or "" for item in view.walk_children() if isinstance(item, ui.Button)]
        assert sum("upscale" in name for name in names) == upscales
        assert not any("vary" in name for name in names)
