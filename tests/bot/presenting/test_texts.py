"""The catalogue of sentences."""

import re
from pathlib import Path

import pytest

from bot.presenting.custom_ids import Action
from bot.presenting.job_buttons import WITHOUT_LABEL
from bot.presenting.remix_form import NEGATIVE, PROMPT, SAMPLER, SEED, SIZE
from bot.presenting.texts import text
from bot.quotas.standing import Obstacle
from bot.store.rows import Preferences
from config.settings import Period

CODE = Path(__file__).parents[3] / "bot"
CATALOGUE = (CODE / "presenting" / "texts" / "en.ftl").read_text()
BUILT = [
    *(f"refused-{obstacle}" for obstacle in Obstacle),
    *(f"period-{period}" for period in Period),
    *(f"preference-{name}" for name in Preferences.__struct_fields__),
    *(f"button-{action}" for action in Action if action not in WITHOUT_LABEL),
    *(f"remix-{name}" for name in (PROMPT, NEGATIVE, SIZE, SAMPLER, SEED)),
]
"""Keys that the code puts together."""
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
    used |= {*BUILT}
    assert used <= set(KEYS), used - set(KEYS)


def test_every_sentence_is_used() -> None:
    sources = [*CODE.rglob("*.py"), *(CODE.parent / "pipeline").rglob("*.py")]
    code = "\n".join(path.read_text() for path in sources)
    unused = [key for key in KEYS if not re.search(rf"[\"']{key}[\"']", code) and not key.startswith("failure-")]
    unused = [key for key in unused if key not in BUILT]
    assert [key for key in unused if f"{{ {key} }}" not in CATALOGUE] == []


def test_a_missing_key_or_value_is_loud() -> None:
    with pytest.raises(KeyError):
        text("no-such-sentence")
    with pytest.raises(KeyError):
        text("detail-seed")
