"""A missing mark is told: this file has none."""

import subprocess
import sys

import pytest

from tests.conftest import STARTS, TESTS


def test_an_unmarked_test_starts_no_process() -> None:
    with pytest.raises(RuntimeError, match="not marked `system` starts a process"):
        subprocess.run([sys.executable, "-c", "pass"], check=True)


def test_an_unmarked_test_imports_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    # Another test of this process may have it.
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(RuntimeError, match="not marked `worker` imports torch"):
        __import__("torch")


def test_marked_places_are_there() -> None:
    assert [place for places in STARTS.values() for place in places if not (TESTS / place).exists()] == []
