"""`easel words check`: prompts from a pipe, one object or sentence each."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from bot.__main__ import app


def check(rules: Path, prompts: bytes, *options: str) -> Result:
    return CliRunner().invoke(app, ["words", "check", "--rules", str(rules), *options], input=prompts)


def rule_file(folder: Path, text: str = "dagger\n!Dagger Falls\n") -> Path:
    path = folder / "rules.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_object_for_each_prompt(tmp_path: Path) -> None:
    prompts = 'a d4gger\n"two\\nlines, Dagger Falls"\n"said" she\n\nдаггер\r\n'.encode()
    answer = check(rule_file(tmp_path), prompts, "--json")
    assert [json.loads(line) for line in answer.stdout.splitlines()] == [
        {"text": "a d4gger", "hits": [{"rule": "dagger", "how": "signs for letters", "part": "d4gger"}]},
        {"text": "two\nlines, Dagger Falls", "hits": []},
        {"text": '"said" she', "hits": []},
        {"text": "", "hits": []},
        {"text": "даггер", "hits": [{"rule": "dagger", "how": "letters of another script", "part": "даггер"}]},
    ]
    assert answer.exit_code == 1


def test_no_hit(tmp_path: Path) -> None:
    answer = check(rule_file(tmp_path), b"a cat\n")
    assert (answer.exit_code, answer.stdout) == (0, "")


def test_a_sentence_for_each_hit(tmp_path: Path) -> None:
    answer = check(rule_file(tmp_path), b"a cat\na d.a.g.g.e.r\n")
    assert answer.stdout == 'line 2: "d.a.g.g.e.r" is read as the rule "dagger" (signs inside the word)\n'


def test_a_prompt_that_changes_too_often_counts_as_a_hit(tmp_path: Path) -> None:
    prompt = " ".join(f"[word{number}:other{number}:{number}]" for number in range(60)).encode()
    answer = check(rule_file(tmp_path), prompt, "--json")
    assert json.loads(answer.stdout)["hits"][0]["how"] == "the prompt changes so often that it is not judged"
    assert answer.exit_code == 1


def test_a_broken_rule_file_and_a_broken_prompt(tmp_path: Path) -> None:
    answer = check(rule_file(tmp_path, "cat\nx\n"), b"")
    assert answer.exit_code == 78
    assert f'{tmp_path}/rules.txt, line 2: "x" is no rule' in answer.stderr
    answer = check(rule_file(tmp_path), b"cat\n\xff\n")
    assert answer.exit_code == 78
    assert "Line 2 of the prompts is not UTF-8." in answer.stderr
