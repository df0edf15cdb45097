"""What the documents name is there: files, modules, names in code, settings, commands, and the targets of links."""

import functools
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from bot.__main__ import app
from config.settings import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "recipes").rglob("*.md"),
        *(ROOT / "models").rglob("*.md"),
    ]
)
WRITTEN_LATER = (
    *("easel.db", "easel.toml", "backups", "shapes.json", "fallbacks.json", "health.json", "commands.sha256"),
    *("training-run", "storage.directory", "own-models", "wildcards", "images", "inputs", "words.json", "locks"),
)
"""Files and folders that Easel, its owner or the recipe writes."""
NAMED_ELSEWHERE = (
    *("madebyollin/", "/models", "/data", "name.", "__animals", "nats.py", "blob/", "/var", "/etc", "/srv", "/run"),
    *("stable-diffusion-v1-5/", "iconify-json/", "@iconify-json/"),
)
"""Repositories of a hub, files within a container, examples of an owner's, and what is planned."""
PATH = re.compile(r"[\w@./<>-]+\.(?:py|toml|ftl|md|sql|json|txt|db|yaml|yml|safetensors)|[\w.@-]+(?:/[\w.@-]*)+")
ROOTS = ("data", "models", "var", "etc", "srv", "run", "dev", "proc", "usr", "home", "opt", "tmp")
"""Where paths begin that are no commands."""
AREAS = "|".join(Settings.model_fields)
SETTING = re.compile(rf"(?<![a-z_])({AREAS})\.([a-z_0-9]+)")
VARIABLE = re.compile(r"EASEL_([A-Z]+)__([A-Z_0-9]+)")
MODULE = re.compile(r"python -m ([\w.]+)(?: ([a-z_]+))?")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
PROGRAM = ("bot/", "config/", "pipeline/", "playground/", "provenance/", "benchmarks/", "recipes/")
IN_CODE = re.compile(r"_?[A-Z][a-z]+(?:[A-Z][a-z]+)+|[A-Z]{3,}(?:_[A-Z]+)+|[a-z]+(?:_[a-z]+)+")


@functools.cache
def tracked() -> frozenset[str]:
    """Files of the repository, by their paths from its root; and its folders."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 - git
    files = [PurePosixPath(line) for line in listed.stdout.splitlines()]
    return frozenset({str(path) for file in files for path in (file, *file.parents)})


def quoted(document: Path) -> Iterator[str]:
    """What stands in backticks, and every line of its blocks of code."""
    content = document.read_text(encoding="utf-8")
    for block in re.findall(r"```\w*\n(.*?)```", content, re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", content, flags=re.DOTALL))


def is_there(path: str) -> bool:
    """A file or folder of the repository, by its path or the end of it; or one that is not part of it."""
    wanted = path.rstrip("/")
    parts = PurePosixPath(wanted).parts
    if any(part in WRITTEN_LATER for part in parts) or path.startswith(NAMED_ELSEWHERE) or "<" in path:
        return True
    return wanted in tracked() or any(one.endswith(f"/{wanted}") for one in tracked())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_and_links_lead_somewhere(document: Path) -> None:
    paths = [words for words in quoted(document) if PATH.fullmatch(words)]
    assert [path for path in paths if not is_there(path)] == []
    if document.name == "card.md":
        return  # a template, whose links lead from where it is filled
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_settings_and_commands_are_there(document: Path) -> None:
    words = "\n".join(quoted(document))
    words = words.replace("discord.com", "")
    named = {(area.lower(), field.lower()) for area, field in (*SETTING.findall(words), *VARIABLE.findall(words))}
    fields = {(area, field) for area in Settings.model_fields for field in fields_of(area)}
    assert {name for name in named if not is_there(".".join(name)) and not is_there("/".join(name))} <= fields
    for module, name in MODULE.findall(words):
        assert (ROOT / module.replace(".", "/") / "__main__.py").is_file(), module
        if module == "benchmarks" and name:
            assert list((ROOT / module).glob(f"*/{name}.py")), name
    assert {command for command in re.findall(r"\beasel ([a-z]+)\b", words) if command not in commands()} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_the_bot_are_there(document: Path) -> None:
    catalogue = (ROOT / "bot/presenting/texts/en.ftl").read_text(encoding="utf-8")
    known = set(re.findall(r"^command-([a-z-]+) =", catalogue, re.MULTILINE))
    named = re.findall(r"^/([a-z]+(?: [a-z]+)?)", "\n".join(quoted(document)), re.MULTILINE)
    for words in (name.split() for name in named if not name.startswith(ROOTS)):
        assert words[0] in known, words
        assert words[0] != "admin" or len(words) == 1 or f"admin-{words[1]}" in known, words


def fields_of(area: str) -> list[str]:
    settings: Any = Settings.model_fields[area].annotation
    return list(settings.model_fields)


def commands() -> set[str]:
    """Of the command line."""
    groups = {group.name or "" for group in app.registered_groups}
    return {
        command.name or (command.callback.__name__ if command.callback else "") for command in app.registered_commands
    } | groups


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"])
def test_names_in_code_are_there(name: str) -> None:
    listed = [path for path in tracked() if path.endswith((".py", ".ftl", ".toml", ".sql"))]
    code = "\n".join((ROOT / path).read_text(encoding="utf-8") for path in listed)
    named = {words for words in quoted(ROOT / name) if IN_CODE.fullmatch(words)}
    assert {one for one in named if not re.search(rf"\b{one}\b", code)} == set()


@functools.cache
def words_of_the_program() -> frozenset[str]:
    """Names in code, and words of its strings, its SQL and its texts; without docstrings and comments."""
    found: set[str] = set()
    for path in (path for path in sorted(tracked()) if path.startswith(PROGRAM)):
        if path.endswith(".py"):
            with (ROOT / path).open("rb") as lines:
                for token in tokenize.tokenize(lines.readline):
                    is_docstring = token.type == tokenize.STRING and token.string.endswith('"""')
                    if token.type in (tokenize.NAME, tokenize.STRING) and not is_docstring:
                        found.update(re.findall(r"\w+", token.string))
        elif path.endswith((".sql", ".ftl")):
            found.update(re.findall(r"\w+", (ROOT / path).read_text(encoding="utf-8")))
    return frozenset(found)


