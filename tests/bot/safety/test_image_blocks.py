"""The owner's file of blocked pictures: each mistake is told with its line."""

from pathlib import Path

import pytest

from bot.safety import image_blocks
from bot.safety.image_blocks import BadBlockFile, line_of, read_block_file

LOOK = bytes(range(48))


def test_a_file_has_a_look_in_each_line(tmp_path: Path) -> None:
    file = tmp_path / "blocks.txt"
    lines = [
        "\ufeff# pictures of real people",
        "",
        f"{line_of(LOOK)}  # a.png",
        f"  {line_of(bytes(48))}",
        line_of(LOOK),
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    assert read_block_file(file) == (LOOK[:32], bytes(32))


@pytest.mark.parametrize("line", ["look:00", "00" * 32, f"look:{'0g' * 32}", f"look:{'00' * 33}"])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "blocks.txt"
    file.write_text(f"# a comment\n{line}\n", encoding="utf-8")
    with pytest.raises(BadBlockFile, match=r"In line 2 of .*, write look: and 64 hexadecimal digits"):
        read_block_file(file)


def test_a_hash_of_pdq_is_told(tmp_path: Path) -> None:
    file = tmp_path / "blocks.txt"
    file.write_text(f"pdq:{'00' * 32}\n", encoding="utf-8")
    with pytest.raises(BadBlockFile, match=r"In line 1 of .* is a hash of PDQ\. Easel compares looks alone"):
        read_block_file(file)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "blocks.txt"
    with pytest.raises(BadBlockFile, match="cannot be read: No such file"):
        read_block_file(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(BadBlockFile, match="is not UTF-8"):
        read_block_file(file)
    monkeypatch.setattr(image_blocks, "MAX_BLOCKS", 1)
    file.write_text(f"{line_of(LOOK)}\n{line_of(bytes(48))}\n", encoding="utf-8")
    with pytest.raises(BadBlockFile, match="blocks 2 pictures; 1 are possible"):
        read_block_file(file)
