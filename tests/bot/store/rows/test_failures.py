"""One list of reasons why jobs fail, which has all of the engine's."""

import re
from pathlib import Path

from bot.store.rows.failures import JobFailure
from pipeline.protocol.errors import FailureReason

TEXTS = Path(__file__).parents[4] / "bot" / "presenting" / "texts"


def test_whatever_the_engine_says_is_a_failure_of_the_same_name() -> None:
    for reason in set(FailureReason) - {FailureReason.CANCELLED}:  # which is a status of its own
        assert JobFailure(reason).name == reason.name


def test_values_are_written_with_hyphens_only() -> None:
    assert [one for one in JobFailure if not re.fullmatch(r"[a-z]+(-[a-z]+)*", one)] == []


def test_every_failure_has_a_text_and_every_text_a_failure() -> None:
    for language in ("en", "de"):
        keys = re.findall(r"^failure-(\S+) =", (TEXTS / f"{language}.ftl").read_text(encoding="utf-8"), re.MULTILINE)
        assert sorted(keys) == sorted(set(JobFailure) - {JobFailure.FLAGGED})