def is_in_the_program(word: str) -> bool:
    """A name, or the beginning or the end of names where the word itself ends or begins with an underscore."""
    words = words_of_the_program()
    if word.startswith("_"):
        return any(one.endswith(word) for one in words)
    return any(one.startswith(word) for one in words) if word.endswith("_") else word in words


def names_in(markdown: str) -> set[str]:
    """Words in backticks, without those of paths."""
    quotes = [quote for quote in re.findall(r"`([^`\n]+)`", markdown) if not PATH.fullmatch(quote)]
    return {word for quote in quotes for word in re.findall(r"[^\W\d]\w*", quote)}


def test_words_of_the_glossary_are_in_the_program_unless_planned() -> None:
    now, _, planned = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").partition("\n## Planned\n")
    assert {word for word in names_in(now) if not is_in_the_program(word)} == set()
    assert planned
    assert {word for word in names_in(planned) if is_in_the_program(word)} == set()


def test_the_tour_leads_to_definitions() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    hops = re.findall(r"^\| `([\w/]+\.py)` \| (.*) \|$", page, re.MULTILINE)
    assert hops
    for file, cell in hops:
        code = (ROOT / file).read_text(encoding="utf-8")
        # The first name of each part of the sentence is what one looks for.
        for name in re.findall(r"(?:^|; )`(\w+)`", cell):
            assert re.search(rf"^\s*(?:async def|def|class) {name}\b|^{name}: ", code, re.MULTILINE), (file, name)


def test_each_decision_has_a_number_of_its_own() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "adr").glob("*.md"))
    assert [name[:4] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]


def test_sentences_in_the_page_about_trouble_are_those_of_the_program() -> None:
    """In quotes; `…` stands for what differs."""
    rows = re.findall(
        r"^\| .*? \| “(.+?)” \| .* \|$", (ROOT / "docs/trouble.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) > 20
    listed = [
        ROOT / path for path in tracked() if path.startswith(("bot/", "config/")) and path.endswith((".py", "en.ftl"))
    ]
    program = "\n".join(path.read_text(encoding="utf-8") for path in listed if path.is_file())
    program = re.sub(r'"\s*\n\s*f?"', "", program)  # a string that goes on in the next line
    fragments = [fragment.strip(" (") for row in rows for fragment in row.split("…")]
    assert [fragment for fragment in fragments if fragment not in program] == []
