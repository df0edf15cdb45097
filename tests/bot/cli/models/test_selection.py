"""Which files of a repository are downloaded."""

import pytest

from bot.cli.models.failing import ModelsFailed
from bot.cli.models.selection import select

UNET = "unet/diffusion_pytorch_model"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ([f"{UNET}.safetensors", f"{UNET}.fp16.safetensors", f"{UNET}.bin"], [f"{UNET}.safetensors"]),
        ([f"{UNET}.fp16.safetensors", f"{UNET}.non_ema.safetensors"], [f"{UNET}.fp16.safetensors"]),
        (
            [
                f"{UNET}-00001-of-00002.safetensors",
                f"{UNET}-00002-of-00002.safetensors",
                f"{UNET}.safetensors.index.json",
            ],
            [
                f"{UNET}-00001-of-00002.safetensors",
                f"{UNET}-00002-of-00002.safetensors",
                f"{UNET}.safetensors.index.json",
            ],
        ),
        (
            [f"{UNET}.fp16-00001-of-00001.safetensors", f"{UNET}.safetensors.index.fp16.json"],
            [f"{UNET}.fp16-00001-of-00001.safetensors", f"{UNET}.safetensors.index.fp16.json"],
        ),
        (["unet/config.json", "unet/run.py", "unet/notes/deep.json", "vae/config.json"], ["unet/config.json"]),
        (["unet/openvino_model.xml", "unet/other.safetensors"], []),
    ],
)
def test_the_weights_are_those_that_the_worker_reads(files: list[str], wanted: list[str]) -> None:
    assert select(files, ["unet"]) == wanted


def test_the_root_of_a_repository_is_a_folder_too() -> None:
    assert select(["config.json", "model.safetensors", "deep/model.safetensors"], [""]) == [
        "config.json",
        "model.safetensors",
    ]


def test_pickled_weights_are_refused_unless_none_are_wanted() -> None:
    files = ["unet/config.json", f"{UNET}.bin"]
    with pytest.raises(ModelsFailed, match=r"unet has only pickled weights.*easel convert"):
        select(files, ["unet"])
    assert select(files, ["unet"], has_weights=False) == ["unet/config.json"]
