"""Rule files: what they hold, and the sentence for each mistake."""

from pathlib import Path

import pytest

from bot.safety.words.files import BadRuleFile, read_rule_file, read_text, read_toml
from bot.safety.words.rules import MAX_RULES, Action, Rule, RuleSet

TOML = """
exceptions = ["Dagger Falls"]

[[rules]]
word = "dagger"
reason = "No weapons."

[[rules]]
words = ["cat*", "red dog"]
action = "warn"
"""


def test_toml() -> None:
    assert read_toml(TOML) == RuleSet(
        rules=(
            Rule(word="dagger", reason="No weapons.", number=1),
            Rule(word="cat*", action=Action.WARN, number=2),
            Rule(word="red dog", action=Action.WARN, number=3),
        ),
        exceptions=("Dagger Falls",),
    )


def test_plain_text() -> None:
    assert read_text("# weapons\n\n  dagger \nred dog*\n! Dagger Falls\n") == RuleSet(
        rules=(Rule(word="dagger", number=1), Rule(word="red dog*", number=2)), exceptions=("Dagger Falls",)
    )


def test_the_name_of_a_file_tells_its_format(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "rules.txt").write_text("\ufeffdagger\n", encoding="utf-8")
    assert len(read_rule_file(tmp_path / "rules.toml").rules) == 3
    assert [rule.word for rule in read_rule_file(tmp_path / "rules.txt").rules] == ["dagger"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cat\nx\n", 'line 2: "x" is no rule: a rule needs at least two letters, since one alone stands everywhere.'),
        (
            "cat\n\n!***\n",
            'line 3: "***" is no rule: an asterisk may stand only at the beginning and the end of a rule',
        ),
        ("[[rules]]\n", "line 1: this is TOML; give the file a name that ends in .toml"),
        ('word = "cat"\n', "line 1: this is TOML; give the file a name that ends in .toml"),
        (
            "\n".join(f"cat{number}" for number in range(MAX_RULES + 1)),
            f"line {MAX_RULES + 1}: a file has at most 1,000",
        ),
    ],
)
def test_mistakes_in_plain_text(text: str, sentence: str) -> None:
    with pytest.raises(BadRuleFile) as caught:
        read_text(text)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[rules]]\nword = "cat\n', "line 2: this is not TOML: "),
        (
            '[[rules]]\nword = "cat"\n\n[[rules]]\nwrod = "cat"\n',
            'line 5: "wrod" is no key of a rule; write word, words,',
        ),
        ('[[rules]]\nword = "cat"\naction = "ban"\n', 'line 3: "ban" is no action; write refuse, warn or review.'),
        ('[[rules]]\nword = "cat"\n[[rules]]\nreason = "No."\n', 'line 3: a rule has either word = "cat" or words'),
        ("[[rules]]\nword = 3\n", 'line 2: write word = "cat" or words = '),
        ("[[rules]]\nwords = []\n", 'line 2: write word = "cat" or words = '),
        ('[[rules]]\nword = "cat"\nreason = 3\n', "line 3: a reason is a text"),
        ('[[rules]]\nwords = [\n  "cat",\n  "a*b",\n]\n', 'line 4: "a*b" is no rule: an asterisk may stand only at'),
        ('\nexceptions = "cat"\n', 'line 2: write exceptions = ["Dagger Falls"].'),
        ('\nrules = "cat"\n', "line 2: write each rule below a line [[rules]]."),
        ('\nrules = ["cat"]\n', "line 2: write each rule below a line [[rules]]."),
        ('\nrule = "cat"\n', 'line 2: "rule" is no key of a rule file; write rules or exceptions.'),
    ],
)
def test_mistakes_in_toml(text: str, sentence: str) -> None:
    with pytest.raises(BadRuleFile) as caught:
        read_toml(text)
    assert str(caught.value).startswith(sentence)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadRuleFile, match="cannot be read: No such file"):
        read_rule_file(tmp_path / "none.txt")
    (tmp_path / "latin.txt").write_bytes("cat\nMörder\n".encode("latin-1"))
    with pytest.raises(BadRuleFile, match=r"latin\.txt, line 2: save the file as UTF-8"):
        read_rule_file(tmp_path / "latin.txt")
