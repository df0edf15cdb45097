"""The catalogue of sentences."""

import re
from pathlib import Path

import pytest

from bot.presenting.texts import text

CODE = Path(__file__).parents[3] / "bot"
CATALOGUE = (CODE / "presenting" / "texts" / "en.ftl").read_text()
KEYS = re.findall(r"^([a-z][\w-]*) =", CATALOGUE, re.MULTILINE)


@pytest.mark.parametrize("key", KEYS)
def test_every_sentence_can_be_said(key: str) -> None:
    values: dict[str, str | int] = dict.fromkeys(re.findall(r"\$(\w+)", CATALOGUE), 3)
    sentence = text(key, **values)
    assert sentence.strip()
    assert "{" not in sentence


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    code = "\n".join(path.read_text() for path in CODE.rglob("*.py"))
    used = set(re.findall(r'(?:text|Refused)\(\s*"([a-z][a-z-]+)"', code)) | set(re.findall(r'key="([a-z-]+)"', code))
    assert used <= set(KEYS), used - set(KEYS)


def test_every_sentence_is_used() -> None:
    sources = [*CODE.rglob("*.py"), *(CODE.parent / "pipeline").rglob("*.py")]
    code = "\n".join(path.read_text() for path in sources)
    unused = [key for key in KEYS if not re.search(rf"[\"']{key}[\"']", code) and not key.startswith("failure-")]
    assert [key for key in unused if f"{{ {key} }}" not in CATALOGUE] == []


def test_a_missing_key_or_value_is_loud() -> None:
    with pytest.raises(KeyError):
        text("no-such-sentence")
    with pytest.raises(KeyError):
        text("detail-seed")
