"""Faces: found by the shipped networks, turned upright, repaired and pasted back; the rest keeps its pixels."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from safetensors.torch import save_file
from spandrel.architectures.Compact import Compact
from spandrel.architectures.RestoreFormer import RestoreFormer

from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.upscalers import check_faces
from pipeline.engine.pixels import faces
from pipeline.engine.pixels.enlarging import Pixels
from pipeline.engine.pixels.face_detector import SMALLEST, find_faces
from pipeline.engine.pixels.faces import (
    LARGEST,
    SIDE,
    TEMPLATE,
    FaceNetwork,
    Repairing,
    inverse,
    is_sharp,
    repair,
    similarity,
)
from pipeline.protocol.catalogue.networks import FaceSpec

FACE = Path(__file__).with_name("face.jpg")
"""Eileen Collins, a part of a portrait by NASA, 1999; in the public domain."""
LEFT_EYE = (74.9, 101.5)


def portrait() -> Pixels:
    return np.asarray(Image.open(FACE).convert("RGB"))


def enlarged(picture: Pixels, scale: int) -> Pixels:
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


class Painter:
    """Stands for a face network: it gives each face one gray, and keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[torch.Tensor] = []

    def repaired(self, face: torch.Tensor) -> torch.Tensor:
        self.given.append(face)
        return torch.full_like(face, 0.5)


def tiny_network(path: Path) -> FaceSpec:
    """Write a RestoreFormer with few channels and random weights to a file."""
    torch.manual_seed(0)
    network = RestoreFormer(
        n_embed=8, embed_dim=32, ch=32, ch_mult=(1,) * 6, num_res_blocks=1, z_channels=32, attn_resolutions=(16,)
    )
    save_file({name: each.contiguous() for name, each in network.state_dict().items()}, path)
    return FaceSpec(key="tiny", title="Tiny", path=str(path), license="MIT")


def write_nearest(path: Path) -> None:
    """Write a network of the shipped upscaler's kind and scale that repeats each pixel, in no time."""
    network = Compact(num_feat=4, num_conv=1, upscale=4)
    save_file({name: torch.zeros_like(each) for name, each in network.state_dict().items()}, path)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> FaceSpec:
    return tiny_network(tmp_path_factory.mktemp("faces") / "tiny.safetensors")


def test_a_face_is_found_with_its_points_and_a_small_one_is_not() -> None:
    ((points, _),) = find_faces(portrait())
    assert np.abs(points[0] - LEFT_EYE).max() < 3
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    third = Image.fromarray(portrait()).resize((66, 66), Image.Resampling.BOX)
    assert find_faces(np.asarray(third)) == [], f"its face is smaller than {SMALLEST} pixels"
    for empty in (np.zeros((30, 40, 3), np.uint8), np.full((300, 90, 3), 128, np.uint8)):
        assert find_faces(empty) == []


def test_two_faces_come_with_the_larger_first() -> None:
    large = Image.fromarray(portrait()).resize((300, 300), Image.Resampling.BICUBIC)
    both = Image.new("RGB", (500, 300))
    both.paste(Image.fromarray(portrait()), (0, 0))
    both.paste(large, (200, 0))
    first, second = find_faces(np.asarray(both))
    assert first.points[0][0] > 200 > second.points[0][0]
    assert first.side > second.side


