"""Looks through the file of an IP-Adapter before anything is loaded, so that its faults are sentences."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec
import torch

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.headers import check_safetensors, read_tensors

IMAGE_PROJECTION: Final = "image_proj."
"""Start of the names of the tensors that make image tokens from a picture's features."""
KEY: Final = "to_k_ip"
VALUE: Final = "to_v_ip"

_ATTENTION: Final = re.compile(r"ip_adapter\.(\d+)\.(to_k_ip|to_v_ip)\.weight")
_PLAIN_TOKENS: Final = 4
"""Number of tokens that a plain adapter makes of a picture; diffusers has the same number."""
_FACE_ID: Final = "This is an IP-Adapter FaceID, which wants a face recognition whose models are for research alone"
_PICKLE: Final = b"\x80\x02"
_ARCHIVE: Final = b"PK\x03\x04"

Kind = Literal["plain", "plus", "full"]
"""Kinds of adapters: `plain` reads the encoder's one vector, `plus` and `full` read its hidden states."""


class AdapterFile(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about an adapter's file.

    Attributes:
        kind: kind of the adapter.
        image_features: features of the image encoder that it was trained with.
        text_features: features of an image token, which are those of the U-Net's text tokens.
        layers: features of each layer's keys, in the file's order.
    """

    kind: Kind
    image_features: int
    text_features: int
    layers: tuple[int, ...]


def look_through(path: Path) -> AdapterFile:
    """Check an adapter's file by its header. The suffix does not matter: a .bin file may be a .safetensors file inside.

    Raises:
        ModelUnavailable: the file is missing or broken, runs code, or is no adapter that Easel can use.
    """
    _refuse_pickle(path)
    check_safetensors(path)
    shapes = {name: tensor.shape for name, tensor in read_tensors(path).items()}
    start = IMAGE_PROJECTION
    projection = {name.removeprefix(start): shape for name, shape in shapes.items() if name.startswith(start)}
    if not projection or not any(name.startswith("ip_adapter.") for name in shapes):
        raise ModelUnavailable(f"The file {path.name} is no IP-Adapter: it lacks tensors of image_proj and ip_adapter.")
    if any("_lora." in name for name in shapes) or "perceiver_resampler.proj_in.weight" in projection:
        raise ModelUnavailable(f"{_FACE_ID}; take {_instead(path)}")
    kind, image_features, text_features = _projection(path, projection)
    layers = _layers(path, shapes, text_features)
    return AdapterFile(kind=kind, image_features=image_features, text_features=text_features, layers=layers)


def _projection(path: Path, shapes: Mapping[str, torch.Size]) -> tuple[Kind, int, int]:
    """Kind of an adapter, features of its encoder and features of a token, by the same names as in diffusers."""
    try:
        if "proj.weight" in shapes:
            tokens, features = shapes["proj.weight"]
            return "plain", features, tokens // _PLAIN_TOKENS
        if "proj.3.weight" in shapes:
            return "full", shapes["proj.0.weight"][1], shapes["proj.3.weight"][0]
        if "latents" in shapes:
            return "plus", shapes["proj_in.weight"][1], shapes["proj_out.weight"][0]
    except (KeyError, ValueError, IndexError) as error:
        raise ModelUnavailable(f"The file {path.name} is not whole; download it again.") from error
    if "norm.weight" in shapes:
        raise ModelUnavailable(f"{_FACE_ID}; take {_instead(path)}")
    raise ModelUnavailable(f"The file {path.name} is an IP-Adapter of a kind that Easel does not know.")


def _layers(path: Path, shapes: Mapping[str, torch.Size], text_features: int) -> tuple[int, ...]:
    """Features of each layer's keys, in the order of the layers' numbers."""
    found: dict[int, dict[str, torch.Size]] = {}
    for name, shape in shapes.items():
        match = _ATTENTION.fullmatch(name)
        if match is not None:
            found.setdefault(int(match[1]), {})[match[2]] = shape
    pairs = [(layer.get(KEY), layer.get(VALUE)) for _, layer in sorted(found.items())]
    if not pairs or any(key is None or key != value or tuple(key[1:]) != (text_features,) for key, value in pairs):
        raise ModelUnavailable(f"The file {path.name} is not whole: a layer lacks keys or values; download it again.")
    return tuple(key[0] for key, _ in pairs if key is not None)


def _instead(path: Path) -> str:
    return f"a plain, Plus or Plus Face adapter in place of {path.name}."


def _refuse_pickle(path: Path) -> None:
    """Refuse a file that can run code when it is read.

    Raises:
        ModelUnavailable: the file is a pickle.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_ARCHIVE))
    except OSError:
        # `check_safetensors` says why it cannot be read.
        return
    if beginning == _ARCHIVE or beginning.startswith(_PICKLE):
        raise ModelUnavailable(
            f"The file {path.name} is a pickle, which can run code when it is read. Convert it with "
            f"`easel convert {path}`, and name the new file in the catalogue."
        )
