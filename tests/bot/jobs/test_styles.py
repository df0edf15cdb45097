"""Styles: what a member may choose, and what choosing adds to the prompt."""

import msgspec
import pytest

from bot.errors import Refused
from bot.jobs.given import GivenRequest
from bot.jobs.resolving import resolve
from bot.jobs.styles import find_style, matching_styles, styles_for
from bot.presenting.styles_message import styles_lines
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import BackendStatus, WorkerState
from pipeline.protocol.loras import LoraEntry
from tests.pipeline.backends.children.speech import READY

FUR = LoraEntry(name="fur_v2", title="Soft fur", trigger_words=("furry", "soft coat"), scale=0.8, family="sd")
INK = LoraEntry(name="ink", title="Ink")
LARGE = LoraEntry(name="large", title="Large one", family="sdxl")
STYLES = (FUR, INK, LARGE)


@pytest.mark.parametrize(
    ("prompt", "style", "resolved"),
    [
        ("a cat", FUR, "a cat, furry, soft coat <lora:fur_v2:0.8>"),
        ("a Furry cat", FUR, "a Furry cat, soft coat <lora:fur_v2:0.8>"),
        ("a cat --no dogs", INK, "a cat <lora:ink:1>"),
        ("a cat <lora:ink:0.3>", INK, "a cat <lora:ink:0.3>"),
    ],
)
def test_a_style_adds_what_a_member_would_type(
    settings: Settings, catalogue: Catalogue, prompt: str, style: LoraEntry, resolved: str
) -> None:
    given = GivenRequest(prompt=prompt, style=style)
    assert resolve(given, catalogue=catalogue, limits=settings.limits).request.prompt == resolved


def test_a_style_may_make_a_prompt_too_long(settings: Settings, catalogue: Catalogue) -> None:
    with pytest.raises(Refused) as refused:
        resolve(GivenRequest(prompt="x" * 1_990, style=FUR), catalogue=catalogue, limits=settings.limits)
    assert refused.value.key == "refused-prompt-long"


def test_styles_are_found_by_name_title_and_words(catalogue: Catalogue) -> None:
    assert find_style(" SOFT fur ", STYLES) is FUR
    assert find_style("fur_v2", STYLES) is FUR
    assert matching_styles("COAT", STYLES) == [FUR]
    assert matching_styles("", STYLES) == [*STYLES]
    for styles, key in ((STYLES, "refused-style"), ((), "refused-no-styles")):
        with pytest.raises(Refused) as refused:
            find_style("fir", styles)
        assert refused.value.key == key
    ready = BackendStatus(
        state=WorkerState.READY,
        ready=msgspec.structs.replace(READY, loras=STYLES),
        rss_bytes=0,
        phase="idle",
        restarts=0,
        detail="",
    )
    assert styles_for(ready, catalogue.default) == [FUR, INK]
    assert styles_for(ready) == [*STYLES]


def test_the_list_shows_every_tag_and_ends_before_discord_does() -> None:
    shown = styles_lines(STYLES).replace("\\", "")
    assert "Soft fur (furry, soft coat): <lora:fur_v2:0.8>" in shown
    many = [LoraEntry(name=f"style-{number}", title="A _long_ title " * 6) for number in range(200)]
    lines = styles_lines(many)
    assert len(lines) <= 2_000
    assert f"And {200 - lines.count('lora')} more" in lines.replace("\u2068", "").replace("\u2069", "")
    assert styles_lines(()).startswith("There are no styles")
