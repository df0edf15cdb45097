"""Converting pickled weights: a real process reads real files of torch."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bot.cli.convert import CannotConvert, _about, convert
from config.catalogue import Catalogue
from pipeline.protocol.reading import Converted


def test_an_upscaler_is_converted_and_recognized_and_nothing_is_replaced(catalogue: Catalogue, tmp_path: Path) -> None:
    (spec,) = catalogue.upscalers.values()
    weights = load_file(spec.path)
    torch.save({"params_ema": weights, "iteration": 7}, tmp_path / "net.pth")
    target, sentence = convert(tmp_path / "net.pth")
    assert target == tmp_path / "net.safetensors"
    assert sentence == "Compact of scale 4, an entry for [[upscalers]] of the catalogue"
    written = load_file(target)
    assert written.keys() == weights.keys()
    assert all(torch.equal(written[name], weights[name]) for name in weights)
    with pytest.raises(CannotConvert, match="exists already"):
        convert(tmp_path / "net.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pth", "net.safetensors"]


class Hostile:
    """Would make a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._path,))


def test_a_hostile_file_runs_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    torch.save({"params": {"a": torch.zeros(2)}, "b": Hostile(tmp_path / "made")}, tmp_path / "torch.pth")
    with pytest.raises(CannotConvert, match="nothing in it was run"):
        convert(tmp_path / "torch.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["torch.pth"]


def test_a_network_that_spandrel_does_not_know_is_told() -> None:
    assert "spandrel knows no network" in _about(Converted())


def test_a_file_that_is_not_there_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotConvert, match="No such"):
        convert(tmp_path / "net.pth")
    assert [*tmp_path.iterdir()] == []