def test_a_similarity_turns_scales_and_shifts() -> None:
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    moved = TEMPLATE @ turn.T + [5, 7]
    affine = similarity(TEMPLATE, moved)
    assert np.allclose(affine, [[0, -2, 5], [2, 0, 7]])
    back = inverse(affine)
    assert np.allclose(moved @ back[:, :2].T + back[:, 2], TEMPLATE)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_face_lies_upright_in_what_the_network_sees_and_is_pasted_where_it_was(scale: int) -> None:
    picture, painter = portrait(), Painter()
    ((points, _),) = find_faces(picture)
    larger = enlarged(picture, scale)
    before = larger.copy()
    repair(larger, picture, points, scale, cast("FaceNetwork", painter))
    (face,) = painter.given
    seen = (face[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    # The points of the face that the network saw are those of the template.
    ((upright, _),) = find_faces(seen)
    assert np.abs(upright - TEMPLATE).max() < 16
    x, y = (int(scale * each) for each in points[2])
    assert set(larger[y, x].tolist()) <= {127, 128}
    changed = (larger != before).any(axis=2)
    assert not changed[:, 0].any()
    assert changed.sum() > scale**2 * 8_000
    # No step at the border: the gray fades into the picture.
    difference = np.abs(larger.astype(int) - before).max(axis=2)
    assert difference[changed].min() <= 2


def test_a_network_that_changes_nothing_leaves_the_face_where_it_is() -> None:
    picture = portrait()
    ((points, _),) = find_faces(picture)
    larger = picture.copy()
    same = SimpleNamespace(repaired=lambda face: face)
    repair(larger, picture, points, 1, cast("FaceNetwork", same))
    assert np.abs(larger.astype(int) - picture).mean() < 0.6, "a shift by one pixel makes it 4"


def test_a_real_network_repairs_a_face_alike_each_time(tiny: FaceSpec) -> None:
    picture = portrait()
    results: list[Pixels] = []
    for strength in (1.0, 1.0, 0.0):
        network = FaceNetwork(msgspec.structs.replace(tiny, strength=strength), choose_placement("cpu", "float32"))
        repairing, larger = Repairing(network, picture, 1), picture.copy()
        assert repairing.advance(larger)
        assert 0 < repairing.done < 1
        assert not repairing.advance(larger)
        assert (repairing.done, repairing.repaired) == (1, 1)
        results.append(larger)
    assert (results[0] == results[1]).all()
    assert np.abs(results[0].astype(int) - picture).mean() > 3
    assert np.abs(results[2].astype(int) - picture).mean() < 0.6, "a shift by one pixel makes it 4"


def large_portrait(*, sharp: bool) -> Pixels:
    """A part of the portrait, so large that its face has more than `LARGEST` pixels: [560, 520, 3]."""
    large = Image.fromarray(portrait()).resize((800, 800), Image.Resampling.BICUBIC).crop((120, 160, 640, 720))
    return np.asarray(large.filter(ImageFilter.UnsharpMask(4, 600, 0)) if sharp else large)


def test_a_large_sharp_face_stays_as_it_is(tiny: FaceSpec) -> None:
    network = FaceNetwork(tiny, choose_placement("cpu", "float32"))
    for picture, counts in (
        (large_portrait(sharp=True), (0, 1)),
        (large_portrait(sharp=False), (1, 0)),
        (portrait(), (1, 0)),
    ):
        repairing, larger = Repairing(network, picture, 1), picture.copy()
        while repairing.advance(larger):
            pass
        assert (repairing.repaired, repairing.sharp) == counts
        assert (larger == picture).all() == (counts == (0, 1))
        assert repairing.done == 1
    assert find_faces(large_portrait(sharp=True))[0].side > LARGEST
    (small,) = find_faces(portrait())
    assert is_sharp(portrait(), small), "a small face is repaired though it is sharp"


def test_noise_of_a_network_is_the_same_each_time_and_leaves_torchs_own_alone() -> None:
    def noisy(given: torch.Tensor) -> tuple[torch.Tensor]:
        return (given + torch.randn_like(given),)

    model: Any = SimpleNamespace(model=noisy, device=torch.device("cpu"), dtype=torch.float32)
    face = torch.full((1, 3, 8, 8), 0.5)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, second = (faces._called(model, face) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.rand(1), expected)


def test_a_full_device_leaves_the_face_to_the_processor(tiny: FaceSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    network = FaceNetwork(tiny, choose_placement("cpu", "float32"))
    elsewhere = SimpleNamespace(device=torch.device("meta"), dtype=torch.float32)
    monkeypatch.setattr(network, "_placement", elsewhere)
    called = faces._called
    asked: list[object] = []

    def full_once(model: Any, face: torch.Tensor) -> torch.Tensor:
        asked.append(model)
        if len(asked) == 1:
            raise torch.OutOfMemoryError("out of memory")
        return called(model, face)

    monkeypatch.setattr(faces, "_called", full_once)
    monkeypatch.setattr(faces, "release_memory", lambda _: None)
    assert network.repaired(torch.full((1, 3, SIDE, SIDE), 0.5)).shape == (1, 3, SIDE, SIDE)
    assert asked[0] is not asked[1]


def test_what_a_files_architecture_says_is_told(
    tiny: FaceSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pickled = msgspec.structs.replace(tiny, key="pickled", path="net.pth")
    gone = msgspec.structs.replace(tiny, key="gone", path=str(tmp_path / "gone.safetensors"))
    offer = check_faces([tiny, pickled, gone])
    assert offer.remarks == {"tiny": "It is RestoreFormer."}
    assert "easel convert net.pth" in offer.missing["pickled"]
    assert set(offer.missing) == {"pickled", "gone"}
    real = faces.read_face_network(tiny)
    named: Any = SimpleNamespace(architecture=SimpleNamespace(id="CodeFormer"), model=real.model)
    monkeypatch.setattr(faces, "read_face_network", lambda _: named)
    assert "non-commercial" in faces.remark_about(tiny)


def test_an_upscaler_repairs_no_faces(tiny: FaceSpec) -> None:
    path = str(Path(__file__).parents[4] / "models/upscaler/realesr-animevideov3-x4.safetensors")
    with pytest.raises(ModelUnavailable, match="repairs no faces"):
        FaceNetwork(msgspec.structs.replace(tiny, path=path), choose_placement("cpu", "float32"))
