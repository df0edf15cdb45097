"""The catalogue of sentences, in every language."""

import re
from pathlib import Path

import pytest

from bot.commands.admin.words import SHAPES
from bot.presenting.custom_ids import Action, CaseAct
from bot.presenting.help_message import Topic
from bot.presenting.jobs.job_buttons import WITHOUT_LABEL
from bot.presenting.texts import LANGUAGES, language_of, spoken, text
from bot.quotas.standing import Obstacle
from bot.requests.enlarging.creative import CREATIVE, OFF
from bot.requests.options.table import OPTIONS
from bot.requests.uses import STRENGTHS
from bot.safety.words.characters import How
from bot.safety.words.rules import SENTENCES
from bot.safety.words.rules import Action as WordAction
from bot.store.rows.cases import Outcome, ReportReason
from bot.store.rows.preferences import Preferences
from config.areas.quotas import Period
from pipeline.protocol.inputs import Use
from pipeline.protocol.limits import GRID_CELLS
from pipeline.protocol.reading import PictureFault
from provenance.verdict import Verdict

CODE = Path(__file__).parents[3] / "bot"
SOURCES = {name: (CODE / "presenting" / "texts" / f"{name}.ftl").read_text() for name in LANGUAGES}
CATALOGUE = SOURCES["en"]
PICTURE_OUTCOMES = (Outcome.KEEP, Outcome.SPOILER, Outcome.REMOVE)
PROMPT_OUTCOMES = (Outcome.KEEP, Outcome.ALLOW_ONCE, Outcome.EXCEPT)
BUILT = [
    *(f"refused-{obstacle}" for obstacle in Obstacle),
    *(f"period-{period}" for period in Period),
    *(f"preference-{name}" for name in Preferences.__struct_fields__),
    *(f"button-{action}" for action in Action if action not in WITHOUT_LABEL),
    *(f"option-{option.name}" for option in OPTIONS),
    *(f"summary-{option.name}" for option in OPTIONS if option.name not in ("size", "style")),
    *(f"name-{option.name}" for option in OPTIONS if option.translations),
    *(f"refused-picture-{fault}" for fault in PictureFault),
    *(f"{kind}-{name}" for kind in ("choice-strength", "region") for name in STRENGTHS),
    *(f"choice-use-{use}" for use in Use),
    *(f"cell-{cell}" for cell in range(GRID_CELLS)),
    *(f"choice-creative-{word}" for word in (OFF, *CREATIVE)),
    *(f"option-upscale-{name}" for name in ("image", "scale", "upscaler", "faces", "creative", "prompt")),
    *(f"option-cutout-{name}" for name in ("image", "network")),
    *(f"how-{how.name.casefold()}" for how in How),
    *(f"refused-word-{key}" for key in SENTENCES),
    *(f"choice-word-{action}" for action in WordAction),
    *(f"choice-word-{kind}" for kind in SHAPES),
    *(f"verify-{verdict}" for verdict in Verdict),
    *(f"report-reason-{reason}" for reason in ReportReason),
    *(f"button-case-{act}" for act in CaseAct),
    *(f"case-decided-{outcome}" for outcome in Outcome),
    *(f"{kind}-{outcome}" for kind in ("reporter-told", "review-decided") for outcome in PICTURE_OUTCOMES),
    *(f"appealer-told-{outcome}" for outcome in PROMPT_OUTCOMES),
    *(f"appealer-hidden-{outcome}" for outcome in (Outcome.KEEP, Outcome.ALLOW_ONCE)),
    "name-picture",
    "name-topic",
    *(f"{kind}-{topic}" for kind in ("topic", "help") for topic in Topic),
]
"""Keys that the code puts together."""


def keys_of(source: str) -> list[str]:
    return re.findall(r"^([a-z][\w-]*) =", source, re.MULTILINE)


def message_of(source: str, key: str) -> str:
    """The whole of a message as it is written."""
    found = re.search(rf"^{key} =(?:.*)(?:\n(?: +.*)?)*", source, re.MULTILINE)
    assert found is not None
    return found[0]


