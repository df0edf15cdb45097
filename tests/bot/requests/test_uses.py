"""Pictures for a job: what each is for, where it is refused, what size is drawn, and what its strength is."""

from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.presenting.images.details_message import command_of
from bot.presenting.refusal import sentence_of
from bot.presenting.summaries import summary
from bot.presenting.texts import LANGUAGES, spoken, text
from bot.requests.abilities import blend_use, blending, uses_for
from bot.requests.given import GivenRequest
from bot.requests.options.table import FIELDS
from bot.requests.options.takes import GivenPicture
from bot.requests.resolving import Resolved, resolve
from bot.requests.uses import pictures_of
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue import models
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, ReferenceSpec
from pipeline.protocol.inputs import Input, InputRole, Use
from tests.control_nets import CANNY

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
    start = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.55, use=Use.START)
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
    assert [notice.key for notice in unused.notices] == ["notice-strength-alone"]


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
    kept = pictures_of(request)
    assert asked(catalogue, size="64x64", **kept).request.inputs == request.inputs
    changed = asked(catalogue, "a star --strength 0.8", size="64x64", **kept)
    assert changed.request.inputs[0].strength == 0.8
    assert pictures_of(asked(catalogue, image=None).request) == {"image": None, "image2": None, "beside": ()}


def test_messages_say_that_there_was_a_picture_and_its_strength(catalogue: Catalogue) -> None:
    request = asked(catalogue, strength=0.3).request
    said = [summary(FIELDS[name], request, catalogue.default) for name in ("image", "strength")]
    assert said == ["from a picture", "strength 0.3"]
    plain = asked(catalogue, image=None).request
    assert [summary(FIELDS[name], plain, catalogue.default) for name in ("image", "strength")] == ["", ""]


OTHER = GivenPicture(sha256="cd" * 32, sides=(1_024, 512))
LINES = msgspec.structs.replace(CANNY, scale=0.9, end=0.8, guess=True)
DEPTH = msgspec.structs.replace(LINES, key="depth", use="depth", preprocessor="none", guess=False, end=1.0)
PLUS = ReferenceSpec(
    key="plus",
    title="Plus",
    source=FileSource(path="/nets/plus.safetensors"),
    encoder=FolderSource(path="/nets/encoder"),
    family="sd",
    uses=("style", "subject"),
    license="Apache-2.0",
)


@pytest.fixture
def guided(monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue) -> Catalogue:
    """A model for which the catalogue has nets and an adapter, one that only edits, and one that has neither."""
    able = frozenset(Capability) - {Capability.EDIT, Capability.SEVERAL_PICTURES}
    facts = {family: msgspec.structs.replace(each, capabilities=able) for family, each in FAMILY_FACTS.items()}
    only = {Capability.EDIT, Capability.SEVERAL_PICTURES, Capability.GUIDANCE, Capability.NEGATIVE_PROMPT}
    facts["sdxl"] = msgspec.structs.replace(facts["sdxl"], capabilities=frozenset(only))
    monkeypatch.setattr(models, "FAMILY_FACTS", MappingProxyType(facts))
    # The shipped catalogue takes from its models what it has no network for.
    spec = msgspec.structs.replace(catalogue.default, lacks=())
    edits = msgspec.structs.replace(spec, key="edits", title="Edits", family="sdxl")
    plain = msgspec.structs.replace(spec, key="plain", title="Plain", family="sd3", samplers=())
    return Catalogue(
        models={spec.key: spec, "edits": edits, "plain": plain},
        default_key=spec.key,
        controls={"canny": LINES, "depth": DEPTH},
        references={"plus": PLUS},
    )


def test_a_model_has_the_uses_for_which_there_is_a_network(guided: Catalogue) -> None:
    pocket, edits, plain = guided.models.values()
    assert uses_for(pocket, guided) == (Use.START, Use.STYLE, Use.SUBJECT, Use.LINES, Use.DEPTH)
    assert uses_for(edits, guided) == (Use.EDIT,)
    assert uses_for(plain, guided) == (Use.START,)


