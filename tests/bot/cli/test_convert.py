"""Converting pickled weights: a real process reads real files of torch."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bot.cli.convert import CannotConvert, convert
from config.catalogue import Catalogue


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
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Hostile(tmp_path / "made")))
    for name in ("torch.pth", "plain.pth"):
        with pytest.raises(CannotConvert, match="nothing in it was run"):
            convert(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.pth", "torch.pth"]


def test_weights_of_no_network_keep_their_names(tmp_path: Path) -> None:
    torch.save({"image_proj": {"a": torch.ones(3)}, "ip_adapter": {"1.b": torch.zeros(2)}}, tmp_path / "ip.bin")
    target, sentence = convert(tmp_path / "ip.bin")
    assert "spandrel knows no network" in sentence
    assert set(load_file(target)) == {"image_proj.a", "ip_adapter.1.b"}


@pytest.mark.parametrize(("data", "sentence"), [(b"", "damaged"), (b"PK\3\4 no archive", "damaged"), (None, "No such")])
def test_a_file_that_cannot_be_read_gets_a_sentence(tmp_path: Path, data: bytes | None, sentence: str) -> None:
    if data is not None:
        (tmp_path / "net.pth").write_bytes(data)
    with pytest.raises(CannotConvert, match=sentence):
        convert(tmp_path / "net.pth")
    assert not (tmp_path / "net.safetensors").exists()
