"""The foreground of a picture: the same numbers as the network's formula, for every family."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.engine.failures import BrokenImage, ModelUnavailable
from pipeline.engine.models.cutouts import check_cutouts
from pipeline.engine.pixels.cutout import CutoutNetwork
from pipeline.engine.pixels.enlarging import Pixels
from pipeline.protocol.catalogue.networks import CutoutFamily, CutoutSpec
from tests.pipeline.engine.pixels.tiny_onnx import save_red


def spec_of(path: Path, family: CutoutFamily = "u2net") -> CutoutSpec:
    return CutoutSpec(key="red", title="Red", path=str(path), license="MIT", family=family)


def noise(side: int = 64) -> Pixels:
    # No value is 255, so that stretching the brightest one to 1 shows.
    return np.random.default_rng(0).integers(0, 200, (side, side, 3), dtype=np.uint8)


def by_formula(picture: Pixels, family: CutoutFamily) -> NDArray[np.float64]:
    """What the authors' code computes for a network that says how red a pixel is."""
    values = picture / 255
    if family != "birefnet":
        values = values / values.max()
    mean, deviation = ([0.5] * 3, [1.0] * 3) if family == "isnet" else ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    normal = (values - mean) / deviation
    mask = 1 / (1 + np.exp(-(normal @ np.array([4.0, -2.0, -2.0]))))
    return mask if family == "birefnet" else (mask - mask.min()) / (mask.max() - mask.min())


@pytest.mark.parametrize("family", ["u2net", "isnet", "birefnet"])
def test_a_mask_has_the_numbers_of_the_formula(family: CutoutFamily, tmp_path: Path) -> None:
    save_red(tmp_path / "red.onnx", makes_logits=family == "birefnet")
    network = CutoutNetwork(spec_of(tmp_path / "red.onnx", family))
    assert network.side == 64
    assert np.abs(network.opacity(noise()) / 255 - by_formula(noise(), family)).max() < 0.01


@pytest.mark.parametrize(("family", "side"), [("u2net", 320), ("isnet", 1_024), ("birefnet", 1_024)])
def test_a_file_for_any_size_gets_that_of_its_family(family: CutoutFamily, side: int, tmp_path: Path) -> None:
    save_red(tmp_path / "red.onnx", side=None, makes_logits=family == "birefnet")
    network = CutoutNetwork(spec_of(tmp_path / "red.onnx", family))
    assert network.side == side
    picture = np.zeros((30, 50, 3), np.uint8)
    picture[:, 25:, 0] = 255
    opacity = network.opacity(picture)
    assert opacity.shape == (30, 50)
    red, black = int(opacity[15, 45]), int(opacity[15, 5])
    assert red - black > 100


def test_threads_of_torch_are_those_of_the_network(tmp_path: Path) -> None:
    save_red(tmp_path / "red.onnx")
    network = CutoutNetwork(spec_of(tmp_path / "red.onnx"))
    found = network._request.get_compiled_model().get_property("INFERENCE_NUM_THREADS")
    assert found == torch.get_num_threads()


def test_broken_numbers_are_told(tmp_path: Path) -> None:
    save_red(tmp_path / "red.onnx", bias=float("nan"))
    with pytest.raises(BrokenImage, match="Red left the range"):
        CutoutNetwork(spec_of(tmp_path / "red.onnx")).opacity(noise())


def test_a_wrong_file_gets_one_sentence(tmp_path: Path) -> None:
    save_red(tmp_path / "gray.onnx", channels=1)
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    (tmp_path / "red.pth").touch()
    for name, sentence in (
        ("gray.onnx", "does not take a square picture with three channels"),
        ("broken.onnx", "The network broken.onnx cannot be loaded"),
        ("red.pth", "is no .onnx file"),
        ("gone.onnx", "does not exist"),
    ):
        with pytest.raises(ModelUnavailable, match=sentence):
            CutoutNetwork(spec_of(tmp_path / name))


def test_without_openvino_the_owner_reads_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_red(tmp_path / "red.onnx")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    offer = check_cutouts([spec_of(tmp_path / "red.onnx")])
    assert "uv sync --extra openvino" in offer.missing["red"]


def test_what_can_be_offered_is_said(tmp_path: Path) -> None:
    save_red(tmp_path / "red.onnx")
    offer = check_cutouts([spec_of(tmp_path / "red.onnx")])
    assert (offer.missing, offer.remarks) == ({}, {"red": "It looks at 64 x 64 pixels."})
