"""Styles: what a member may choose, and what choosing adds to the prompt."""

import msgspec
import pytest

from bot.errors import Refused
from bot.presenting.styles_message import styles_lines
from bot.presenting.texts import text
from bot.requests.given import GivenRequest
from bot.requests.resolving import resolve
from bot.requests.styles import find_style, known_styles, matching_styles, styles_for
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import BackendStatus, WorkerState
from pipeline.protocol.loras import EmbeddingEntry, LoraEntry
from tests.pipeline.backends.children.speech import READY

FUR = LoraEntry(name="fur_v2", title="Soft fur", trigger_words=("furry", "soft coat"), scale=0.8, family="sd")
INK = LoraEntry(name="ink", title="Ink")
LARGE = LoraEntry(name="large", title="Large one", family="sdxl")
STYLES = (FUR, INK, LARGE)
ZBR = LoraEntry(name="zbr", title="Zebra", trigger_words=("zbr style",), embeddings=("stripey",))
CALM = EmbeddingEntry(name="calm", title="Calm light", family="sd")
BAD = EmbeddingEntry(name="bad-hands-5", title="Bad hands", is_negative=True, family="sd", token="<hands>")
WIDE = EmbeddingEntry(name="wide", title="Wide", family="sdxl")
ANY = EmbeddingEntry(name="any", title="Any", trigger_words=("lumen",))
BAD_HANDS = EmbeddingEntry(name="bad-hands", title="Other hands", family="sd")
LIKE = "bad-hands, bad-hands-5"
ALL = (*STYLES, ZBR, CALM, BAD, WIDE, ANY, BAD_HANDS)


@pytest.mark.parametrize(
    ("prompt", "style", "resolved"),
    [
        ("a cat", FUR, "a cat, furry, soft coat <lora:fur_v2:0.8>"),
        ("a Furry cat", FUR, "a Furry cat, soft coat <lora:fur_v2:0.8>"),
        ("a cat --no dogs", INK, "a cat <lora:ink:1>"),
        ("a cat <lora:ink:0.3>", INK, "a cat <lora:ink:0.3>"),
        ("a cat AND a furry dog :.5", FUR, "<lora:fur_v2:0.8> a cat, furry, soft coat AND a furry dog, soft coat :0.5"),
        ("= a cat - (rain:.5)", FUR, "<lora:fur_v2:0.8> = a cat, furry, soft coat - (rain, furry, soft coat:0.5)"),
        ("a cat AND a dog <lora:ink:0.3>", INK, "a cat AND a dog <lora:ink:0.3>"),
        ("a cat AND a dog :2", CALM, "a cat, embedding:calm AND a dog, embedding:calm :2"),
    ],
)
def test_a_style_adds_what_a_member_would_type(
    settings: Settings, catalogue: Catalogue, prompt: str, style: LoraEntry | EmbeddingEntry, resolved: str
) -> None:
    given = GivenRequest(prompt=prompt, style=style)
    assert resolve(given, catalogue=catalogue, limits=settings.limits).request.prompt == resolved


@pytest.mark.parametrize(
    ("prompt", "style", "resolved"),
    [
        ("a cat", CALM, ("a cat, embedding:calm", "rain")),
        ("a cat embedding:calm", CALM, ("a cat embedding:calm", "rain")),
        ("a cat", BAD, ("a cat", "rain, embedding:bad-hands-5")),
        ("a cat --no embedding:Bad-Hands-5", BAD, ("a cat", "rain, embedding:Bad-Hands-5")),
    ],
)
def test_an_embedding_goes_where_it_is_for(
    settings: Settings, catalogue: Catalogue, prompt: str, style: EmbeddingEntry, resolved: tuple[str, str]
) -> None:
    given = GivenRequest(prompt=prompt, negative_prompt="rain", style=style)
    request = resolve(given, catalogue=catalogue, limits=settings.limits, styles=ALL).request
    assert (request.prompt, request.negative_prompt) == resolved


