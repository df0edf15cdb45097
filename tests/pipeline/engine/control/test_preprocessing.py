"""Maps for control nets: lines without a model, and depth and poses with tiny random models of transformers."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTImageProcessor,
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrImageProcessor,
    RTDetrResNetConfig,
    VitPoseBackboneConfig,
    VitPoseConfig,
    VitPoseForPoseEstimation,
    VitPoseImageProcessor,
)

from pipeline.engine.control.edges import canny, scribble
from pipeline.engine.control.pose import drawn, pose_of
from pipeline.engine.control.preprocessing import check_preprocessor, read_preprocessor
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import BrokenImage, InvalidRequest, ModelUnavailable
from pipeline.protocol.catalogue.networks import ControlSpec, FolderSource
from tests.pipeline.engine.given_pictures import photo
from tests.pipeline.engine.tiny import made

PLACEMENT = choose_placement("cpu", "float32")
OF_OPENCV = "a7938dbf71aba760ed6dd34aa49b05e83a70267d1ac37246222472bb7f55ac60"
"""SHA-256 of the bits of `cv2.Canny(picture, 100, 200)` in OpenCV 5.0.0, for the picture of the test."""


def spec(preprocessor: Any, folder: Path | None = None) -> ControlSpec:
    return ControlSpec(
        key="net",
        title="Net",
        source=FolderSource(path="/none"),
        family="sd",
        kind="controlnet",
        use="depth",
        preprocessor=preprocessor,
        preprocessor_model=None if folder is None else FolderSource(path=str(folder)),
        license="none",
    )


def depth_model(folder: Path, **options: Any) -> Path:
    """A tiny Depth Anything."""
    torch.manual_seed(0)
    backbone = made(
        Dinov2Config,
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
    )
    config = made(
        DepthAnythingConfig,
        backbone_config=backbone,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[4, 8, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=8,
        **options,
    )
    model = DepthAnythingForDepthEstimation(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(0.1 * torch.randn_like(weights))
        # A ReLU comes last: a random model would often find nothing but the horizon.
        model.head.conv3.bias.add_(1)  # pyright: ignore[reportOptionalMemberAccess] - it has one
    model.save_pretrained(folder)
    processor: Any = made(
        DPTImageProcessor, size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    processor.save_pretrained(folder)
    return folder


def pose_model(folder: Path) -> Path:
    """A tiny ViTPose."""
    torch.manual_seed(0)
    backbone = made(
        VitPoseBackboneConfig,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=(64, 48),
        out_indices=[2],
    )
    model = VitPoseForPoseEstimation(made(VitPoseConfig, backbone_config=backbone, num_labels=17))
    with torch.no_grad():
        # Every point is seen, wherever it is.
        model.head.conv.bias.add_(1)  # pyright: ignore[reportCallIssue, reportOptionalMemberAccess] - a tensor
    model.save_pretrained(folder)
    processor: Any = made(VitPoseImageProcessor, size={"height": 64, "width": 48})
    processor.save_pretrained(folder)
    return folder


def detector(folder: Path, name: str = "person", *, certainty: float = 8.0) -> Path:
    """A tiny RT-DETR that is this sure that each of its boxes holds a thing of one name."""
    torch.manual_seed(0)
    backbone = made(
        RTDetrResNetConfig,
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = made(
        RTDetrConfig,
        backbone_config=backbone,
        d_model=16,
        encoder_hidden_dim=16,
        encoder_in_channels=[8, 8, 8],
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_in_channels=[16, 16, 16],
        decoder_layers=1,
        decoder_ffn_dim=16,
        decoder_attention_heads=2,
        num_queries=6,
        num_denoising=0,
        id2label={0: name, 1: "cat"},
    )
    model = RTDetrForObjectDetection(config)
    with torch.no_grad():
        for head in model.model.decoder.class_embed:  # pyright: ignore[reportGeneralTypeIssues, reportOptionalIterable, reportArgumentType] - a list
            head.bias.copy_(torch.tensor([certainty, -8.0]))
    model.save_pretrained(folder / "detector")
    processor: Any = made(RTDetrImageProcessor, size={"height": 64, "width": 64})
    processor.save_pretrained(folder / "detector")
    return folder


def test_canny_finds_the_edges_that_opencv_finds() -> None:
    dice = np.random.default_rng(0)
    blocks = dice.integers(0, 256, (12, 15, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    noisy = np.clip(blocks.astype(int) + dice.integers(-30, 31, blocks.shape), 0, 255).astype(np.uint8)
    found = canny(noisy)
    assert hashlib.sha256(np.packbits(found).tobytes()).hexdigest() == OF_OPENCV


def test_a_picture_of_one_color_has_no_lines() -> None:
    blank = np.full((32, 32, 3), 200, dtype=np.uint8)
    assert not canny(blank).any()
    assert not scribble(blank).any()


def test_a_scribble_is_the_dark_lines_of_a_drawing() -> None:
    paper = np.full((64, 64, 3), 240, dtype=np.uint8)
    paper[20:23, 10:50] = (30, 20, 60)
    found = scribble(paper)
    assert found[21, 12:48].all()
    assert not found[:14].any()
    assert not found[30:].any()


@pytest.mark.parametrize("is_metric", [False, True])
def test_a_map_of_depth_is_white_where_it_is_near(tmp_path: Path, is_metric: bool) -> None:
    kind = {"depth_estimation_type": "metric", "max_depth": 20} if is_metric else {}
    wanted = spec("depth", depth_model(tmp_path, **kind))
    assert check_preprocessor(wanted) == "Its pictures are prepared with the owner's model for depth."
    preprocessor = read_preprocessor(wanted, PLACEMENT, None)
    (model,) = preprocessor.modules
    picture = photo(72, 56)
    found = np.asarray(preprocessor.map_of(picture))
    assert found.shape == (56, 72, 3)
    assert (found.min(), found.max()) == (0, 255)
    processor = DPTImageProcessor.from_pretrained(tmp_path)
    with torch.no_grad():
        outputs = model(**processor(images=picture, return_tensors="pt"))
    answer: Any = processor.post_process_depth_estimation(outputs, target_sizes=[(56, 72)])
    distance = answer[0]["predicted_depth"].numpy()
    likeness = np.corrcoef(distance.ravel(), found[..., 0].astype(float).ravel())[0, 1]
    assert likeness < -0.5 if is_metric else likeness > 0.99
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(BrokenImage, match="NaN"):
        preprocessor.map_of(picture)


def test_a_pose_is_drawn_at_the_size_of_the_picture(tmp_path: Path) -> None:
    wanted = spec("pose", pose_model(tmp_path))
    assert check_preprocessor(wanted).endswith("It has no detector, so it takes every picture as one person.")
    found = read_preprocessor(wanted, PLACEMENT, None).map_of(photo(96, 128))
    assert found.size == (96, 128)
    assert found.mode == "RGB"
    assert np.asarray(found).any()


def test_each_person_that_the_detector_finds_has_a_pose(tmp_path: Path) -> None:
    """Each is the pose that ViTPose alone finds in that person's box, as transformers' own classes give it."""
    folder, picture = detector(pose_model(tmp_path)), photo(96, 128)
    assert check_preprocessor(spec("pose", folder)).endswith("Its detector finds several people.")
    preprocessor = read_preprocessor(spec("pose", folder), PLACEMENT, None)
    assert len(preprocessor.modules) == 2
    model: Any = RTDetrForObjectDetection.from_pretrained(folder / "detector").eval()
    estimator: Any = VitPoseForPoseEstimation.from_pretrained(folder).eval()
    finds: Any = RTDetrImageProcessor.from_pretrained(folder / "detector")
    reads: Any = VitPoseImageProcessor.from_pretrained(folder)
    with torch.no_grad():
        seen = finds(images=picture, return_tensors="pt")
        (people,) = finds.post_process_object_detection(model(**seen), threshold=0.5, target_sizes=[(128, 96)])
        boxes = [[left, top, right - left, bottom - top] for left, top, right, bottom in people["boxes"].tolist()]
        assert len(boxes) == 6
        given = reads(picture, boxes=[boxes], return_tensors="pt")
        (found,) = reads.post_process_pose_estimation(estimator(given["pixel_values"]), boxes=[boxes])
    poses = [pose_of(each["keypoints"].tolist(), each["scores"].tolist()) for each in found]
    assert preprocessor.map_of(picture).tobytes() == drawn(poses, 96, 128).tobytes()
    alone = read_preprocessor(spec("pose", pose_model(tmp_path / "alone")), PLACEMENT, None)
    assert alone.map_of(picture).tobytes() != drawn(poses, 96, 128).tobytes()


@pytest.mark.parametrize(("name", "certainty"), [("dog", 8.0), ("person", -1.0)])
def test_a_detector_that_finds_no_person_is_told(tmp_path: Path, name: str, certainty: float) -> None:
    folder = detector(pose_model(tmp_path), name, certainty=certainty)
    preprocessor = read_preprocessor(spec("pose", folder), PLACEMENT, None)
    with pytest.raises(InvalidRequest, match="No person was found"):
        preprocessor.map_of(photo(96, 128))


def test_a_detector_of_another_type_is_one_sentence(tmp_path: Path) -> None:
    folder = pose_model(tmp_path)
    depth_model(folder / "detector")
    for look in (check_preprocessor, lambda wanted: read_preprocessor(wanted, PLACEMENT, None)):
        with pytest.raises(ModelUnavailable, match="'depth_anything'; these types are read: d_fine, rt_detr, rt_detr"):
            look(spec("pose", folder))


def test_a_detector_that_is_not_whole_is_found_before_it_is_loaded(tmp_path: Path) -> None:
    """The owner reads of it by the name of its file when a worker starts and in the doctor."""
    folder = detector(pose_model(tmp_path))
    whole = (folder / "detector" / "model.safetensors").read_bytes()
    (folder / "detector" / "model.safetensors").write_bytes(whole[:-1])
    with pytest.raises(ModelUnavailable, match=r"detector.model\.safetensors"):
        check_preprocessor(spec("pose", folder))
    (folder / "detector" / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="detector"):
        check_preprocessor(spec("pose", folder))
    away = pose_model(tmp_path / "linked")
    (away / "detector").symlink_to(tmp_path / "gone")
    for look in (check_preprocessor, lambda wanted: read_preprocessor(wanted, PLACEMENT, None)):
        with pytest.raises(ModelUnavailable, match=r"There is no file .*detector.config\.json"):
            look(spec("pose", away))


def test_nobody_in_a_picture_is_said(tmp_path: Path) -> None:
    preprocessor = read_preprocessor(spec("pose", pose_model(tmp_path)), PLACEMENT, None)
    model: Any = preprocessor.modules[0]
    with torch.no_grad():
        model.head.conv.bias.sub_(5)
    with pytest.raises(InvalidRequest, match="No person was found"):
        preprocessor.map_of(photo(96, 128))


def test_a_skeleton_has_openpose_s_points_and_colors() -> None:
    points = [[float(10 * place), float(5 * place)] for place in range(17)]
    scores = [1.0] * 17
    scores[9] = 0.1  # COCO's left wrist
    pose = pose_of(points, scores)
    assert set(range(18)) - set(pose) == {7}
    # COCO: 0 nose, 5 and 6 shoulders, 16 right ankle, 3 left ear.
    assert (pose[0], pose[5], pose[2], pose[10], pose[17]) == ((0, 0), (50, 25), (60, 30), (160, 80), (30, 15))
    assert pose[1] == (55, 27.5)
    picture = drawn([{0: (100.0, 100.0), 1: (100.0, 300.0)}], 512, 512)
    assert picture.getpixel((100, 100)) == (255, 0, 0)
    assert picture.getpixel((100, 300)) == (255, 85, 0)
    assert picture.getpixel((100, 200)) == (0, 0, 153)
    assert picture.getpixel((120, 200)) == (0, 0, 0)


def test_a_net_without_a_model_for_its_map_says_so() -> None:
    assert "must attach ready-made maps" in check_preprocessor(spec("pose"))
    with pytest.raises(ModelUnavailable, match="attach a ready-made map"):
        read_preprocessor(spec("pose"), PLACEMENT, None).map_of(photo())


def test_a_model_of_another_type_is_one_sentence(tmp_path: Path) -> None:
    wanted = spec("pose", depth_model(tmp_path))
    for look in (lambda: check_preprocessor(wanted), lambda: read_preprocessor(wanted, PLACEMENT, None)):
        with pytest.raises(ModelUnavailable, match="'depth_anything'; these types are read: vitpose"):
            look()
    with pytest.raises(ModelUnavailable, match="There is no file"):
        check_preprocessor(spec("depth", tmp_path / "nothing"))


def test_pictures_that_need_no_map_stay_as_they_are() -> None:
    picture = Image.new("RGB", (8, 8), "red")
    assert read_preprocessor(spec("none"), PLACEMENT, None).map_of(picture) is picture
    lines = read_preprocessor(spec("canny"), PLACEMENT, None).map_of(photo(64, 64))
    assert lines.mode == "RGB"
    assert set(np.unique(np.asarray(lines))) <= {0, 255}