@pytest.mark.parametrize("typed", [False, True])
def test_a_use_is_chosen_or_typed(guided: Catalogue, typed: bool) -> None:
    given: dict[str, Any] = {} if typed else {"use": "lines"}
    resolved = asked(guided, "a star --use lines" if typed else "a star", **given)
    (found,) = resolved.request.inputs
    assert found == Input(
        role=InputRole.CONTROL,
        sha256="ab" * 32,
        use=Use.LINES,
        network="canny",
        strength=0.9,
        end=0.8,
        is_guess=True,
    )
    assert (resolved.request.prompt, resolved.notices) == ("a star", ())


def test_two_pictures_have_a_use_and_a_strength_of_their_own(guided: Catalogue) -> None:
    resolved = asked(guided, image2=OTHER, use2="style", strength=0.3)
    start, style = resolved.request.inputs
    assert (start.role, start.strength) == (InputRole.INIT_IMAGE, 0.3)
    assert (style.role, style.use, style.network) == (InputRole.REFERENCE, Use.STYLE, "plus")
    assert (style.strength, style.start, style.end) == (0.6, 0.0, 0.5)
    assert resolved.request.width == resolved.request.height


def test_a_second_picture_without_a_use_is_no_second_start(guided: Catalogue) -> None:
    assert [each.use for each in asked(guided, image2=OTHER).request.inputs] == [Use.START, Use.STYLE]
    with pytest.raises(Refused) as refused:
        asked(guided, image2=OTHER, model_key="plain")
    assert sentence_of(refused.value) == (
        "Drawing starts from one picture. Plain has no other use for a second one, so leave one out."
    )
    with pytest.raises(Refused) as refused:
        asked(guided, image2=OTHER, use2="start")
    assert sentence_of(refused.value) == (
        "Drawing starts from one picture. Choose another use for one of them: style, subject, lines, depth."
    )


def test_a_model_that_only_edits_does_so_without_a_word(guided: Catalogue) -> None:
    resolved = asked(guided, image2=OTHER, model_key="edits")
    assert [(each.role, each.use) for each in resolved.request.inputs] == [(InputRole.EDIT, Use.EDIT)] * 2
    assert resolved.request.edits == resolved.request.inputs


def test_a_model_that_only_edits_wants_a_picture_and_says_when_a_strength_is_nothing_to_it(guided: Catalogue) -> None:
    with pytest.raises(Refused) as refused:
        asked(guided, image=None, model_key="edits")
    assert sentence_of(refused.value) == (
        "Edits changes pictures and draws none by itself: attach one as image. "
        "These draw from words alone: Pocket, Plain."
    )
    resolved = asked(guided, strength=0.3, model_key="edits")
    assert told(resolved) == ["Edits edits as the words say; a strength has no effect there and was left out."]
    assert resolved.request.inputs[0].strength == 0.55
    assert not asked(guided, model_key="edits").notices


def test_an_instruct_model_is_known_by_its_entry_and_has_a_strength(catalogue: Catalogue) -> None:
    entry = msgspec.structs.replace(catalogue.default, edits=True)
    resolved = asked(Catalogue(models={entry.key: entry}, default_key=entry.key), strength=0.3)
    (edited,) = resolved.request.edits
    assert (edited.use, edited.strength) == (Use.EDIT, 0.3)
    assert not resolved.notices
    with pytest.raises(Refused, match="refused-picture-nowhere"):
        asked(Catalogue(models={entry.key: entry}, default_key=entry.key), image=None)


