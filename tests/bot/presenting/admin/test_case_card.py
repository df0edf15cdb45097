"""The card of a case: a reported job, or a refused request, and the buttons that fit it."""

from datetime import UTC, datetime

import msgspec
import pytest

from bot.presenting.admin.case_card import Card, card, exception_form, review
from bot.store.hits import StoredHit
from bot.store.rows.cases import Case, CaseKind, Outcome, Report, ReportReason
from pipeline.protocol.requests import GenerationRequest
from tests.example_jobs import example_job

NOW = datetime(2026, 5, 1, tzinfo=UTC)
CASE = Case(
    case_id=3,
    kind=CaseKind.REPORT,
    guild_id=5,
    user_id=42,
    job_id=7,
    hit_id=None,
    is_veiled=False,
    channel_id=None,
    message_id=None,
    created_at=NOW,
    outcome=None,
    decided_by=None,
    decided_at=None,
)
REPORT = Report(reporter_id=8, reason=ReportReason.OTHER, note="a `note`", locale="de")


@pytest.fixture
def reported(request_: GenerationRequest) -> Card:
    return Card(case=CASE, job=example_job(request_), hit=None, reports=(REPORT,), warnings=0)


@pytest.fixture
def appealed(request_: GenerationRequest) -> Card:
    hit = StoredHit(
        hit_id=9,
        guild_id=5,
        user_id=42,
        whose="server",
        rule=2,
        word="star*",
        part="star",
        how=("plain",),
        prompt="{a|two} starfish",
        request=msgspec.structs.replace(request_, prompt="two starfish, red"),
        locale="de",
        allowed_until=None,
    )
    case = msgspec.structs.replace(CASE, kind=CaseKind.APPEAL, job_id=None, hit_id=9)
    return Card(case=case, job=None, hit=hit, reports=(), warnings=2)


def shown(found: Card) -> str:
    return str(card(found).to_components())


def test_a_report_tells_who_and_why_and_its_text_has_no_markup(reported: Card) -> None:
    words = shown(reported)
    assert "<@8>: Something else (“a \\\\`note\\\\`”)" in words
    assert all(f"easel-case:{act}:3" in words for act in ("keep", "spoiler", "remove", "warn", "pause-1h", "pause-1d"))
    assert "warned" not in words
    many = msgspec.structs.replace(reported, reports=(REPORT,) * 7)
    assert "And 2 more." in shown(many)


def test_a_decided_case_has_buttons_about_the_member_alone(reported: Card) -> None:
    decided = msgspec.structs.replace(CASE, outcome=Outcome.REMOVE, decided_by=99, decided_at=NOW)
    words = shown(msgspec.structs.replace(reported, case=decided))
    assert "Removed by <@99>" in words
    assert "easel-case:warn:3" in words
    assert "easel-case:keep:3" not in words


def test_an_appeal_tells_rule_and_prompt_and_the_owners_rule_stays(appealed: Card) -> None:
    words = shown(appealed)
    assert "Rule 2 of this server (“star\\\\*”) found “star” (as written)." in words
    assert "||two starfish, red||" in words
    assert "warned 2 times" in words
    assert all(f"easel-case:{act}:3" in words for act in ("allow-once", "except", "uphold"))
    assert appealed.hit is not None
    owners = msgspec.structs.replace(appealed, hit=msgspec.structs.replace(appealed.hit, whose="owner"))
    assert "allow-once" not in shown(owners)
    assert "easel-case:uphold:3" in shown(owners)
    kept = msgspec.structs.replace(appealed.case, outcome=Outcome.KEEP, decided_by=99, decided_at=NOW)
    assert "The refusal stays, says <@99>" in shown(msgspec.structs.replace(appealed, case=kept))
    assert "not kept any more" in shown(msgspec.structs.replace(appealed, hit=None))


def test_the_form_of_an_exception_begins_with_whole_words(appealed: Card) -> None:
    assert appealed.hit is not None
    assert "'value': 'starfish'" in str(exception_form(3, appealed.hit).to_dict())
    elsewhere = msgspec.structs.replace(appealed.hit, part="st4r")
    assert "'value': 'st4r'" in str(exception_form(3, elsewhere).to_dict())


def test_the_list_of_open_cases_counts_those_that_do_not_fit(reported: Card, appealed: Card) -> None:
    words = str(review([reported, appealed, reported], 5, "Done.").to_components())
    assert "Done." in words
    assert "5 cases wait for a decision" in words
    assert "And 2 more." in words
    assert "Nothing waits for a decision." in str(review([], 0).to_components())
