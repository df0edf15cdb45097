"""A picture to start from: where it is refused, what size is drawn, and what its strength is."""

from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.presenting.refusal import sentence_of
from bot.presenting.summaries import summary
from bot.presenting.texts import LANGUAGES, spoken, text
from bot.requests.given import GivenRequest
from bot.requests.options import FIELDS
from bot.requests.resolving import Resolved, resolve
from bot.requests.starting_image import picture_of
from bot.requests.takes import GivenPicture
from bot.store.rows import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.inputs import Input, InputRole

SQUARE = GivenPicture(sha256="ab" * 32, sides=(512, 512))


def asked(
    catalogue: Catalogue, prompt: str = "a star", defaults: AskerDefaults | None = None, **given: Any
) -> Resolved:
    given.setdefault("image", SQUARE)
    return resolve(
        GivenRequest(prompt=prompt, **given),
        catalogue=catalogue,
        limits=LimitSettings(),
        defaults=defaults or AskerDefaults(),
    )


def told(resolved: Resolved) -> list[str]:
    return [text(notice.key, **notice.values) for notice in resolved.notices]


@pytest.fixture
def both(catalogue: Catalogue) -> Catalogue:
    """The shipped model, and one that draws from text alone."""
    plain = msgspec.structs.replace(catalogue.default, key="plain", title="Plain", lacks=(Capability.INIT_IMAGE,))
    return msgspec.structs.replace(catalogue, models={**catalogue.models, "plain": plain})


def test_a_picture_becomes_an_input(catalogue: Catalogue) -> None:
    resolved = asked(catalogue)
    start = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.55)
    assert resolved.request.inputs == (start,)
    assert resolved.notices == ()
    assert asked(catalogue, image=None).request.inputs == ()


@pytest.mark.parametrize(
    ("given", "prompt", "strength"),
    [
        (0.3, "a star", 0.3),
        (1.0, "a star", 1.0),
        (None, "a star --strength 0.4", 0.4),
        (None, "a star --denoise 0.4", 0.4),
    ],
)
def test_its_strength_is_given_or_typed(
    catalogue: Catalogue, given: float | None, prompt: str, strength: float
) -> None:
    resolved = asked(catalogue, prompt, strength=given)
    assert resolved.request.inputs[0].strength == strength
    assert resolved.request.prompt == "a star"
    assert resolved.notices == ()


@pytest.mark.parametrize(("typed", "used"), [("0", 0.05), ("0.01", 0.05), ("7", 1.0)])
def test_a_strength_out_of_bounds_is_moved_and_told(catalogue: Catalogue, typed: str, used: float) -> None:
    resolved = asked(catalogue, f"a star --strength {typed}")
    assert resolved.request.inputs[0].strength == used
    (notice,) = resolved.notices
    assert notice.values == {"option": "strength", "given": typed, "used": f"{used:g}"}


def test_a_strength_without_a_picture_is_told(both: Catalogue) -> None:
    resolved = asked(both, image=None, strength=0.3)
    assert [notice.key for notice in resolved.notices] == ["notice-strength-alone"]
    unused = asked(both, image=None, strength=0.3, model_key="plain")
    assert [notice.key for notice in unused.notices] == ["notice-option-unused"]


def test_a_model_without_it_names_those_with_it(both: Catalogue) -> None:
    with pytest.raises(Refused) as refused:
        asked(both, model_key="plain")
    assert sentence_of(refused.value) == f"Plain cannot start from a picture. These can: {both.default.title}."
    only = msgspec.structs.replace(both, models={"plain": both.models["plain"]}, default_key="plain")
    with pytest.raises(Refused, match="refused-image-nowhere"):
        asked(only)


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ((512, 512), (64, 64, None)),
        ((2_048, 2_048), (64, 64, None)),
        ((1_500, 1_000), (96, 64, None)),
        ((1_000, 1_300), (64, 80, ("ends", 4))),
        ((1_300, 1_000), (80, 64, ("sides", 4))),
        ((2_048, 256), (128, 64, ("sides", 75))),
    ],
)
def test_the_size_follows_its_shape(
    catalogue: Catalogue, sides: tuple[int, int], expected: tuple[int, int, tuple[str, int] | None]
) -> None:
    resolved = asked(catalogue, image=GivenPicture(sha256="ab", sides=sides))
    cuts = [(notice.values["where"], notice.values["percent"]) for notice in resolved.notices]
    assert (resolved.request.width, resolved.request.height, next(iter(cuts), None)) == expected


def test_a_size_that_was_asked_for_wins_and_says_what_is_cut(catalogue: Catalogue) -> None:
    wide = GivenPicture(sha256="ab", sides=(2_000, 1_000))
    resolved = asked(catalogue, image=wide, size="square")
    assert resolved.request.width == resolved.request.height
    (sentence,) = told(resolved)
    assert "50 % of it were cut off at its left and right" in sentence
    for language in LANGUAGES:
        with spoken(language):
            assert "50 %" in told(resolved)[0]


def test_its_shape_comes_before_a_default_size(catalogue: Catalogue) -> None:
    defaults = AskerDefaults(own=Preferences(size="wide", num_inference_steps=9))
    resolved = asked(catalogue, defaults=defaults)
    assert resolved.request.width == resolved.request.height
    assert resolved.defaults == AskerDefaults(own=Preferences(num_inference_steps=9))


def test_a_typed_picture_is_refused_and_no_link_is_opened(catalogue: Catalogue) -> None:
    with pytest.raises(Refused, match="refused-typed-picture") as refused:
        asked(catalogue, "a star --image https://example.com/cat.png", image=None)
    assert "never opened" in sentence_of(refused.value)
    pasted = asked(catalogue, "/imagine prompt: a star image: round", image=None)
    assert pasted.request.prompt == "a star image: round"
    assert pasted.request.inputs == ()


def test_an_earlier_jobs_picture_keeps_its_strength_unless_another_is_typed(catalogue: Catalogue) -> None:
    request = asked(catalogue, strength=0.3).request
    kept = picture_of(request)
    assert asked(catalogue, image=kept, size="64x64").request.inputs == request.inputs
    changed = asked(catalogue, "a star --strength 0.8", image=kept, size="64x64")
    assert changed.request.inputs[0].strength == 0.8
    assert picture_of(asked(catalogue, image=None).request) is None


def test_messages_say_that_there_was_a_picture_and_its_strength(catalogue: Catalogue) -> None:
    request = asked(catalogue, strength=0.3).request
    said = [summary(FIELDS[name], request, catalogue.default) for name in ("image", "strength")]
    assert said == ["from a picture", "strength 0.3"]
    plain = asked(catalogue, image=None).request
    assert [summary(FIELDS[name], plain, catalogue.default) for name in ("image", "strength")] == ["", ""]