KEYS = keys_of(CATALOGUE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_said_in_every_language(language: str) -> None:
    values: dict[str, str | int] = dict.fromkeys(re.findall(r"\$(\w+)", CATALOGUE), 3)
    with spoken(language):
        sentences = {key: text(key, **values) for key in KEYS}
    assert {key: sentence for key, sentence in sentences.items() if not sentence.strip() or "{" in sentence} == {}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_translation_has_the_same_messages_values_and_cases(language: str) -> None:
    translated = SOURCES[language]
    assert keys_of(translated) == KEYS
    for key in KEYS:
        ours, theirs = message_of(CATALOGUE, key), message_of(translated, key)
        for pattern in (r"\$\w+", r"\[[\w-]+\]", r"<[@#]&?\{ \$\w+ \}>"):
            assert sorted(set(re.findall(pattern, ours))) == sorted(set(re.findall(pattern, theirs))), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_case_repeats_the_word_before_it(language: str) -> None:
    choices = re.findall(r"(\w+) \{ \$\w+ ->\n((?: +\*?\[[\w-]+\].*\n)+)", SOURCES[language])
    assert len(choices) > 10
    assert [(before, cases) for before, cases in choices if before in re.findall(r"\] (\w+)", cases)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_begins_right_behind_a_reason_which_may_have_no_full_stop(language: str) -> None:
    keys = [key for key in KEYS if key != "refused-worker-down"]  # its reason is a sentence of Easel's
    run_on = re.compile(r"\{ \$reason \}(?:\n +\})? [A-ZÄÖÜ]")
    assert [key for key in keys if run_on.search(message_of(SOURCES[language], key))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_discord_shows_of_a_command_is_short_enough(language: str) -> None:
    with spoken(language):
        for key in KEYS:
            if key.startswith(("command-", "option-", "choice-")) and "$" not in message_of(CATALOGUE, key):
                assert len(text(key)) <= 100, key
            if key.startswith("name-"):
                assert re.fullmatch(r"[-_\w]{1,32}", text(key)), key
                assert text(key).islower(), key


@pytest.mark.parametrize(
    ("locale", "language"), [("de", "de"), ("en-GB", "en"), ("en-US", "en"), ("fr", "en"), ("", "en"), ("../x", "en")]
)
def test_whoever_speaks_none_of_our_languages_reads_the_first(locale: str, language: str) -> None:
    assert language_of(locale) == language


def test_a_language_ends_with_its_moment() -> None:
    with spoken("de"):
        assert text("button-cancel") == "Abbrechen"
    assert text("button-cancel") == "Cancel"


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    code = "\n".join(path.read_text() for path in CODE.rglob("*.py"))
    used = set(re.findall(r'(?:text|localized|Refused|Unseen)\(\s*"([a-z][a-z-]+)"', code))
    used |= {*re.findall(r'key="([a-z-]+)"', code), *BUILT}
    assert used <= set(KEYS), used - set(KEYS)


def test_every_sentence_is_used() -> None:
    sources = [*CODE.rglob("*.py"), *(CODE.parent / "pipeline").rglob("*.py")]
    code = "\n".join(path.read_text() for path in sources)
    quoted = {*re.findall(r"[\"']([a-z][a-z0-9-]*)(?=[\"'])", code)}
    unused = [key for key in KEYS if key not in quoted and not key.startswith("failure-")]
    unused = [key for key in unused if key not in BUILT]
    assert [key for key in unused if f"{{ {key} }}" not in CATALOGUE] == []


@pytest.mark.parametrize("action", WordAction)
def test_german_says_what_a_rule_does_in_whole_sentences(action: WordAction) -> None:
    hit = {"part": "st4r", "word": "star", "how": "Zeichen", "rule": 1, "whose": "server", "exception": ""}
    with spoken("de"):
        assert text("words-added", rule=1, word="star", action=action).count("wird ") == 1
        assert "Regel 1 dieses Servers: wird " in text("words-hit", action=action, **hit)


def test_a_pseudonym_is_told_as_a_forgotten_member() -> None:
    assert "a forgotten member" in text("job-cancelled-by", actor_id=-5)
    assert "<@5>" in text("job-cancelled-by", actor_id=5)
    with spoken("de"):
        assert "ein vergessenes Mitglied" in text("case-appeal", case_id=1, user_id="-7")


def test_a_missing_key_or_value_is_loud() -> None:
    with pytest.raises(KeyError):
        text("no-such-sentence")
    with pytest.raises(KeyError):
        text("summary-seed")
