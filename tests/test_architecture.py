"""The page on the architecture and the import contracts say the same, and no room grows too large to look through."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_MODULES = 15
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
