"""The page on the architecture and the import contracts say the same, and no room, file or function grows too large."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_MODULES = 15
MAX_LINES_OF_FILE = 300
MAX_LINES_OF_FUNCTION = 40
"""Lines of code: without its docstring, comments and empty lines."""
LAYERS = {
    contract["containers"][0]: [layer.split(" | ") for layer in contract["layers"]]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    if contract["type"] == "layers"
}


def rooms_of(container: str) -> list[set[str]]:
    """The rooms of a container as the table of the page has them, a set for each row, highest first."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    short = container.rpartition(".")[2]
    firsts = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    rows = [{name.removesuffix(".py") for name in re.findall(rf"`{short}/(\w+)(?:/|\.py)`", cell)} for cell in firsts]
    return [row for row in rows if row]


@pytest.mark.parametrize("container", LAYERS)
def test_the_table_of_rooms_follows_the_contract(container: str) -> None:
    floor = {name: number for number, layer in enumerate(LAYERS[container]) for name in layer}
    rows = rooms_of(container)
    floors = [floor[name] for row in rows for name in sorted(row, key=floor.__getitem__)]
    assert floors == sorted(floors)
    packages = {name for name in floor if (ROOT / container.replace(".", "/") / name).is_dir()}
    assert packages <= set().union(*rows)


def test_no_room_has_too_many_modules() -> None:
    folders = {
        path.parent
        for top in ("bot", "config", "pipeline", "playground", "provenance")
        for path in (ROOT / top).rglob("*.py")
    }
    modules = {folder: [path for path in folder.glob("*.py") if path.name != "__init__.py"] for folder in folders}
    assert {
        str(folder.relative_to(ROOT)): len(found) for folder, found in modules.items() if len(found) > MAX_MODULES
    } == {}


def test_no_file_and_no_function_is_too_long_to_be_read_at_once() -> None:
    names = subprocess.check_output(["git", "ls-files", "*.py"], cwd=ROOT, text=True).split()  # noqa: S607 - as above
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in names if not name.startswith("tests/")}
    assert {name: text.count("\n") for name, text in files.items() if text.count("\n") > MAX_LINES_OF_FILE} == {}
    functions = {f"{name} {function}": lines for name, text in files.items() for function, lines in functions_of(text)}
    assert {function: lines for function, lines in functions.items() if lines > MAX_LINES_OF_FUNCTION} == {}


def functions_of(text: str) -> Iterator[tuple[str, int]]:
    """Each function of a file, with its lines of code."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            is_documented = ast.get_docstring(node, clean=False) is not None
            documented = range(first.lineno - 1, first.end_lineno or 0) if is_documented else range(0)
            own = [
                lines[number].strip()
                for number in range(node.lineno - 1, node.end_lineno or 0)
                if number not in documented
            ]
            yield node.name, sum(1 for line in own if line and not line.startswith("#"))


def test_docstrings_comments_and_empty_lines_make_no_function_long() -> None:
    text = 'def f():\n    """One.\n\n    Two.\n    """\n    # why\n\n    return 1\n\n\nasync def g(x):\n    return x\n'
    assert dict(functions_of(text)) == {"f": 2, "g": 2}