def test_pictures_that_do_not_go_together_are_refused(guided: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    both = msgspec.structs.replace(
        FAMILY_FACTS["sd3"], capabilities=frozenset({Capability.EDIT, Capability.INIT_IMAGE})
    )
    monkeypatch.setattr(models, "FAMILY_FACTS", MappingProxyType({**models.FAMILY_FACTS, "sd3": both}))
    with pytest.raises(Refused, match="refused-start-and-edit"):
        asked(guided, image2=OTHER, use2="edit", model_key="plain")
    with pytest.raises(Refused) as refused:
        asked(guided, image2=OTHER, use="edit", use2="edit", model_key="plain")
    assert sentence_of(refused.value) == "Plain edits one picture at a time. These take several: Edits."


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        ("lines", "Plain cannot follow lines. These can: Pocket."),
        ("style", "Plain cannot draw in the style of a picture. These can: Pocket."),
        ("edit", "Plain cannot change a picture as the prompt says. These can: Edits."),
        ("pose", "No model here can take a pose from a picture. Choose another use, or leave"),
        ("face", "No model here can draw the face of a picture."),
        ("hat", "“hat” is no use of a picture. Choose one for use: start, style, "),
        ("style map", "Only lines, scribble, depth and pose have ready-made maps."),
    ],
)
def test_a_use_that_the_model_has_not_is_refused_with_those_that_have(
    guided: Catalogue, use: str, sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        asked(guided, use=use, model_key="plain")
    assert sentence_of(refused.value).startswith(sentence)


def test_a_use_without_a_picture_is_told(guided: Catalogue) -> None:
    resolved = asked(guided, image=None, use="lines", use2="style")
    assert resolved.request.inputs == ()
    assert [(each.key, each.values) for each in resolved.notices] == [
        ("notice-use-alone", {"option": "use"}),
        ("notice-use-alone", {"option": "use2"}),
    ]


def test_a_map_is_ready_made_where_somebody_says_so(guided: Catalogue) -> None:
    def is_map(use: str) -> bool:
        return asked(guided, use=use).request.inputs[0].is_map

    assert (is_map("lines"), is_map("lines map"), is_map("lines-map"), is_map("depth")) == (False, True, True, True)


@pytest.mark.parametrize(
    ("prompt", "use", "strength"),
    [
        ("a star --strength 1.5", "lines", 1.5),
        ("a star --strength 9", "style", 2.0),
        ("a star --iw 1", "start", 0.55),
        ("a star --iw 0", "start", 1.0),
        ("a star --iw 3", "start", 0.05),
        ("a star --iw 2", "style", 1.2),
        ("a star --iw 0.5", "lines", 0.45),
    ],
)
def test_a_strength_is_the_scale_of_a_network(guided: Catalogue, prompt: str, use: str, strength: float) -> None:
    assert asked(guided, prompt, use=use).request.inputs[0].strength == pytest.approx(strength)


def test_a_style_picture_does_not_choose_the_size(guided: Catalogue) -> None:
    resolved = asked(guided, image=OTHER, use="style")
    assert resolved.request.width == resolved.request.height
    followed = asked(guided, image=OTHER, use="lines")
    assert followed.request.width == 2 * followed.request.height


def test_a_remix_keeps_every_picture_with_its_use(guided: Catalogue) -> None:
    third = GivenPicture(sha256="ef" * 32, use=Use.SUBJECT, strength=1.4)
    request = asked(guided, use="lines map", image2=OTHER, use2="style", strength=0.7, beside=(third,)).request
    assert len(request.inputs) == 3
    kept = pictures_of(request)
    assert asked(guided, size="64x64", **kept).request.inputs == request.inputs
    changed = asked(guided, "a star --use depth", size="64x64", **kept).request.inputs
    assert (changed[0].use, changed[1:]) == (Use.DEPTH, request.inputs[1:])


def test_messages_and_the_command_say_what_the_pictures_were_for(guided: Catalogue) -> None:
    request = asked(guided, use="lines map", image2=OTHER, use2="style").request
    said = [summary(FIELDS[name], request, guided.default) for name in ("image", "use", "strength", "image2", "use2")]
    assert said == ["from a picture", "used for lines map", "strength 0.9", "a second picture", "used for style"]
    command = command_of(request)
    assert "use: lines map canny strength: 0.9 use2: style plus" in command
    pasted = asked(guided, command, image2=OTHER, size="64x64")
    assert pasted.request.inputs == request.inputs


SOFT = msgspec.structs.replace(LINES, key="soft-edges", title="Soft edges", scale=0.5, guess=False)


@pytest.fixture
def rivals(guided: Catalogue) -> Catalogue:
    """The same with two nets for lines, and one for another family."""
    other = msgspec.structs.replace(SOFT, key="xl-lines", title="XL lines", family="sdxl")
    return msgspec.structs.replace(guided, controls={**guided.controls, SOFT.key: SOFT, other.key: other})


@pytest.mark.parametrize(
    ("use", "network", "is_map"),
    [
        ("lines", "canny", False),
        ("lines soft-edges", "soft-edges", False),
        ("Lines  SOFT Edges", "soft-edges", False),
        ("lines map soft-edges", "soft-edges", True),
        ("lines-map Soft edges", "soft-edges", True),
    ],
)
@pytest.mark.parametrize("typed", [False, True])
def test_one_of_several_nets_is_chosen_by_name(
    rivals: Catalogue, use: str, network: str, is_map: bool, typed: bool
) -> None:
    given: dict[str, Any] = {} if typed else {"use": use}
    resolved = asked(rivals, f"--use {use}, a star" if typed else "a star", **given)
    (found,) = resolved.request.inputs
    assert (found.network, found.is_map, found.strength) == (network, is_map, rivals.controls[network].scale)
    assert (resolved.request.prompt, resolved.notices) == ("a star", ())


@pytest.mark.parametrize("use", ["lines xl-lines", "lines hat"])
def test_a_net_that_the_model_has_not_is_refused_with_those_that_it_has(rivals: Catalogue, use: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(rivals, use=use)
    name = use.removeprefix("lines ")
    sentence = f"Pocket has no “{name}” for lines. Choose one of these: canny, soft-edges."
    assert sentence_of(refused.value).replace("\\", "") == sentence


def test_words_behind_a_use_without_networks_are_no_use(rivals: Catalogue) -> None:
    with pytest.raises(Refused, match="refused-use-unknown"):
        asked(rivals, use="start canny")


def test_a_remix_and_the_pasted_command_keep_the_chosen_net(rivals: Catalogue) -> None:
    request = asked(rivals, use="lines soft-edges").request
    assert asked(rivals, size="64x64", **pictures_of(request)).request.inputs == request.inputs
    assert asked(rivals, command_of(request), size="64x64").request.inputs == request.inputs
    assert summary(FIELDS["use"], request, rivals.default) == "used for lines"
    gone = msgspec.structs.replace(rivals, controls={"canny": LINES})
    assert asked(gone, **pictures_of(request)).request.inputs[0].network == "canny"


def test_the_second_picture_has_typed_options_too(guided: Catalogue) -> None:
    typed = asked(guided, "a star --use2 style --cfg2", image2=OTHER)
    assert [each.use for each in typed.request.inputs] == [Use.START, Use.STYLE]
    assert (typed.request.prompt, typed.request.guidance_scale) == ("a star", 2.0)


def test_several_pictures_are_blended_where_a_model_can(guided: Catalogue, catalogue: Catalogue) -> None:
    pocket, edits, plain = guided.models.values()
    assert [blend_use(spec, guided) for spec in (pocket, edits, plain)] == [Use.SUBJECT, Use.EDIT, None]
    assert {key: use for key, (_, use) in blending(guided).items()} == {pocket.key: Use.SUBJECT, "edits": Use.EDIT}
    assert blending(catalogue) == {}
    style = msgspec.structs.replace(PLUS, uses=("face", "style"))
    assert blend_use(pocket, msgspec.structs.replace(guided, references={"plus": style})) is Use.STYLE
    face = msgspec.structs.replace(PLUS, uses=("face",))
    assert blend_use(pocket, msgspec.structs.replace(guided, references={"plus": face})) is None


def test_further_pictures_are_for_the_same_as_the_second(guided: Catalogue) -> None:
    given = GivenRequest(prompt="a star", use="subject", use2="subject")
    for number, name in enumerate(("image", "image2", "image3", "image4"), 1):
        given = given.with_picture(name, GivenPicture(sha256=f"{number:064x}"))
    request = resolve(given, catalogue=guided, limits=LimitSettings()).request
    assert [(each.sha256, each.use) for each in request.inputs] == [
        (f"{number:064x}", Use.SUBJECT) for number in range(1, 5)
    ]