@pytest.mark.parametrize(
    ("prompt", "negative", "resolved", "told"),
    [
        ("embedding:calm, a cat", "(embedding:bad-hands-5:1.2), <hands>", None, []),
        ("embedding:gone, a cat", None, ("a cat", ""), [("notice-embedding-unknown", "gone", "none")]),
        ("a cat", "blurry, (embedding:clam:1.3)", ("a cat", "blurry"), [("notice-embedding-unknown", "clam", "calm")]),
        ("a cat embedding:wide", None, ("a cat", ""), [("notice-embedding-family", "wide", "Pocket")]),
        ("a cat embedding:INK", None, ("a cat", ""), [("notice-embedding-is-lora", "INK", "<lora:ink:1>")]),
        ("a cat embedding:stripey", None, ("a cat", ""), [("notice-embedding-unknown", "stripey", "none")]),
        ("embedding:stripey, a cat <lora:zbr:1>", None, None, []),
        ("a wide calm cat", None, None, []),
        ("a cat embedding:any", None, None, []),
        ("a cat embedding:wid", None, ("a cat", ""), [("notice-embedding-unknown", "wid", "wide")]),
        ("a cat embedding:bad-hand", None, ("a cat", ""), [("notice-embedding-unknown", "bad-hand", LIKE)]),
    ],
)
def test_an_embedding_that_there_is_not_is_told_before_the_price(
    settings: Settings,
    catalogue: Catalogue,
    prompt: str,
    negative: str | None,
    resolved: tuple[str, str] | None,
    told: list[tuple[str, str, str]],
) -> None:
    model = msgspec.structs.replace(catalogue.default, vocabulary=None)
    models = msgspec.structs.replace(catalogue, models={model.key: model})
    given = GivenRequest(prompt=prompt, negative_prompt=negative)
    found = resolve(given, catalogue=models, limits=settings.limits, styles=ALL)
    assert (found.request.prompt, found.request.negative_prompt) == (resolved or (prompt, negative or ""))
    assert [(notice.key, *notice.values.values()) for notice in found.notices] == told
    for notice in found.notices:
        assert str(notice.values["name"]) in text(notice.key, **notice.values)
    unknown = resolve(given, catalogue=models, limits=settings.limits)
    assert unknown.request.prompt == prompt, "the worker has not told what it has, and will say so itself"


def test_an_embedding_alone_that_there_is_not_is_no_prompt(settings: Settings, catalogue: Catalogue) -> None:
    with pytest.raises(Refused) as refused:
        given = GivenRequest(prompt="(embedding:gone:1.2)")
        resolve(given, catalogue=catalogue, limits=settings.limits, styles=ALL)
    assert refused.value.key == "refused-prompt-empty"


@pytest.mark.parametrize(
    ("prompt", "style", "strange"),
    [
        ("a zbr style apple", None, "zbr"),
        ("a zbr style apple <lora:ZBR:0.5>", None, None),
        ("a red apple", ZBR, None),
        ("a stripey apple embedding:stripey <lora:zbr:1>", None, None),
        ("a red apple, bad-hands-5, embedding:bad-hands-5", None, None),
        ("a red apple furry", ZBR, "furry"),
        ("a lumen apple", None, "lumen"),
        ("a lumen apple embedding:ANY", None, None),
    ],
)
def test_what_styles_teach_is_known(
    settings: Settings, catalogue: Catalogue, prompt: str, style: LoraEntry | None, strange: str | None
) -> None:
    given = GivenRequest(prompt=prompt, style=style)
    notices = resolve(given, catalogue=catalogue, limits=settings.limits, styles=ALL).notices
    assert [notice.values["words"] for notice in notices] == ([] if strange is None else [strange])


def test_styles_are_found_by_name_title_and_words(catalogue: Catalogue) -> None:
    assert find_style(" SOFT fur ", STYLES) is FUR
    assert find_style("fur_v2", STYLES) is FUR
    assert matching_styles("COAT", STYLES) == [FUR]
    assert matching_styles("", STYLES) == [*STYLES]
    many = [LoraEntry(name=f"style-{number}", title=f"Style {number}") for number in range(11)]
    ten = ", ".join(f"Style {number}" for number in range(10))
    for styles, key, known in ((many, "refused-style", ten), ((), "refused-no-styles", "")):
        with pytest.raises(Refused) as refused:
            find_style("fir" * 30, styles)
        assert (refused.value.key, refused.value.values) == (key, {"style": ("fir" * 30)[:80], "known": known})
    ready = BackendStatus(
        state=WorkerState.READY,
        ready=msgspec.structs.replace(READY, loras=STYLES, embeddings=(CALM, WIDE)),
        rss_bytes=0,
        phase="idle",
        restarts=0,
        detail="",
    )
    assert styles_for(ready, catalogue.default) == [FUR, INK, CALM]
    assert styles_for(ready) == [*STYLES, CALM, WIDE]
    assert known_styles(ready) == (*STYLES, CALM, WIDE)
    assert known_styles(msgspec.structs.replace(ready, ready=None)) is None
    assert find_style("calm LIGHT", styles_for(ready)) is CALM


def test_the_list_shows_every_tag_and_ends_before_discord_does() -> None:
    shown = styles_lines(STYLES).replace("\\", "")
    assert "Soft fur (furry, soft coat): <lora:fur_v2:0.8>" in shown
    embeddings = styles_lines((CALM, BAD)).replace("\\", "").replace("\u2068", "").replace("\u2069", "")
    assert "Calm light: embedding:calm\n" in embeddings
    assert embeddings.endswith("Bad hands: embedding:bad-hands-5 in the negative prompt")
    many = [LoraEntry(name=f"style-{number}", title="A _long_ title " * 6) for number in range(200)]
    lines = styles_lines(many)
    assert len(lines) <= 2_000
    assert f"And {200 - lines.count('lora')} more" in lines.replace("\u2068", "").replace("\u2069", "")
    assert styles_lines(()).startswith("There are no styles")
