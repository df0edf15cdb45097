"""The pictures that a job was given, small in its details."""

import json

import pytest
from discord import ui

from bot.presenting.details import GIVEN_CHARACTERS, GivenFile, add_given, view_of
from bot.presenting.texts import LANGUAGES, spoken
from pipeline.protocol.inputs import Input, InputRole, Use

PICTURES = (
    Input(role=InputRole.INIT_IMAGE, sha256="ab", strength=0.3),
    Input(role=InputRole.MASK, sha256="cd"),
    Input(role=InputRole.CONTROL, sha256="ef", use=Use.LINES, network="canny", strength=1.5),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_is_shown_beside_what_it_was_for(language: str) -> None:
    view = view_of(ui.Container(ui.TextDisplay("facts")))
    with spoken(language):
        add_given(view, [GivenFile(picture=each, name=f"{each.sha256}.webp", data=b"x") for each in PICTURES])
    container = view.to_components()[-1]
    sections = container["components"]
    shown = [each["accessory"]["media"]["url"] for each in sections]
    assert shown == [f"attachment://{each.sha256}.webp" for each in PICTURES]
    said = [each["components"][0]["content"] for each in sections]
    assert "0.3" in said[0]
    assert "lines" in said[2]
    assert "1.5" in said[2]
    assert len({*said}) == 3
    assert max(map(len, said)) <= GIVEN_CHARACTERS


def test_one_that_retention_removed_is_said() -> None:
    view = view_of(ui.Container(ui.TextDisplay("facts")))
    add_given(view, [GivenFile(picture=PICTURES[0], name="a.webp", data=None)])
    (container,) = view.to_components()[1:]
    shown = json.dumps(container)
    assert "not kept here any more" in shown
    assert "attachment://" not in shown
    assert len(container["components"][0]["content"]) <= GIVEN_CHARACTERS


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_elses_is_said_and_not_shown(language: str) -> None:
    view = view_of(ui.Container(ui.TextDisplay("facts")))
    with spoken(language):
        add_given(view, [GivenFile(picture=each, name="a.webp", data=b"x", is_own=False) for each in PICTURES])
    (container,) = view.to_components()[1:]
    assert "attachment://" not in json.dumps(container)
    said = [each["content"] for each in container["components"]]
    assert len({*said}) == 3
    assert max(map(len, said)) <= GIVEN_CHARACTERS


def test_a_job_without_pictures_shows_none() -> None:
    view = view_of(ui.Container(ui.TextDisplay("facts")))
    add_given(view, [])
    assert len(view.to_components()) == 1
