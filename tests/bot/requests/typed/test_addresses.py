"""Addresses among words."""

import pytest

from bot.requests.typed.addresses import without_addresses


@pytest.mark.parametrize(
    ("words", "left", "found"),
    [
        ("https://a.com/cat.png, a cat,", "a cat", ("https://a.com/cat.png",)),
        ("X <HTTPS://a.com/X> X", "X X", ("HTTPS://a.com/X",)),
        ("a (www.a.org/x:1.2) b, discord.gg/abc!", "a ( ) b", ("www.a.org/x:1.2", "discord.gg/abc!")),
        ("a cat ftp://a.b/c;", "a cat", ("ftp://a.b/c",)),
        ("data:image/png;base64,AA==  a  cat", "a cat", ("data:image/png;base64,AA==",)),
        (" a  cat, 16:9, e.g. this ", " a  cat, 16:9, e.g. this ", ()),
    ],
)
def test_addresses_are_taken_out_and_named(words: str, left: str, found: tuple[str, ...]) -> None:
    assert without_addresses(words) == (left, found)
