"""The owner's lists, each a file on a real disk; what refuses one is told to the owner."""

from pathlib import Path

import pytest

from bot.requests.typed import wildcards
from bot.requests.typed.wildcards import MAX_BYTES, BrokenWildcard, WildcardFolder
from pipeline.prompts.expansion import UnknownWildcard


@pytest.mark.parametrize(
    ("data", "entries"),
    [
        (b"red\n\n  green  \r\n# no\n #no\nblue", ("red", "green", "blue")),
        ("\ufeffä\n".encode(), ("ä",)),
        (b"x" * MAX_BYTES, ("x" * MAX_BYTES,)),
    ],
    ids=["lines", "a mark", "as large as may be"],
)
def test_a_list_has_an_entry_a_line(tmp_path: Path, data: bytes, entries: tuple[str, ...]) -> None:
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "some.txt").write_bytes(data)
    assert WildcardFolder(tmp_path).lines("things/some") == entries


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"# nothing\n\n", "has no entry"),
        (b"x" * (MAX_BYTES + 1), "is larger than 1048576 bytes"),
        (b"caf\xe9", "cannot be read: 'utf-8' codec can't decode byte 0xe9 in position 3: unexpected end of data"),
    ],
    ids=["empty", "too large", "no UTF-8"],
)
def test_a_list_that_cannot_be_used_says_why(tmp_path: Path, data: bytes, reason: str) -> None:
    file = tmp_path / "some.txt"
    file.write_bytes(data)
    with pytest.raises(BrokenWildcard) as broken:
        WildcardFolder(tmp_path).lines("some")
    assert (broken.value.name, str(broken.value)) == ("some", f"{file} {reason}")


def test_a_list_is_a_file_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    (folder / "inner.txt").mkdir(parents=True)
    (tmp_path / "outer.txt").write_text("secret")
    for name in ("inner", "../outer", "none"):
        with pytest.raises(UnknownWildcard, match=f"^{name}$"):
            WildcardFolder(folder).lines(name)


def test_names_are_sorted_and_no_more_than_can_be_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "things").mkdir()
    for name in ("red", "things/fruit", "blue"):
        (tmp_path / f"{name}.txt").write_text("x")
    assert WildcardFolder(tmp_path).names() == ["blue", "red", "things/fruit"]
    monkeypatch.setattr(wildcards, "_MAX_NAMES", 2)
    assert len(WildcardFolder(tmp_path).names()) == 2
    assert WildcardFolder(tmp_path / "none").names() == []
