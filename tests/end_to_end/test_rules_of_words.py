"""Rules of words of a server: admins set and try them, and every door obeys them, also for older jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from tests.end_to_end.test_admins import rows, said

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


@pytest.fixture
async def bot(start_bot: Callable[..., Any]) -> Any:
    started = start_bot(EASEL_QUOTAS__AMOUNT="10")
    await started.start()
    return started


@pytest.mark.usefixtures("bot")
async def test_rules_are_set_tried_obeyed_and_removed(local: LocalDiscord, tmp_path: Path) -> None:
    admin, member, studio = local.admin, local.member, local.channel
    answer = await said(admin, studio, "admin words add", word="star", reason="No stars here.", kind="begins")
    assert answer == "Rule 1: “star\\*” is refused."
    answer = await said(member, studio, "imagine", prompt="a st4r")
    assert answer.startswith("This server draws no pictures with “star” (rule 1: No stars here). Found: “st4r”.")
    assert "Your prompt: a st4r" in answer
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(0,)]
    answer = await said(admin, studio, "admin words test", prompt="a st4r")
    assert answer == "“st4r” is read as “star\\*” (signs for letters), rule 1 of this server: refused."
    assert await said(admin, studio, "admin words test", prompt="a cat") == "No rule finds anything in it."
    answer = await said(admin, studio, "admin words except", word="star fruit")
    assert answer.startswith("“star fruit” is allowed now")
    await member.slash(studio, "imagine", prompt="a star fruit")
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(1,)]
    answer = await said(admin, studio, "admin words list")
    assert answer == "1. “star\\*”: refuse, No stars here\\.\nAllowed: “star fruit”"
    assert "There is no rule 7" in await said(admin, studio, "admin words remove", rule=7)
    assert await said(admin, studio, "admin words remove", rule=1) == "Rule 1 (“star\\*”) is removed."
    await member.slash(studio, "imagine", prompt="a star")
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(2,)]
    assert "asterisk may stand only" in await said(admin, studio, "admin words add", word="s*r")
    audit = await said(admin, studio, "admin audit")
    assert "added the rule “star\\*” (refuse)" in audit
    assert "removed the rule “star\\*”" in audit


@pytest.mark.usefixtures("bot")
async def test_a_file_is_imported_or_its_mistake_is_told(local: LocalDiscord, tmp_path: Path) -> None:
    admin, studio = local.admin, local.channel
    answer = await said(admin, studio, "admin words import", file=("rules.txt", b"star\ncat*\n! Cat Stevens\n"))
    assert answer == "Added: 2 rules, one exception."
    answer = await said(admin, studio, "admin words import", file=("rules.toml", b'[[rules]]\nword = "x"\n'))
    assert "In the file, line 2" in answer
    answer = await said(admin, studio, "admin words import", file=("rules.txt", b"\xff\n"))
    assert answer == "Nothing was imported: the file is no text in UTF-8. Save it as UTF-8."
    answer = await said(admin, studio, "admin words import", file=("rules.txt", b"star\n" * 60_000))
    assert answer == "Nothing was imported: a file has between one byte and 256 KiB."
    assert rows(tmp_path, "SELECT word FROM word_rules ORDER BY number") == [("star",), ("cat*",)]
