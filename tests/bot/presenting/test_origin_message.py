"""Where a file comes from, in both languages: a stranger's text is escaped, and others' jobs are not told."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from discord import ui

from bot.presenting.origin_message import Origin, origin
from bot.presenting.texts import LANGUAGES, spoken
from pipeline.protocol.requests import GenerationRequest
from provenance.messages import Credentials, Reading, Trust
from provenance.verdict import Verdict
from tests.example_jobs import example_job

SIGNED = Credentials(
    manifest="urn:c2pa:1",
    trust=Trust.UNKNOWN,
    is_signature_valid=True,
    is_whole=True,
    serial="1",
    signer="Eve",
    tool="Brush",
    is_ai=True,
    ingredients=2,
)


def said(verdict: Verdict, **told: Any) -> str:
    reading = Reading(fingerprint=None, credentials=told.pop("credentials", None), tool=told.pop("tool", ""))
    facts: dict[str, Any] = {"is_vouched": False, "jobs": (), "made_at": None, **told}
    (words,) = origin(Origin(verdict=verdict, reading=reading, **facts)).children
    assert isinstance(words, ui.TextDisplay)
    return words.content


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_a_sentence(verdict: Verdict, language: str) -> None:
    with spoken(language):
        head, sentence = said(verdict, credentials=SIGNED).splitlines()
    assert head.startswith("**")
    assert sentence.endswith(".")


def test_somebody_elses_signature_is_told_as_it_calls_itself() -> None:
    told = said(Verdict.FOREIGN, credentials=SIGNED)
    assert "calls itself “Eve”; nobody we know vouches for it." in told
    assert "It says: made with AI, by “Brush”, from 2 pictures." in told
    plain = msgspec.structs.replace(SIGNED, tool="", is_ai=False, ingredients=0)
    told = said(Verdict.FOREIGN, credentials=plain, is_vouched=True)
    assert "the owner of this Easel vouches for it. It says: made." in told


def test_text_of_a_file_is_no_markup() -> None:
    evil = msgspec.structs.replace(SIGNED, signer="[x](http://evil.example) @everyone", tool="**a**\n# b")
    told = said(Verdict.FOREIGN, credentials=evil)
    assert r"\[x\]\(http\:" in told
    assert r"\@everyone" in told
    assert r"\*\*a\*\* \# b" in told
    assert r"(by “\*a”)" in said(Verdict.CLAIMED, tool="*a")


def test_a_job_is_told_with_its_member_and_its_words_and_another_one_is_elsewhere(request_: GenerationRequest) -> None:
    job = example_job(msgspec.structs.replace(request_, prompt="a *red* apple"))
    told = said(Verdict.ALIKE, jobs=(job, None, None))
    assert "<@42>" in told
    assert r"a \*red\* apple" in told
    assert told.count("elsewhere") == 1
    assert "elsewhere" not in said(Verdict.INTACT, jobs=(job,))


def test_everybody_is_told_once_when_a_picture_was_made(request_: GenerationRequest) -> None:
    job, at = example_job(request_), datetime(2026, 5, 1, tzinfo=UTC)
    told = said(Verdict.INTACT, jobs=(job,), made_at=at)
    assert "Made here on <t:1777593600:f>, and unchanged since." in told
    assert told.count("<t:") == 1
    assert "Made here on <t:1777593600:f>" in said(Verdict.INTACT, jobs=(None,), made_at=at)
    assert said(Verdict.SAVED_ANEW, jobs=(job,), made_at=at).count("<t:") == 1
