"""A page of `/history`: it fits Discord's bounds, and its buttons hold the whole search."""

from datetime import UTC, datetime

import msgspec
import pytest
from discord import ui
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.presenting.custom_ids import Action
from bot.presenting.history.ids import MAX_WORDS, Turn, read_turn, turn_id, units
from bot.presenting.history.message import Frame, Shown, page
from bot.store.rows.history import Past, Shelf, Sought, Spot, mark_of
from bot.store.rows.outputs import Output
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Rating
from tests.example_jobs import example_job

MINUTES = st.integers(0, 200_000_000).map(lambda minutes: datetime.fromtimestamp(minutes * 60, UTC))
SOUGHT = st.builds(
    Sought,
    user_id=st.just(1),
    shelf=st.sampled_from(Shelf),
    words=st.text(max_size=MAX_WORDS, alphabet=st.characters(exclude_categories=["Cs"])).filter(
        lambda words: units(words) <= MAX_WORDS
    ),
    model_mark=st.sampled_from(["", mark_of("pocket")]),
    since=st.none() | MINUTES,
    before=st.none() | MINUTES,
    is_among_adults=st.booleans(),
)
SPOTS = st.none() | st.builds(Spot, job_id=st.integers(1, 10**12 - 1), index=st.integers(0, 9))


@given(st.sampled_from(Turn), SOUGHT, SPOTS)
def test_a_button_holds_the_whole_search(turn: Turn, sought: Sought, spot: Spot | None) -> None:
    found = turn_id(turn, sought, spot)
    assert units(found) <= 100
    turned = read_turn(found, user_id=1, is_among_adults=sought.is_among_adults)
    assert (turned.turn, turned.sought, turned.spot) == (turn, sought, spot)


def test_a_page_of_an_older_easel_is_refused() -> None:
    with pytest.raises(Refused, match="refused-history-page"):
        read_turn("easel-past:fo:.:::", user_id=1, is_among_adults=False)


def shown(request: GenerationRequest, number: int, rating: Rating = Rating.HARMLESS) -> Shown:
    job = msgspec.structs.replace(example_job(request), job_id=10**9 + number // 2)
    output = Output(
        job_id=job.job_id,
        output_index=number % 2,
        kind="image",
        sha256="0",
        media_type="image/png",
        size_bytes=1,
        rating=rating,
        width=64,
        height=64,
        seed=1,
    )
    return Shown(
        past=Past(job=job, output=output, is_starred=number == 0),
        file_name=f"{number}.png",
        model_title="Pocket" * 20,
        actions=frozenset({Action.UPSCALE, Action.VARY_STRONG, Action.STAR}),
    )


def test_a_full_page_fits_and_no_two_buttons_have_one_id(request_: GenerationRequest) -> None:
    request = msgspec.structs.replace(request_, prompt="**@everyone** [x](https://x.y) " * 60, num_images=2)
    pictures = [shown(request, number, Rating.SEXUAL if number == 3 else Rating.HARMLESS) for number in range(4)]
    sought = Sought(user_id=1, shelf=Shelf.FAVOURITES, words="w" * MAX_WORDS, model_mark=mark_of("pocket"))
    view = page(pictures, Frame(sought=sought, model_title="Pocket", has_newer=False, has_older=True, hides_some=True))
    items = [*view.walk_children()]
    assert len(items) <= 40
    assert view.content_length() <= 4_000
    ids = [item.custom_id for item in items if isinstance(item, ui.Button)]
    assert len(ids) == 4 * 4 + 3 == len(set(ids))
    (gallery,) = (item for item in items if isinstance(item, ui.MediaGallery))
    assert [item.spoiler for item in gallery.items] == [False, False, False, True]
    words = "\n".join(item.content for item in items if isinstance(item, ui.TextDisplay))
    assert words.count("@everyone") == words.count("\\@everyone") > 0
    disabled = [item.label for item in items if isinstance(item, ui.Button) and item.disabled]
    assert disabled == ["◀ Newer"]
    assert "age-restricted" in words


@pytest.mark.parametrize(
    ("sought", "sentence"),
    [
        (Sought(user_id=1, shelf=Shelf.OWN), "Use /imagine"),
        (Sought(user_id=1, shelf=Shelf.STARRED), "Press ⭐"),
        (Sought(user_id=1, shelf=Shelf.FAVOURITES, words="apple"), "Look for fewer words"),
    ],
)
def test_a_page_without_pictures_says_what_to_do(sought: Sought, sentence: str) -> None:
    view = page([], Frame(sought=sought, model_title="", has_newer=False, has_older=False, hides_some=False))
    assert any(sentence in item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))
